import type { ExecutionContext } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { ApiKeyDecision } from '../api-key/decision.js';
import { KindeApiKeyMisconfiguredError, KindeApiKeyUnavailableError } from '../kinde-api-key.errors.js';
import type { RefusalReason, Verdict } from '../api-key/verdict.js';
import { resolveOptions } from '../config/resolved-options.js';
import { InProcessRateLimitStore } from '../rate-limit/in-process-rate-limit-store.js';
import { RateLimiter } from '../rate-limit/rate-limiter.js';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import type { RawKey } from '../api-key/raw-key.js';
import { ApiKeyVerificationService } from '../verification/api-key-verification.service.js';
import { OrgScoped, PublicRoute, RequireScopes, UserScoped } from '../rules/access.decorators.js';
import { API_KEY_GUARD, ApiKeyGuard } from './api-key.guard.js';
import { ApiKeyRefusedException } from '../responses/api-key-refused.exception.js';
import { CredentialReader } from './credential-reader.js';
import { DecisionReporter } from './decision-reporter.js';
import { FailedAttempts } from './failed-attempts.js';
import { getVerifiedApiKey, latestPassage } from './visit.js';
import { RefusalFactory } from '../responses/refusal-factory.js';
import type { Registration } from './registration.js';
import { ResolverBinding } from '../rules/resolver-binding.js';
import { RouteRuleRegistry } from '../rules/route-rule-registry.js';

const RAW_KEY = 'k_live_1234567890abcdef';
const KEY: VerifiedApiKey = Object.freeze({
  keyId: 'api_key_1',
  scopes: Object.freeze(['read:users']),
  orgCode: 'org_a',
  userId: null,
  ownerType: 'organization',
  lastVerifiedOn: null,
  verificationCount: 1,
});
const ACCEPTED: Verdict = { accepted: true, apiKey: KEY };

const later = new Error('the user cannot be loaded');

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
  @OrgScoped({ resolve: async () => 'org_b' })
  foreign(): void {}
  @OrgScoped({ resolve: () => Promise.reject(later) })
  broken(): void {}
  @PublicRoute()
  @UserScoped()
  contradictory(): void {}
}

/** A guard with everything real behind it, but for Kinde. */
function guardWith(answer: (rawKey: string) => Promise<Verdict> = async () => ACCEPTED, maxFailures?: number) {
  const { guard, cache } = resolveOptions({ domain: 'acme', clientId: 'id', clientSecret: 'secret' }, {});
  const asked: string[] = [];
  const decisions: ApiKeyDecision[] = [];
  const log = { error: jest.fn<void, [string]>() };
  const clock = { now: () => 1_000_000 };
  const verify = async (key: RawKey) => {
    const rawKey = key.reveal();
    asked.push(rawKey);
    return { verdict: await answer(rawKey), sentAtMs: clock.now() };
  };
  const registration: Registration = {
    kinde: 'test',
    id: Symbol('registration'),
    rules: new RouteRuleRegistry(
      { orgParam: guard.orgParam, publicControllers: new Set() },
      new ResolverBinding(new ModulesContainer()),
    ),
    credentials: new CredentialReader(guard.credentials, guard.keyPrefixes),
    verification: new ApiKeyVerificationService({ verify }, cache, clock),
    refusals: new RefusalFactory(guard),
    failedAttempts:
      maxFailures === undefined ? null : new FailedAttempts({ limit: maxFailures, windowMs: 60_000 }, clock),
    rateLimiter: new RateLimiter(new InProcessRateLimitStore(clock), log),
    decisions: new DecisionReporter((decision) => decisions.push(decision), log),
    log,
  };
  return { guard: new ApiKeyGuard(registration), registration, asked, decisions, log };
}

interface RequestOptions {
  readonly key?: string;
  readonly params?: Record<string, string>;
  readonly type?: string;
}

function requestTo(name: keyof Users, { key = RAW_KEY, params = {}, type = 'http' }: RequestOptions = {}) {
  const request = { ip: '192.0.2.1', rawHeaders: key ? ['Authorization', `Bearer ${key}`] : [], headers: {}, params };
  const headers: Record<string, string> = {};
  const response = { header: (header: string, value: string) => void (headers[header] = value) };
  const context = {
    getClass: () => Users,
    getHandler: () => Users.prototype[name],
    getType: () => type,
    switchToHttp: () => ({ getRequest: () => request, getResponse: () => response }),
  } as unknown as ExecutionContext;
  return { context, request, headers };
}

