import { KindeApiKeyMisconfiguredError, KindeApiKeyUnavailableError } from '../kinde-api-key.errors.js';
import type { RefusalReason, Verdict } from '../api-key/verdict.js';
import {
  buildGuard,
  outcomeOf,
  RAW_KEY,
  requestTo as requestOn,
  type RequestParts,
} from '../../../../test/support/guard.js';
import { verifiedKey } from '../../../../test/support/verified-key.js';
import { ApiKeyRefusedException } from '../responses/api-key-refused.exception.js';
import { OrgScoped, PublicRoute, RequireScopes, UserScoped } from '../rules/access.decorators.js';
import { API_KEY_GUARD, ApiKeyGuard } from './api-key.guard.js';
import { acceptedState, getVerifiedApiKey } from './request-state.js';

const KEY = verifiedKey();
const ACCEPTED: Verdict = { accepted: true, apiKey: KEY };

const later = new Error('the user cannot be loaded');

/** A query builder: awaiting it would run it. */
// oxlint-disable-next-line unicorn/no-thenable -- that it is one is what is tested
const query = { then: jest.fn() };

class Users {
  plain(): void {}
  @PublicRoute()
  open(): void {}
  @RequireScopes('read:users')
  read(): void {}
  @RequireScopes('write:users', 'read:users')
  write(): void {}
  @UserScoped()
  mine(): void {}
  @OrgScoped()
  ofOrg(): void {}
  @OrgScoped({ resolve: async () => ({ orgCode: 'org_a', resource: 'user 7' }) })
  loaded(): void {}
  @OrgScoped({ resolve: () => ({ orgCode: 'org_a', resource: 'first' }) })
  @OrgScoped()
  @OrgScoped({ resolve: async () => 'org_a' })
  several(): void {}
  @OrgScoped({ resolve: () => ({ orgCode: 'org_a', resource: query }) })
  queried(): void {}
  @OrgScoped({ resolve: async () => 'org_b' })
  foreign(): void {}
  @OrgScoped({ resolve: () => Promise.reject(later) })
  broken(): void {}
  @PublicRoute()
  @UserScoped()
  contradictory(): void {}
}

function guardWith(answer: (rawKey: string) => Promise<Verdict> = async () => ACCEPTED, maxFailures?: number) {
  return buildGuard({
    answer,
    options: maxFailures === undefined ? {} : { failedAttempts: { limit: maxFailures, windowMs: 60_000 } },
  });
}

function requestTo(name: keyof Users, parts: RequestParts = {}) {
  return requestOn(Users, name, parts);
}

describe('ApiKeyGuard, with a cached key', () => {
  it('returns true synchronously', async () => {
    const { guard, asked } = guardWith();
    const first = guard.canActivate(requestTo('read').context);
    expect(first).toBeInstanceOf(Promise);
    expect(await first).toBe(true);
    for (const name of ['plain', 'read'] as const) expect(guard.canActivate(requestTo(name).context)).toBe(true);
    expect(guard.canActivate(requestTo('ofOrg', { params: { orgCode: 'org_a' } }).context)).toBe(true);
    expect(asked).toEqual([RAW_KEY]);
  });

  it('refuses synchronously', async () => {
    const { guard } = guardWith();
    await guard.canActivate(requestTo('read').context);
    expect(() => guard.canActivate(requestTo('write').context)).toThrow(ApiKeyRefusedException);
  });
});

describe('ApiKeyGuard, on a public route', () => {
  it('accepts every request without reading a key, asking Kinde or reporting a decision', () => {
    const { guard, asked, decisions } = guardWith();
    for (const key of ['', RAW_KEY, 'short']) {
      const { context, request } = requestTo('open', { key });
      expect(guard.canActivate(context)).toBe(true);
      expect(getVerifiedApiKey(request)).toBeUndefined();
    }
    expect(asked).toEqual([]);
    expect(decisions).toEqual([]);
  });
});

