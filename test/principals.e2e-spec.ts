import {
  Controller,
  ForbiddenException,
  Get,
  Inject,
  Injectable,
  Module,
  Req,
  Scope,
  type ExecutionContext,
} from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import {
  AnyValidKey,
  apiKeyTracker,
  CurrentApiKey,
  CurrentPrincipal,
  getPrincipal,
  getVerifiedApiKey,
  KindeAccessTokenError,
  KindeApiKeyUnavailableError,
  KeysOnly,
  OrgCode,
  OrgScoped,
  PublicRoute,
  RateLimit,
  RequireScopes,
  ScopedResource,
  UserId,
  UserScoped,
  type ApiKeyDecision,
  type Caller,
  type KindeApiKeyOptions,
  type Principal,
  type PrincipalSource,
  type VerifiedApiKey,
} from 'nestjs-kinde-api-key';
import type { Sending } from './support/http.js';
import { describeAdapters, startScenario, type Adapter, type Scenario } from './support/scenario.js';

/** What the tests send in the header `x-session`: the answer of the source, as JSON. */
interface SessionRequest {
  readonly headers: Readonly<Record<string, string | undefined>>;
}

const asked: string[] = [];

/** Believes the header `x-session`, as a source believes what a guard of the app has put on the request. */
@Injectable()
class SessionSource implements PrincipalSource {
  authenticate(context: ExecutionContext): Principal | null {
    const { headers } = context.switchToHttp().getRequest<SessionRequest>();
    asked.push('session');
    return JSON.parse(headers['x-session'] ?? 'null') as Principal | null;
  }
}

/** Throws what the header `x-throw` names. */
@Injectable()
class ThrowingSource implements PrincipalSource {
  async authenticate(context: ExecutionContext): Promise<null> {
    const what = context.switchToHttp().getRequest<SessionRequest>().headers['x-throw'];
    asked.push('throwing');
    if (what === 'forbidden') throw new ForbiddenException('suspended');
    if (what === 'error') throw new Error('the session store is broken');
    if (what === 'expired') throw new KindeAccessTokenError('TOKEN_EXPIRED', 'over');
    if (what === 'invalid') throw new KindeAccessTokenError('INVALID_TOKEN', 'wrong signature');
    if (what === 'down') throw new KindeApiKeyUnavailableError('no signing keys', { retryAfterSeconds: 7 });
    return null;
  }
}

@Injectable({ scope: Scope.REQUEST })
class RequestScopedSource implements PrincipalSource {
  constructor(@Inject(REQUEST) private readonly request: SessionRequest) {}

  authenticate(): Principal | null {
    asked.push('scoped');
    const userId = this.request.headers['x-scoped-user'];
    return userId === undefined ? null : { kind: 'scoped', scopes: [], orgCode: null, userId };
  }
}

async function loadUser(context: ExecutionContext, caller: Caller) {
  const { id } = context.switchToHttp().getRequest<{ params: { id: string } }>().params;
  return { orgCode: 'org_a', resource: { id, seenBy: caller.orgCode } };
}

@Controller('any')
@AnyValidKey()
class AnyController {
  @Get()
  whoAmI(
    @CurrentPrincipal() principal: Principal,
    @CurrentApiKey() apiKey: VerifiedApiKey | undefined,
    @OrgCode() orgCode: string | null,
    @UserId() userId: string | null,
    @Req() request: { raw?: unknown },
  ) {
    return {
      principal,
      keyId: apiKey?.keyId ?? null,
      orgCode,
      userId,
      onRequest: getPrincipal(request)?.kind,
      onRaw: getPrincipal(request.raw ?? request)?.kind,
      verified: getVerifiedApiKey(request)?.keyId ?? null,
      tracker: apiKeyTracker(request),
      isFrozen: Object.isFrozen(principal) && Object.isFrozen(principal.scopes),
    };
  }

  @Get('org')
  @OrgScoped({ from: 'key' })
  org() {
    return 'org';
  }

  @Get('user')
  @UserScoped()
  user() {
    return 'user';
  }

  @Get('open')
  @PublicRoute()
  open(@CurrentPrincipal() principal: Principal | undefined) {
    return { principal: principal ?? null };
  }
}

@Controller('orgs/:orgCode')
class OrgController {
  @Get('reports')
  @OrgScoped()
  @RequireScopes('read:reports')
  reports() {
    return 'reports';
  }

