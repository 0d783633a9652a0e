import { NotFoundException, type HttpException } from '@nestjs/common';
import { ANSWERS, KEY_HEADER, type AnswerName } from './answers.js';
import { ApiKeyRefusedException } from './api-key-refused.exception.js';
import { RefusalFactory } from './refusal-factory.js';
import type { RouteRule } from '../rules/route-rule.js';

type FactoryOptions = ConstructorParameters<typeof RefusalFactory>[0];

const BEARER = { header: 'authorization', scheme: 'Bearer' };
const X_API_KEY = { header: 'x-api-key' };

function factoryWith(options: Partial<FactoryOptions> = {}): RefusalFactory {
  return new RefusalFactory({ credentials: [BEARER], realm: 'api', hideExistence: false, ...options });
}

function respond(exception: HttpException) {
  if (!(exception instanceof ApiKeyRefusedException)) throw new Error(`not a refusal: ${exception.name}`);
  return { headers: exception.headers, exception, body: exception.getResponse() };
}

function ruleWith(requiredScopes: string[], requiredAnyOf: string[][] = []): RouteRule {
  return {
    route: 'Users.find',
    isPublic: false,
    isDecided: true,
    access: { requiredScopes, requiredAnyOf, needsOrganization: false, needsUser: false, needsKey: false },
    organizations: [],
    resolvesOrganization: false,
    rateLimit: null,
    maxAgeMs: null,
    required: { scopes: [], anyOf: [], organization: false, user: false, keysOnly: false, maxAgeMs: null },
  };
}

const CHALLENGES: Record<AnswerName, string | undefined> = {
  MISSING_KEY: 'Bearer realm="api"',
  MALFORMED_REQUEST: 'Bearer realm="api", error="invalid_request"',
  WRONG_CREDENTIAL_TYPE: 'Bearer realm="api", error="invalid_token"',
  INVALID_TOKEN: 'Bearer realm="api", error="invalid_token"',
  TOKEN_EXPIRED: 'Bearer realm="api", error="invalid_token"',
  INVALID_KEY: 'Bearer realm="api", error="invalid_token"',
  WRONG_KEY_PREFIX: 'Bearer realm="api", error="invalid_token"',
  KEY_REVOKED: 'Bearer realm="api", error="invalid_token"',
  KEY_INACTIVE: 'Bearer realm="api", error="invalid_token"',
  INSUFFICIENT_SCOPE: 'Bearer realm="api", error="insufficient_scope"',
  ORG_REQUIRED: undefined,
  ORG_MISMATCH: undefined,
  USER_REQUIRED: undefined,
  KEY_REQUIRED: undefined,
  RATE_LIMITED: undefined,
  TOO_MANY_FAILED_ATTEMPTS: undefined,
  VERIFICATION_UNAVAILABLE: undefined,
  VERIFICATION_MISCONFIGURED: undefined,
  UNSUPPORTED_CONTEXT: undefined,
};

const NAMES = Object.keys(ANSWERS) as AnswerName[];