describe('ApiKeyGuard, with a good key', () => {
  it('keeps the verified key and the loaded resource on the request', async () => {
    const { guard } = guardWith();
    const { context, request } = requestTo('loaded');
    expect(await guard.canActivate(context)).toBe(true);
    expect(getVerifiedApiKey(request)).toEqual(KEY);
    expect(acceptedState(request)).toMatchObject({ resource: 'user 7' });
  });

  it('does not await a resource that is a thenable', async () => {
    const { guard } = guardWith();
    await guard.canActivate(requestTo('plain').context);
    const { context, request } = requestTo('queried');
    expect(guard.canActivate(context)).toBe(true);
    expect(acceptedState(request)?.resource === query).toBe(true);
    expect(query.then).not.toHaveBeenCalled();
  });

  it('compares every organization that the rule names, and keeps the resource that a resolver loaded', async () => {
    const { guard } = guardWith();
    const { context, request } = requestTo('several', { params: { orgCode: 'org_a' } });
    expect(await guard.canActivate(context)).toBe(true);
    expect(acceptedState(request)).toMatchObject({ resource: 'first' });
    expect(await outcomeOf(() => guard.canActivate(requestTo('several', { params: {} }).context))).toBe('ORG_MISMATCH');
  });

  it('verifies and reports a request once when two guard instances run', async () => {
    const { guard, registration, decisions, asked } = guardWith();
    const { context } = requestTo('read');
    expect(await guard.canActivate(context)).toBe(true);
    expect(new ApiKeyGuard(registration).canActivate(context)).toBe(true);
    expect(decisions).toHaveLength(1);
    expect(asked).toHaveLength(1);
  });

  it('checks the same request again for another handler', async () => {
    const { guard } = guardWith();
    const read = requestTo('read');
    const write = requestTo('write');
    await guard.canActivate(read.context);
    const disguised = { ...write.context, switchToHttp: () => read.context.switchToHttp() };
    expect(await outcomeOf(() => guard.canActivate(disguised))).toBe('INSUFFICIENT_SCOPE');
  });

  it('reports the ids of the key and not the raw key', async () => {
    const { guard, decisions } = guardWith();
    await guard.canActivate(requestTo('read').context);
    await guard.canActivate(requestTo('read').context);
    const decision = {
      outcome: 'accepted',
      code: null,
      route: 'Users.read',
      keyId: 'api_key_1',
      orgCode: 'org_a',
      userId: null,
    };
    expect(decisions).toMatchObject([
      { ...decision, cached: false },
      { ...decision, cached: true },
    ]);
    expect(JSON.stringify(decisions)).not.toContain(RAW_KEY);
  });
});

describe('ApiKeyGuard, refusing a request', () => {
  it.each<[RefusalReason, string]>([
    ['unknown', 'INVALID_KEY'],
    ['other_api', 'INVALID_KEY'],
    ['revoked', 'KEY_REVOKED'],
    ['inactive', 'KEY_INACTIVE'],
  ])('answers a key that Kinde calls %s with %s', async (reason, code) => {
    const { guard, decisions } = guardWith(async () => ({ accepted: false, reason }));
    const { context, request, headers } = requestTo('read');
    expect(await outcomeOf(() => guard.canActivate(context))).toBe(code);
    expect(headers).toEqual({
      'Cache-Control': 'no-store',
      'WWW-Authenticate': 'Bearer realm="api", error="invalid_token"',
    });
    expect(getVerifiedApiKey(request)).toBeUndefined();
    expect(decisions).toMatchObject([
      { outcome: 'refused', code, route: 'Users.read', keyId: null, orgCode: null, userId: null, cached: false },
    ]);
  });

  it.each<[keyof Users, RequestParts, string]>([
    ['read', { key: '' }, 'MISSING_KEY'],
    ['read', { key: 'short' }, 'MALFORMED_REQUEST'],
    ['read', { key: `${RAW_KEY} and more` }, 'MALFORMED_REQUEST'],
    ['write', {}, 'INSUFFICIENT_SCOPE'],
    ['mine', {}, 'USER_REQUIRED'],
    ['ofOrg', { params: { orgCode: 'org_b' } }, 'ORG_MISMATCH'],
    ['ofOrg', {}, 'ORG_MISMATCH'],
    ['foreign', {}, 'ORG_MISMATCH'],
  ])('refuses a request to %s with %j as %s, and reports it once', async (name, options, code) => {
    const { guard, decisions } = guardWith();
    const { context, request, headers } = requestTo(name, options);
    expect(await outcomeOf(() => guard.canActivate(context))).toBe(code);
    expect(headers['Cache-Control']).toBe('no-store');
    expect(getVerifiedApiKey(request)).toBeUndefined();
    expect(decisions).toMatchObject([{ outcome: 'refused', code, route: `Users.${name}` }]);
  });

  it('answers ORG_REQUIRED to a key without an organization, without calling the resolver', async () => {
    const { guard } = guardWith(async () => ({ accepted: true, apiKey: { ...KEY, orgCode: null } }));
    expect(await outcomeOf(() => guard.canActivate(requestTo('broken').context))).toBe('ORG_REQUIRED');
  });

  it('refuses a bad key from the cache, and reports that it was cached', async () => {
    const { guard, asked, decisions } = guardWith(async () => ({ accepted: false, reason: 'unknown' }));
    for (let times = 0; times < 3; times += 1) {
      expect(await outcomeOf(() => guard.canActivate(requestTo('read').context))).toBe('INVALID_KEY');
    }
    expect(asked).toHaveLength(1);
    expect(decisions.map(({ cached }) => cached)).toEqual([false, true, true]);
  });

  it('does not ask Kinde about a malformed key', async () => {
    const { guard, asked } = guardWith();
    for (const key of ['', 'short', 'k'.repeat(513), `${RAW_KEY}"`, `${RAW_KEY} ${RAW_KEY}`, 'eyJh.eyJz.c2ln']) {
      await outcomeOf(() => guard.canActivate(requestTo('read', { key }).context));
    }
    expect(asked).toEqual([]);
  });
});