async function outcomeOf(run: () => boolean | Promise<boolean>): Promise<unknown> {
  try {
    return await run();
  } catch (error) {
    return error instanceof ApiKeyRefusedException ? error.code : error;
  }
}

describe('a key that is remembered', () => {
  it('lets the request through with true, and not with a promise', async () => {
    const { guard, asked } = guardWith();
    const first = guard.canActivate(requestTo('read').context);
    expect(first).toBeInstanceOf(Promise);
    expect(await first).toBe(true);
    for (const name of ['plain', 'read'] as const) expect(guard.canActivate(requestTo(name).context)).toBe(true);
    expect(guard.canActivate(requestTo('ofOrg', { params: { orgCode: 'org_a' } }).context)).toBe(true);
    expect(asked).toEqual([RAW_KEY]);
  });

  it('is refused at once, too', async () => {
    const { guard } = guardWith();
    await guard.canActivate(requestTo('read').context);
    expect(() => guard.canActivate(requestTo('write').context)).toThrow(ApiKeyRefusedException);
  });
});

describe('a public route', () => {
  it('asks for nothing, looks at nothing and reports nothing', () => {
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

describe('an accepted request', () => {
  it('carries the verified key and what was loaded', async () => {
    const { guard } = guardWith();
    const { context, request } = requestTo('loaded');
    expect(await guard.canActivate(context)).toBe(true);
    expect(getVerifiedApiKey(request)).toEqual(KEY);
    expect(latestPassage(request)).toMatchObject({ resource: 'user 7' });
  });

  it('matches every organization that its rules name, and keeps the resource that one of them loaded', async () => {
    const { guard } = guardWith();
    const { context, request } = requestTo('several', { params: { orgCode: 'org_a' } });
    expect(await guard.canActivate(context)).toBe(true);
    expect(latestPassage(request)).toMatchObject({ resource: 'first' });
    expect(await outcomeOf(() => guard.canActivate(requestTo('several', { params: {} }).context))).toBe('ORG_MISMATCH');
  });

  it('is counted and reported once, however many instances of the guard it meets', async () => {
    const { guard, registration, decisions, asked } = guardWith();
    const { context } = requestTo('read');
    expect(await guard.canActivate(context)).toBe(true);
    expect(new ApiKeyGuard(registration).canActivate(context)).toBe(true);
    expect(decisions).toHaveLength(1);
    expect(asked).toHaveLength(1);
  });

  it('of one handler is not one of another', async () => {
    const { guard } = guardWith();
    const read = requestTo('read');
    const write = requestTo('write');
    await guard.canActivate(read.context);
    const disguised = { ...write.context, switchToHttp: () => read.context.switchToHttp() };
    expect(await outcomeOf(() => guard.canActivate(disguised))).toBe('INSUFFICIENT_SCOPE');
  });

  it('is reported with ids and without the key', async () => {
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
    expect(decisions).toEqual([
      { ...decision, cached: false },
      { ...decision, cached: true },
    ]);
    expect(JSON.stringify(decisions)).not.toContain(RAW_KEY);
  });
});

describe('a refused request', () => {
  it.each<[RefusalReason, string]>([
    ['unknown', 'INVALID_KEY'],
    ['other_api', 'INVALID_KEY'],
    ['revoked', 'KEY_REVOKED'],
    ['inactive', 'KEY_INACTIVE'],
  ])('with a key that Kinde calls %s is %s', async (reason, code) => {
    const { guard, decisions } = guardWith(async () => ({ accepted: false, reason }));
    const { context, request, headers } = requestTo('read');
    expect(await outcomeOf(() => guard.canActivate(context))).toBe(code);
    expect(headers).toEqual({
      'Cache-Control': 'no-store',
      'WWW-Authenticate': 'Bearer realm="api", error="invalid_token"',
    });
    expect(getVerifiedApiKey(request)).toBeUndefined();
    expect(decisions).toEqual([
      { outcome: 'refused', code, route: 'Users.read', keyId: null, orgCode: null, userId: null, cached: false },
    ]);
  });

  it.each<[keyof Users, RequestOptions, string]>([
    ['read', { key: '' }, 'MISSING_KEY'],
    ['read', { key: 'short' }, 'MALFORMED_REQUEST'],
    ['read', { key: `${RAW_KEY} and more` }, 'MALFORMED_REQUEST'],
    ['write', {}, 'INSUFFICIENT_SCOPE'],
    ['mine', {}, 'USER_REQUIRED'],
    ['ofOrg', { params: { orgCode: 'org_b' } }, 'ORG_MISMATCH'],
    ['ofOrg', {}, 'ORG_MISMATCH'],
    ['foreign', {}, 'ORG_MISMATCH'],
  ])('to %s with %j is %s, reported once', async (name, options, code) => {
    const { guard, decisions } = guardWith();
    const { context, request, headers } = requestTo(name, options);
    expect(await outcomeOf(() => guard.canActivate(context))).toBe(code);
    expect(headers['Cache-Control']).toBe('no-store');
    expect(getVerifiedApiKey(request)).toBeUndefined();
    expect(decisions).toMatchObject([{ outcome: 'refused', code, route: `Users.${name}` }]);
  });

  it('by a key without an organization is ORG_REQUIRED, and the resolver is not asked', async () => {
    const { guard } = guardWith(async () => ({ accepted: true, apiKey: { ...KEY, orgCode: null } }));
    expect(await outcomeOf(() => guard.canActivate(requestTo('broken').context))).toBe('ORG_REQUIRED');
  });

  it('of a bad key is remembered, and reported as such', async () => {
    const { guard, asked, decisions } = guardWith(async () => ({ accepted: false, reason: 'unknown' }));
    for (let times = 0; times < 3; times += 1) {
      expect(await outcomeOf(() => guard.canActivate(requestTo('read').context))).toBe('INVALID_KEY');
    }
    expect(asked).toHaveLength(1);
    expect(decisions.map(({ cached }) => cached)).toEqual([false, true, true]);
  });

  it('never asks Kinde about what cannot be a key', async () => {
    const { guard, asked } = guardWith();
    for (const key of ['', 'short', 'k'.repeat(513), `${RAW_KEY}"`, `${RAW_KEY} ${RAW_KEY}`, 'eyJh.eyJz.c2ln']) {
      await outcomeOf(() => guard.canActivate(requestTo('read', { key }).context));
    }
    expect(asked).toEqual([]);
  });
});

describe('a network that keeps sending bad keys', () => {
  const bad = (index: number) => `k_live_bad_key_number_${index}`;
  const answer = async (rawKey: string): Promise<Verdict> =>
    rawKey === RAW_KEY ? ACCEPTED : { accepted: false, reason: 'unknown' };

  async function heldUp() {
    const held = guardWith(answer, 2);
    expect(await outcomeOf(() => held.guard.canActivate(requestTo('read').context))).toBe(true);
    for (const index of [1, 2]) {
      const { context } = requestTo('read', { key: bad(index) });
      expect(await outcomeOf(() => held.guard.canActivate(context))).toBe('INVALID_KEY');
    }
    return held;
  }

  it('is held up, and Kinde is not asked any more', async () => {
    const { guard, asked, decisions } = await heldUp();
    const { context, headers } = requestTo('read', { key: bad(3) });
    expect(await outcomeOf(() => guard.canActivate(context))).toBe('TOO_MANY_FAILED_ATTEMPTS');
    expect(headers).toEqual({ 'Cache-Control': 'no-store', 'Retry-After': '30' });
    expect(asked).not.toContain(bad(3));
    expect(decisions.at(-1)).toMatchObject({ outcome: 'refused', code: 'TOO_MANY_FAILED_ATTEMPTS', keyId: null });
  });

  it('is held up with keys that are known to be bad and with malformed ones, but is told that a key is missing', async () => {
    const { guard } = await heldUp();
    for (const [key, code] of [
      [bad(1), 'TOO_MANY_FAILED_ATTEMPTS'],
      ['short', 'TOO_MANY_FAILED_ATTEMPTS'],
      ['', 'MISSING_KEY'],
    ] as const) {
      expect(await outcomeOf(() => guard.canActivate(requestTo('read', { key }).context))).toBe(code);
    }
  });

  it('goes on with a key that was accepted before', async () => {
    const { guard, registration } = await heldUp();
    expect(guard.canActivate(requestTo('read').context)).toBe(true);
    expect(await outcomeOf(() => guard.canActivate(requestTo('write').context))).toBe('INSUFFICIENT_SCOPE');
    expect(registration.failedAttempts?.waitSeconds({ ip: '192.0.2.1' })).toBe(30);
  });
});

describe('a resolver that is waited for', () => {
  it('does not make the guard forget that the request visits another registration meanwhile', async () => {
    const [ours, theirs] = [guardWith(), guardWith()];
    for (const { guard } of [ours, theirs]) await guard.canActivate(requestTo('plain').context);
    const { context, request } = requestTo('loaded');
    const passes = [ours, theirs].map(({ guard }) => guard.canActivate(context));
    expect(passes).toEqual([expect.any(Promise), expect.any(Promise)]);
    await Promise.all(passes.map((pass) => Promise.resolve(pass)));
    // Who remembers that the request passed answers at once, without asking the resolver again.
    expect([ours, theirs].map(({ guard }) => guard.canActivate(context))).toEqual([true, true]);
    expect(getVerifiedApiKey(request)).toEqual(KEY);
  });
});

describe('a resolver that throws', () => {
  it('is heard by the app’s own filters, and accepts nobody', async () => {
    const { guard, decisions } = guardWith();
    const { context, request } = requestTo('broken');
    expect(await outcomeOf(() => guard.canActivate(context))).toBe(later);
    expect(getVerifiedApiKey(request)).toBeUndefined();
    expect(decisions).toEqual([]);
  });
});

describe('when Kinde cannot be asked', () => {
  it.each([
    [new KindeApiKeyUnavailableError('down', { retryAfterSeconds: 7 }), 'VERIFICATION_UNAVAILABLE'],
    [new KindeApiKeyMisconfiguredError('bad credentials', { retryAfterSeconds: 7 }), 'VERIFICATION_MISCONFIGURED'],
  ])('a request is answered 503 with Retry-After and without a challenge: %p', async (error, code) => {
    const { guard, decisions } = guardWith(() => Promise.reject(error));
    const { context, headers } = requestTo('read');
    const refused: unknown = await Promise.resolve(guard.canActivate(context)).catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({ code, status: 503 });
    expect(JSON.stringify(refused)).not.toContain(error.message);
    expect(headers).toEqual({ 'Cache-Control': 'no-store', 'Retry-After': '7' });
    expect(decisions).toMatchObject([{ code, keyId: null, cached: null }]);
  });

  it('what is no fault of Kinde’s is not taken for one', async () => {
    const bug = new TypeError('a bug');
    const { guard } = guardWith(() => Promise.reject(bug));
    expect(await outcomeOf(() => guard.canActivate(requestTo('read').context))).toBe(bug);
  });
});

describe('what the guard does not know', () => {
  const contradictory = requestTo('contradictory').context.getHandler();

  it.each(['ws', 'rpc', 'graphql', '', 'HTTP'])('is refused: a context of the type "%s"', (type) => {
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
  ])('is refused and logged: %s', (_case, fields) => {
    const { guard, log } = guardWith();
    const { context, headers } = requestTo('read');
    expect(() => guard.canActivate({ ...context, ...fields })).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_CONTEXT', status: 500 }),
    );
    expect(headers).toEqual({ 'Cache-Control': 'no-store' });
    expect(log.error).toHaveBeenCalledWith(expect.stringMatching(/^Users\.\w+ was refused: its handler is not known/));
  });
});

describe('the guard’s class', () => {
  it('is marked, and so are its subclasses, in every copy of the library', () => {
    class Own extends ApiKeyGuard {}
    expect(API_KEY_GUARD).toBe(Symbol.for('nestjs-kinde-api-key:guard'));
    expect(API_KEY_GUARD in ApiKeyGuard && API_KEY_GUARD in Own).toBe(true);
  });
});