  @Get('mine')
  @UserScoped()
  mine() {
    return 'mine';
  }

  @Get('own')
  @OrgScoped({ from: 'key' })
  own() {
    return 'own';
  }

  @Get('keys')
  @KeysOnly()
  @RequireScopes('read:reports')
  keys() {
    return 'keys';
  }

  @Get('users/:id')
  @OrgScoped({ resolve: loadUser })
  user(@ScopedResource() user: unknown) {
    return user;
  }

  @Get('limited')
  @AnyValidKey()
  @RateLimit({ limit: 2, windowMs: 60_000 })
  limited() {
    return 'limited';
  }
}

/** The fields of an answer's body that the tests look at. */
interface Body {
  readonly code?: string;
  readonly message?: string;
  readonly hint?: string;
  readonly principal?: unknown;
}

const SESSION: Principal = { kind: 'session', scopes: ['read:reports'], orgCode: 'org_a', userId: 'u1' };

describeAdapters('principals', (adapter) => {
  let scenario: Scenario;
  const decisions: ApiKeyDecision[] = [];
  const send = async (path: string, sending?: Sending) => {
    const answer = await scenario.send(path, sending);
    return { ...answer, body: answer.body as Body };
  };
  const as = (principal: unknown) => ({ headers: { 'x-session': JSON.stringify(principal) } });

  beforeAll(async () => {
    scenario = await startScenario({
      adapter,
      controllers: [AnyController, OrgController],
      providers: [SessionSource, ThrowingSource, RequestScopedSource],
      options: {
        globalGuard: true,
        principals: [ThrowingSource, SessionSource, RequestScopedSource],
        onDecision: (decision) => decisions.push(decision),
        failedAttempts: { limit: 2, windowMs: 60_000 },
      },
    });
  });
  beforeEach(() => {
    asked.length = decisions.length = 0;
    scenario.clock.advance(60_000); // no failed attempt of another test counts
  });
  afterAll(() => scenario.close());

  it('hands a caller of the app to the handler, with fields of its own', async () => {
    const { status, body } = await send('/any', as({ ...SESSION, email: 'a@example.com' }));
    expect(status).toBe(200);
    expect(body).toEqual({
      principal: { ...SESSION, id: 'u1', email: 'a@example.com' },
      keyId: null,
      orgCode: 'org_a',
      userId: 'u1',
      onRequest: 'session',
      onRaw: 'session',
      verified: null,
      tracker: '["session","u1"]',
      isFrozen: true,
    });
  });

  it('keeps shared caches from the answers to other callers', async () => {
    const { headers } = await send('/any', as(SESSION));
    expect(headers['cache-control']).toBe('private');
    const { key } = scenario.emulator.createKey({});
    expect((await scenario.get('/any', key)).headers['cache-control']).toBeUndefined();
  });

  it('hands a key to the handler as a principal of the kind api_key', async () => {
    const { key, keyId } = scenario.emulator.createKey({ scopes: ['a'], orgCode: 'org_a' });
    const { body } = await scenario.get('/any', key);
    expect(body).toMatchObject({
      principal: { kind: 'api_key', id: keyId, keyId, scopes: ['a'], orgCode: 'org_a', ownerType: 'organization' },
      keyId,
      orgCode: 'org_a',
      onRequest: 'api_key',
      onRaw: 'api_key',
      verified: keyId,
      tracker: keyId,
      isFrozen: true,
    });
  });

  it.each([
    ['/orgs/org_a/reports', SESSION, 200, undefined],
    ['/orgs/org_b/reports', SESSION, 403, 'ORG_MISMATCH'],
    ['/orgs/org_a/reports', { ...SESSION, scopes: [] }, 403, 'INSUFFICIENT_SCOPE'],
    ['/orgs/org_a/reports', { ...SESSION, orgCode: null }, 403, 'ORG_REQUIRED'],
    ['/orgs/org_a/mine', SESSION, 200, undefined],
    ['/orgs/org_a/mine', { ...SESSION, userId: null }, 403, 'USER_REQUIRED'],
    ['/orgs/org_a/own', SESSION, 200, undefined],
    ['/orgs/org_a/own', { ...SESSION, orgCode: null }, 403, 'ORG_REQUIRED'],
    ['/orgs/org_a/keys', SESSION, 403, 'KEY_REQUIRED'],
    ['/orgs/org_a/users/7', SESSION, 200, undefined],
    ['/orgs/org_a/users/7', { ...SESSION, orgCode: 'org_b' }, 403, 'ORG_MISMATCH'],
  ])('keeps the rules of %s for a caller of the app: %j is answered %i %s', async (path, principal, status, code) => {
    const answer = await send(path, as(principal));
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it('speaks of a token and a login in the refusal of another caller', async () => {
    const answers = [
      await send('/orgs/org_a/reports', as({ ...SESSION, orgCode: null })),
      await send('/orgs/org_a/mine', as({ ...SESSION, userId: null })),
    ];
    expect(answers.map(({ body }) => body.message)).toEqual([
      'Organization-scoped token required',
      'User-scoped token required',
    ]);
    expect(answers.map(({ body }) => body.hint)).toEqual([
      'Log in to an organization, or send an API key that was created for one.',
      'Log in as a user, or send an API key that was created for one.',
    ]);
  });

  it('gives the caller to a resolver, and what it loaded to the handler', async () => {
    const { body } = await send('/orgs/org_a/users/7', as(SESSION));
    expect(body).toEqual({ id: '7', seenBy: 'org_a' });
  });

  it('accepts a key where a key is demanded', async () => {
    const { key } = scenario.emulator.createKey({ scopes: ['read:reports'] });
    expect((await scenario.get('/orgs/org_a/keys', key)).status).toBe(200);
  });

  it('asks the sources in their order, until one does not decline', async () => {
    await send('/any', as(SESSION));
    expect(asked).toEqual(['throwing', 'session']);
  });

  it('refuses with MISSING_KEY if every source declines', async () => {
    const answer = await send('/any');
    expect([answer.status, answer.body.code]).toEqual([401, 'MISSING_KEY']);
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="api"');
    expect(asked).toEqual(['throwing', 'session', 'scoped']);
  });

  it('gives a request-scoped source the request', async () => {
    const { body } = await send('/any', { headers: { 'x-scoped-user': 'u7' } });
    expect(body.principal).toMatchObject({ kind: 'scoped', id: 'u7' });
  });

  it('asks no source about a request with a key, good or bad', async () => {
    const { key } = scenario.emulator.createKey({});
    expect((await scenario.get('/any', key, as(SESSION))).status).toBe(200);
    const bad = await scenario.get('/any', 'k_live_unknown_to_kinde_0', as(SESSION));
    expect([bad.status, (bad.body as Body).code]).toEqual([401, 'INVALID_KEY']);
    expect(asked).toEqual([]);
  });

  it('asks no source about a malformed credential, or on a public route', async () => {
    const malformed = await send('/any', { headers: { ...as(SESSION).headers, authorization: 'Bearer a b' } });
    expect([malformed.status, malformed.body.code]).toEqual([400, 'MALFORMED_REQUEST']);
    expect((await send('/any/open', as(SESSION))).body).toEqual({ principal: null });
    expect(asked).toEqual([]);
  });

  it('asks the sources about a request with a JWT, and says that it wanted a key if all decline', async () => {
    const authorization = 'Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2ln';
    const known = await send('/any', { headers: { ...as(SESSION).headers, authorization } });
    expect(known.status).toBe(200);
    const declined = await send('/any', { headers: { authorization } });
    expect([declined.status, declined.body.code]).toEqual([401, 'WRONG_CREDENTIAL_TYPE']);
  });

  it.each([
    ['forbidden', 403, { message: 'suspended' }],
    ['error', 500, { message: 'Internal server error' }],
    ['expired', 401, { code: 'TOKEN_EXPIRED' }],
    ['invalid', 401, { code: 'INVALID_TOKEN' }],
    ['down', 503, { code: 'VERIFICATION_UNAVAILABLE' }],
  ])('answers what a source throws: %s', async (what, status, body) => {
    const answer = await send('/any', { headers: { ...as(SESSION).headers, 'x-throw': what } });
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject(body);
    if (status === 401) expect(answer.headers['www-authenticate']).toBe('Bearer realm="api", error="invalid_token"');
    if (status === 503) expect(answer.headers['retry-after']).toBe('7');
    expect(asked).toEqual(['throwing']);
  });

  it('counts no refused token as a failed attempt', async () => {
    for (let count = 0; count < 5; count += 1) await send('/any', { headers: { 'x-throw': 'invalid' } });
    const answer = await send('/any', { headers: { 'x-throw': 'invalid' } });
    expect(answer.body.code).toBe('INVALID_TOKEN');
  });

  it.each([
    ['a text of scopes, in which a part could be found', { ...SESSION, scopes: 'read:reports write:reports' }],
    ['scopes that are not all texts', { ...SESSION, scopes: ['read:reports', 7] }],
    ['no scopes', { kind: 'session', orgCode: 'org_a', userId: 'u1' }],
    ['no kind', { ...SESSION, kind: '' }],
    ['the kind of a key', { ...SESSION, kind: 'api_key' }],
    ['an empty organization', { ...SESSION, orgCode: '' }],
    ['a list of organizations', { ...SESSION, orgCode: ['org_a'] }],
    ['a user that is a number', { ...SESSION, userId: 7 }],
    ['an id that is a number', { ...SESSION, id: 7 }],
    ['an id of 513 characters', { ...SESSION, id: 'x'.repeat(513) }],
    ['a text', 'u1'],
    ['true', true],
  ])('answers 500 to a principal with %s', async (_what, principal) => {
    const answer = await send('/orgs/org_a/reports', as(principal));
    expect(answer.status).toBe(500);
  });

  it('takes nothing from a polluted prototype', async () => {
    Object.assign(Object.prototype, { orgCode: 'org_a', userId: 'u1' });
    try {
      const { orgCode: _orgCode, userId: _userId, ...rest } = SESSION;
      const answers = [await send('/any/org', as(rest)), await send('/any/user', as(rest))];
      expect(answers.map(({ body }) => body.code)).toEqual(['ORG_REQUIRED', 'USER_REQUIRED']);
    } finally {
      for (const name of ['orgCode', 'userId']) Reflect.deleteProperty(Object.prototype, name);
    }
  });

  it('limits each caller by its kind and id', async () => {
    const get = async (principal: unknown) => (await send('/orgs/org_a/limited', as(principal))).status;
    const u9 = { ...SESSION, userId: 'u9' };
    expect([await get(u9), await get(u9), await get(u9)]).toEqual([200, 200, 429]);
    expect(await get({ ...u9, kind: 'cookie' })).toBe(200);
    expect(await get({ ...u9, userId: 'u10' })).toBe(200);
    expect(await get({ ...u9, id: 'another' })).toBe(200);
  });

  it('reports decisions about other callers with their kind and id', async () => {
    await send('/orgs/org_b/reports', as({ ...SESSION, email: 'a@example.com' }));
    await send('/any', as(SESSION));
    const known = {
      keyId: null,
      orgCode: 'org_a',
      userId: 'u1',
      cached: null,
      source: null,
      principal: { kind: 'session', id: 'u1' },
    };
    expect(decisions).toMatchObject([
      { ...known, outcome: 'refused', code: 'ORG_MISMATCH', route: 'OrgController.reports' },
      { ...known, outcome: 'accepted', code: null, route: 'AnyController.whoAmI' },
    ]);
  });

  it('reports decisions about keys with the kind api_key and the key id', async () => {
    const { key, keyId } = scenario.emulator.createKey({ orgCode: 'org_a' });
    await scenario.get('/any', key);
    expect(decisions).toMatchObject([
      {
        outcome: 'accepted',
        code: null,
        route: 'AnyController.whoAmI',
        keyId,
        orgCode: 'org_a',
        userId: null,
        cached: false,
        principal: { kind: 'api_key', id: keyId },
      },
    ]);
  });
});

describe('the option principals', () => {
  class Unprovided extends SessionSource {}

  @Module({ providers: [SessionSource] })
  class FirstModule {}

  @Module({ providers: [SessionSource] })
  class SecondModule {}

  @Controller()
  class NoController {}

  const start = (adapter: Adapter, options: KindeApiKeyOptions, imports: (typeof FirstModule)[] = []) =>
    startScenario({ adapter, controllers: [NoController], options, imports });

  it('stops the boot for a class that no module provides', async () => {
    await expect(start('express', { principals: [Unprovided] })).rejects.toThrow(
      'principals names Unprovided, which no module provides: add it to the providers of a module',
    );
  });

  it('stops the boot for a class that several modules provide', async () => {
    await expect(start('express', { principals: [SessionSource] }, [FirstModule, SecondModule])).rejects.toThrow(
      'principals names SessionSource, which several modules provide (FirstModule, SecondModule): provide it in one',
    );
  });
});