describe('ApiKeyGuard, for a network over its failedAttempts limit', () => {
  const bad = (index: number) => `k_live_bad_key_number_${index}`;
  const answer = async (rawKey: string): Promise<Verdict> =>
    rawKey === RAW_KEY ? ACCEPTED : { accepted: false, reason: 'unknown' };

  async function overLimit() {
    const parts = guardWith(answer, 2);
    expect(await outcomeOf(() => parts.guard.canActivate(requestTo('read').context))).toBe(true);
    for (const index of [1, 2]) {
      const { context } = requestTo('read', { key: bad(index) });
      expect(await outcomeOf(() => parts.guard.canActivate(context))).toBe('INVALID_KEY');
    }
    return parts;
  }

  it('answers TOO_MANY_FAILED_ATTEMPTS without asking Kinde', async () => {
    const { guard, asked, decisions } = await overLimit();
    const { context, headers } = requestTo('read', { key: bad(3) });
    expect(await outcomeOf(() => guard.canActivate(context))).toBe('TOO_MANY_FAILED_ATTEMPTS');
    expect(headers).toEqual({ 'Cache-Control': 'no-store', 'Retry-After': '60' });
    expect(asked).not.toContain(bad(3));
    expect(decisions.at(-1)).toMatchObject({ outcome: 'refused', code: 'TOO_MANY_FAILED_ATTEMPTS', keyId: null });
  });

  it('answers TOO_MANY_FAILED_ATTEMPTS to cached bad keys and malformed keys, and MISSING_KEY to a request without a key', async () => {
    const { guard } = await overLimit();
    for (const [key, code] of [
      [bad(1), 'TOO_MANY_FAILED_ATTEMPTS'],
      ['short', 'TOO_MANY_FAILED_ATTEMPTS'],
      ['', 'MISSING_KEY'],
    ] as const) {
      expect(await outcomeOf(() => guard.canActivate(requestTo('read', { key }).context))).toBe(code);
    }
  });

  it('accepts a previously accepted key', async () => {
    const { guard, registration } = await overLimit();
    expect(guard.canActivate(requestTo('read').context)).toBe(true);
    expect(await outcomeOf(() => guard.canActivate(requestTo('write').context))).toBe('INSUFFICIENT_SCOPE');
    expect(registration.failedAttempts?.waitSeconds({ ip: '192.0.2.1' })).toBe(60);
  });
});

describe('ApiKeyGuard, for a network over its failedAttempts limit, after the ttl', () => {
  it('asks Kinde about a previously accepted key, and about no other', async () => {
    let nowMs = 1_000_000;
    const { guard, asked } = buildGuard({
      answer: async (rawKey) => (rawKey === RAW_KEY ? ACCEPTED : { accepted: false, reason: 'unknown' }),
      options: { failedAttempts: { limit: 1, windowMs: 600_000 } },
      clock: { now: () => nowMs },
    });
    const bad = requestTo('read', { key: 'k_live_unknown_key_1' }).context;
    await guard.canActivate(requestTo('read').context);
    expect(await outcomeOf(() => guard.canActivate(bad))).toBe('INVALID_KEY');
    nowMs += 61_000;
    expect(await outcomeOf(() => guard.canActivate(requestTo('read').context))).toBe(true);
    expect(await outcomeOf(() => guard.canActivate(bad))).toBe('TOO_MANY_FAILED_ATTEMPTS');
    expect(asked).toEqual([RAW_KEY, 'k_live_unknown_key_1', RAW_KEY]);
  });
});

describe('ApiKeyGuard, while a resolver is awaited', () => {
  it('keeps the states of two registrations apart on one request', async () => {
    const [ours, theirs] = [guardWith(), guardWith()];
    for (const { guard } of [ours, theirs]) await guard.canActivate(requestTo('plain').context);
    const { context, request } = requestTo('loaded');
    const passes = [ours, theirs].map(({ guard }) => guard.canActivate(context));
    expect(passes).toEqual([expect.any(Promise), expect.any(Promise)]);
    await Promise.all(passes.map((pass) => Promise.resolve(pass)));
    // A guard that accepted the request before returns synchronously, without calling the resolver again.
    expect([ours, theirs].map(({ guard }) => guard.canActivate(context))).toEqual([true, true]);
    expect(getVerifiedApiKey(request)).toEqual(KEY);
  });
});