describe('RefusalFactory.refuse()', () => {
  it.each(NAMES)('sets the headers and the body of %s and nothing else', (name) => {
    const { code, statusCode, error } = ANSWERS[name];
    const [message, hint] = [ANSWERS[name].message, ANSWERS[name].hint].map((text) =>
      text?.replace(KEY_HEADER, 'the header "Authorization: Bearer <API key>"'),
    );
    const { headers, exception, body } = respond(factoryWith().refuse(name));
    expect(headers).toStrictEqual({
      'Cache-Control': 'no-store',
      ...(CHALLENGES[name] && { 'WWW-Authenticate': CHALLENGES[name] }),
    });
    expect(body).toEqual({ statusCode, error, message, code, hint });
    expect(exception).toMatchObject({ code, message, name: 'ApiKeyRefusedException' });
    expect(exception.getStatus()).toBe(statusCode);
  });

  it('sets Retry-After in seconds', () => {
    const { headers, body } = respond(factoryWith().refuse('VERIFICATION_UNAVAILABLE', { retryAfterSeconds: 5 }));
    expect(headers).toEqual({ 'Cache-Control': 'no-store', 'Retry-After': '5' });
    expect(body).not.toHaveProperty('retryAfterSeconds');
  });

  it('makes a body and headers for each exception, which an app may write into', () => {
    const factory = factoryWith();
    const refuse = () =>
      respond(
        factory.refuseAccess({ code: 'INSUFFICIENT_SCOPE', lacks: 'required' }, RULE, { headers: { RateLimit: '1' } }),
      );
    const RULE = ruleWith(['b', 'a'], [['d', 'c']]);
    const first = refuse();
    const { body } = first;
    body.message = 'changed';
    body.hint = 'changed';
    body.required_scopes?.sort();
    body.required_any_of?.[0]?.push('more');
    first.headers['RateLimit'] = 'changed';
    const second = refuse();
    expect(second.body).toMatchObject({
      message: 'Insufficient scope',
      hint: ANSWERS.INSUFFICIENT_SCOPE.hint,
      required_scopes: ['b', 'a'],
      required_any_of: [['d', 'c']],
    });
    expect(second.headers).toMatchObject({ RateLimit: '1', 'Cache-Control': 'no-store' });
  });
});