describe('ApiKeyGuard, when a resolver throws', () => {
  it('passes the error on, and does not accept the request', async () => {
    const { guard, decisions } = guardWith();
    const { context, request } = requestTo('broken');
    expect(await outcomeOf(() => guard.canActivate(context))).toBe(later);
    expect(getVerifiedApiKey(request)).toBeUndefined();
    expect(decisions).toEqual([]);
  });
});

describe('ApiKeyGuard, when a verification fails', () => {
  it.each([
    [new KindeApiKeyUnavailableError('down', { retryAfterSeconds: 7 }), 'VERIFICATION_UNAVAILABLE'],
    [new KindeApiKeyMisconfiguredError('bad credentials', { retryAfterSeconds: 7 }), 'VERIFICATION_MISCONFIGURED'],
  ])('answers 503 with Retry-After and without a challenge: %p', async (error, code) => {
    const { guard, decisions } = guardWith(() => Promise.reject(error));
    const { context, headers } = requestTo('read');
    const refused: unknown = await Promise.resolve(guard.canActivate(context)).catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({ code, status: 503 });
    expect(JSON.stringify(refused)).not.toContain(error.message);
    expect(headers).toEqual({ 'Cache-Control': 'no-store', 'Retry-After': '7' });
    expect(decisions).toMatchObject([{ code, keyId: null, cached: null }]);
  });

  it('passes an unexpected error on as it is', async () => {
    const bug = new TypeError('a bug');
    const { guard } = guardWith(() => Promise.reject(bug));
    expect(await outcomeOf(() => guard.canActivate(requestTo('read').context))).toBe(bug);
  });
});

describe('ApiKeyGuard, in an unknown context', () => {
  const contradictory = requestTo('contradictory').context.getHandler();

  it.each(['ws', 'rpc', 'graphql', '', 'HTTP'])('refuses a context of type "%s"', (type) => {
    const { guard, log, decisions, asked } = guardWith();
    const { context, headers } = requestTo('read', { type });
    expect(() => guard.canActivate(context)).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_CONTEXT', status: 500 }),
    );
    expect(log.error.mock.calls).toEqual([[`Users.read was refused: "${type}" is not HTTP`]]);
    expect(headers).toEqual({});
    expect(decisions).toMatchObject([{ code: 'UNSUPPORTED_CONTEXT', route: null }]);
    expect(asked).toEqual([]);
  });

  it.each<[string, object]>([
    ['a handler that is nowhere on its class', { getHandler: () => function elsewhere() {} }],
    ['a handler of another class', { getClass: () => class Users {} }],
    ['a handler whose rules contradict each other', { getHandler: () => contradictory }],
  ])('refuses and logs %s', (_case, fields) => {
    const { guard, log } = guardWith();
    const { context, headers } = requestTo('read');
    expect(() => guard.canActivate({ ...context, ...fields })).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_CONTEXT', status: 500 }),
    );
    expect(headers).toEqual({ 'Cache-Control': 'no-store' });
    expect(log.error).toHaveBeenCalledWith(expect.stringMatching(/^Users\.\w+ was refused: its handler is not known/));
  });

  it('logs a handler once per minute, however many calls are refused', () => {
    let nowMs = 1_000_000;
    const { guard, log, decisions } = buildGuard({ clock: { now: () => nowMs } });
    const callTimes = (times: number, method: 'read' | 'contradictory'): void => {
      const { context } = requestTo(method, { type: 'ws', key: '' });
      for (let call = 0; call < times; call += 1)
        expect(() => guard.canActivate(context)).toThrow(ApiKeyRefusedException);
    };
    callTimes(1_000, 'read');
    expect(log.error).toHaveBeenCalledTimes(1);
    callTimes(1_000, 'contradictory');
    expect(log.error).toHaveBeenCalledTimes(2);
    nowMs += 59_999;
    callTimes(1, 'read');
    expect(log.error).toHaveBeenCalledTimes(2);
    nowMs += 1;
    callTimes(1_000, 'read');
    expect(log.error).toHaveBeenCalledTimes(3);
    expect(decisions).toHaveLength(3_001);
  });
});

describe('The class ApiKeyGuard', () => {
  it('is marked, with its subclasses, by a symbol that all copies of the library share', () => {
    class Own extends ApiKeyGuard {}
    expect(API_KEY_GUARD).toBe(Symbol.for('nestjs-kinde-api-key:guard'));
    expect(API_KEY_GUARD in ApiKeyGuard && API_KEY_GUARD in Own).toBe(true);
  });
});