describe('the texts that say where a key belongs', () => {
  const SCHEMELESS = { header: 'x-$&-key' };
  it.each([
    [[BEARER], 'the header "Authorization: Bearer <API key>"'],
    [[X_API_KEY], 'the header "x-api-key: <API key>"'],
    [[BEARER, X_API_KEY], 'the header "Authorization: Bearer <API key>" or "x-api-key: <API key>"'],
    [[{ header: 'x-auth', scheme: 'Token' }], 'the header "x-auth: Token <API key>"'],
    [[SCHEMELESS], 'the header "x-$&-key: <API key>"'],
  ])('name the headers of the option credentials: %j', (credentials, where) => {
    const { message, hint } = respond(factoryWith({ credentials }).refuse('MISSING_KEY')).body;
    expect(message).toBe(`API key required: send it in ${where}`);
    expect(hint).toContain(`Send your API key in ${where}, with every request.`);
  });

  it('leave no gap in any answer', () => {
    for (const name of NAMES)
      expect(JSON.stringify(respond(factoryWith().refuse(name)).body)).not.toMatch(/[{]key header|undefined/);
  });
});

describe('WWW-Authenticate', () => {
  const challengeOf = (options: Partial<FactoryOptions>, name: AnswerName): string | undefined =>
    respond(factoryWith(options).refuse(name)).headers['WWW-Authenticate'];

  it('names the realm', () => {
    expect(challengeOf({ realm: 'Acme billing' }, 'MISSING_KEY')).toBe('Bearer realm="Acme billing"');
    expect(challengeOf({ realm: 'Acme billing' }, 'INVALID_KEY')).toBe(
      'Bearer realm="Acme billing", error="invalid_token"',
    );
  });

  it('is ApiKey with the realm alone if only x-api-key is accepted', () => {
    for (const name of NAMES.filter((one) => CHALLENGES[one])) {
      expect(challengeOf({ credentials: [X_API_KEY] }, name)).toBe('ApiKey realm="api"');
    }
  });

  it('is Bearer if both headers are accepted, in any order', () => {
    expect(challengeOf({ credentials: [X_API_KEY, BEARER] }, 'MISSING_KEY')).toBe('Bearer realm="api"');
    expect(challengeOf({ credentials: [BEARER, X_API_KEY] }, 'MISSING_KEY')).toBe('Bearer realm="api"');
  });

  it('is Bearer in its usual spelling, in whatever case it was configured', () => {
    expect(challengeOf({ credentials: [{ header: 'authorization', scheme: 'bearer' }] }, 'INVALID_KEY')).toBe(
      'Bearer realm="api", error="invalid_token"',
    );
  });

  it('has the realm alone for another scheme', () => {
    const credentials = [{ header: 'authorization', scheme: 'Token' }];
    expect(challengeOf({ credentials }, 'INVALID_KEY')).toBe('Token realm="api"');
  });
});

describe('INSUFFICIENT_SCOPE', () => {
  it('lists all scopes that the route requires, in order', () => {
    const { headers, body } = respond(
      factoryWith().refuseAccess(
        { code: 'INSUFFICIENT_SCOPE', lacks: 'required' },
        ruleWith(['write:users', 'read:users']),
      ),
    );
    expect(headers).toEqual({
      'Cache-Control': 'no-store',
      'WWW-Authenticate': 'Bearer realm="api", error="insufficient_scope", scope="write:users read:users"',
    });
    expect(body).toEqual({
      statusCode: 403,
      error: 'Forbidden',
      message: 'Insufficient scope',
      code: 'INSUFFICIENT_SCOPE',
      hint: ANSWERS.INSUFFICIENT_SCOPE.hint,
      required_scopes: ['write:users', 'read:users'],
    });
  });

  it('does not list any-of scopes in the challenge, which would mean all of them', () => {
    const { headers, body } = respond(
      factoryWith().refuseAccess({ code: 'INSUFFICIENT_SCOPE', lacks: 'any_of' }, ruleWith(['a'], [['b', 'c'], ['d']])),
    );
    expect(headers['WWW-Authenticate']).toBe('Bearer realm="api", error="insufficient_scope"');
    expect(body).toMatchObject({ required_scopes: ['a'], required_any_of: [['b', 'c'], ['d']] });
  });

  it('lists any-of scopes in the body if a required scope is missing', () => {
    const { headers, body } = respond(
      factoryWith().refuseAccess({ code: 'INSUFFICIENT_SCOPE', lacks: 'required' }, ruleWith(['a'], [['b', 'c']])),
    );
    expect(headers['WWW-Authenticate']).toBe('Bearer realm="api", error="insufficient_scope", scope="a"');
    expect(body).toMatchObject({ required_scopes: ['a'], required_any_of: [['b', 'c']] });
  });
});

describe('RefusalFactory.refuseAccess()', () => {
  it.each(['ORG_REQUIRED', 'ORG_MISMATCH', 'USER_REQUIRED'] as const)(
    'answers %s without the scopes that the route requires',
    (code) => {
      const { body } = respond(factoryWith().refuseAccess({ code }, ruleWith(['a'], [['b']])));
      expect(Object.keys(body)).toEqual(['statusCode', 'error', 'message', 'code', 'hint']);
      expect(body.code).toBe(code);
    },
  );
});

describe('hideExistence', () => {
  const hiding = factoryWith({ hideExistence: true });

  it.each(['ORG_REQUIRED', 'ORG_MISMATCH'] as const)('answers %s like a missing route', (code) => {
    const request = { method: 'GET', originalUrl: '/users/1' };
    const exception = hiding.refuseAccess({ code }, ruleWith(['a']), { request });
    const missing = new NotFoundException('Cannot GET /users/1');
    expect(exception).not.toBeInstanceOf(ApiKeyRefusedException);
    expect(exception.constructor).toBe(NotFoundException);
    expect(exception).toEqual(missing);
    for (const seen of [Object.keys, String, JSON.stringify, (one: HttpException) => JSON.stringify(one.getResponse())])
      expect(seen(exception)).toEqual(seen(missing));
    expect(exception.stack).not.toMatch(/kinde|guard/i);
  });

  it('reads the path of the raw request behind a framework', () => {
    const request = { method: 'X', url: '/x', raw: { method: 'POST', url: '/api/users/1' } };
    expect(hiding.refuse('ORG_MISMATCH', { request }).message).toBe('Cannot POST /api/users/1');
  });

  it.each(NAMES.filter((name) => name !== 'ORG_REQUIRED' && name !== 'ORG_MISMATCH'))('does not change %s', (name) => {
    expect(respond(hiding.refuse(name))).toEqual(respond(factoryWith().refuse(name)));
  });
});
