import type { ExecutionContext } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { ApiKeyDecision } from '../api-key/decision.js';
import type { Verdict } from '../api-key/verdict.js';
import type { RateLimitStore } from '../rate-limit/rate-limit-store.js';
import { RateLimiter } from '../rate-limit/rate-limiter.js';
import { SlidingWindow } from '../rate-limit/sliding-window.js';
import { resolveOptions } from '../config/resolved-options.js';
import type { ResolvedRateLimitOptions } from '../config/resolved-rate-limit.js';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import { ApiKeyVerificationService } from '../verification/api-key-verification.service.js';
import { PublicRoute, RequireScopes } from '../rules/access.decorators.js';
import { ApiKeyGuard } from './api-key.guard.js';
import { ApiKeyRefusedException } from '../responses/api-key-refused.exception.js';
import { CredentialReader } from './credential-reader.js';
import { DecisionReporter } from './decision-reporter.js';
import { RateLimit, SkipRateLimit } from '../rules/rate-limit.decorators.js';
import { RefusalFactory } from '../responses/refusal-factory.js';
import type { Registration } from './registration.js';
import { ResolverBinding } from '../rules/resolver-binding.js';
import { RouteRuleRegistry } from '../rules/route-rule-registry.js';

const RAW_KEY = 'k_live_1234567890abcdef';
const BAD_KEY = 'k_live_fedcba0987654321';
const KEY = Object.freeze({ keyId: 'api_key_1', scopes: ['read'], orgCode: null, userId: null }) as object;

class Users {
  find(): void {}
  @RequireScopes('write')
  write(): void {}
  @RateLimit({ limit: 1, windowMs: 1_000 })
  once(): void {}
  @SkipRateLimit()
  skipped(): void {}
  @PublicRoute()
  open(): void {}
}

/** A guard with a limit of 2. Everything behind it is real except Kinde, which accepts one key. */
async function guardWith(
  fields: Partial<ResolvedRateLimitOptions> = {},
  wrap = (store: RateLimitStore): RateLimitStore => store,
) {
  const { guard, cache } = resolveOptions({ domain: 'acme', clientId: 'id', clientSecret: 'secret' }, {});
  const clock = { now: () => 1_000_000 };
  const verifyKey = async (rawKey: string) => {
    const verdict: Verdict =
      rawKey === RAW_KEY
        ? { accepted: true, apiKey: KEY as VerifiedApiKey }
        : { accepted: false, reason: 'unknown' as const };
    return { verdict, sentAtMs: clock.now() };
  };
  const decisions: ApiKeyDecision[] = [];
  const taken: string[] = [];
  const store = wrap(new SlidingWindow(clock));
  const recording: RateLimitStore = {
    take: (...args) => {
      taken.push(`${args[0]} ${args[1]}`);
      return store.take(...args);
    },
  };
  const log = { error: jest.fn<void, [string]>() };
  const verification = new ApiKeyVerificationService({ verifyKey }, cache, clock);
  const registration: Registration = {
    id: Symbol('registration'),
    kinde: 'https://acme.kinde.com',
    rules: new RouteRuleRegistry(
      {
        orgParam: guard.orgParam,
        publicControllers: new Set(),
        rateLimit: { limit: 2, windowMs: 60_000, headers: 'refusals', ...fields },
      },
      new ResolverBinding(new ModulesContainer()),
    ),
    credentials: new CredentialReader(guard.credentials, guard.keyPrefixes),
    verification,
    refusals: new RefusalFactory(guard),
    failedAttempts: null,
    rateLimiter: new RateLimiter(recording, log),
    decisions: new DecisionReporter((decision) => decisions.push(decision), log),
    log,
  };
  await verification.verify(RAW_KEY);
  return {
    guard: new ApiKeyGuard(registration),
    second: new ApiKeyGuard(registration),
    taken,
    decisions,
    log,
    verification,
  };
}

function requestTo(name: keyof Users, key = RAW_KEY) {
  const request = { rawHeaders: ['Authorization', `Bearer ${key}`], headers: {}, params: {} };
  const headers: Record<string, string> = {};
  const response = { header: (header: string, value: string) => void (headers[header] = value) };
  const context = {
    getClass: () => Users,
    getHandler: () => Users.prototype[name],
    getType: () => 'http',
    switchToHttp: () => ({ getRequest: () => request, getResponse: () => response }),
  } as unknown as ExecutionContext;
  return { context, headers };
}

async function outcomeOf(run: () => boolean | Promise<boolean>): Promise<unknown> {
  try {
    return await run();
  } catch (error) {
    return error instanceof ApiKeyRefusedException ? error.code : error;
  }
}

describe('ApiKeyGuard with a rate limit and a cached key', () => {
  it('counts the request and returns true, not a promise, without headers', async () => {
    const { guard, taken } = await guardWith();
    const { context, headers } = requestTo('find');
    expect(guard.canActivate(context)).toBe(true);
    expect(taken).toEqual(['* api_key_1']);
    expect(headers).toEqual({});
  });

  it('refuses beyond the limit with RATE_LIMITED, Retry-After and RateLimit headers, and reports the refusal', async () => {
    const { guard, decisions } = await guardWith();
    for (let count = 0; count < 2; count += 1) void guard.canActivate(requestTo('find').context);
    const { context, headers } = requestTo('find');
    expect(() => guard.canActivate(context)).toThrow(
      expect.objectContaining({
        code: 'RATE_LIMITED',
        status: 429,
        message: 'Rate limit exceeded. Please try again later.',
      }),
    );
    expect(headers).toEqual({
      'Cache-Control': 'no-store',
      'Retry-After': '60',
      RateLimit: '"default";r=0;t=60',
      'RateLimit-Policy': '"default";q=2;w=60',
    });
    expect(decisions.at(-1)).toMatchObject({
      outcome: 'refused',
      code: 'RATE_LIMITED',
      keyId: 'api_key_1',
      cached: true,
    });
  });

  it("sends RateLimit headers with 200 when headers is 'always'", async () => {
    const { guard } = await guardWith({ headers: 'always' });
    const { context, headers } = requestTo('find');
    expect(guard.canActivate(context)).toBe(true);
    expect(headers).toEqual({ RateLimit: '"default";r=1;t=60', 'RateLimit-Policy': '"default";q=2;w=60' });
  });
});

describe('ApiKeyGuard with a rate limit', () => {
  it('counts requests that are then refused for their scopes, but not bad keys, public routes and skipped limits', async () => {
    const { guard, taken } = await guardWith();
    for (const [name, key, outcome] of [
      ['skipped', RAW_KEY, true],
      ['open', RAW_KEY, true],
      ['find', BAD_KEY, 'INVALID_KEY'],
      ['find', 'short', 'MALFORMED_REQUEST'],
      ['write', RAW_KEY, 'INSUFFICIENT_SCOPE'],
      ['write', RAW_KEY, 'INSUFFICIENT_SCOPE'],
      ['write', RAW_KEY, 'RATE_LIMITED'],
      ['find', RAW_KEY, 'RATE_LIMITED'],
      ['once', RAW_KEY, true],
      ['once', RAW_KEY, 'RATE_LIMITED'],
      ['skipped', RAW_KEY, true],
    ] as const) {
      expect([name, await outcomeOf(() => guard.canActivate(requestTo(name, key).context))]).toEqual([name, outcome]);
    }
    expect(taken).toEqual([...Array<string>(4).fill('* api_key_1'), ...Array<string>(2).fill('Users.once api_key_1')]);
  });

  it('counts a request once when two guards of a registration see it', async () => {
    const { guard, second, taken } = await guardWith();
    const { context } = requestTo('find');
    expect([guard.canActivate(context), second.canActivate(context)]).toEqual([true, true]);
    expect(taken).toHaveLength(1);
  });

  it('counts a request once when the first refusal was caught, and refuses it again', async () => {
    const { guard, second, taken } = await guardWith({ limit: 1 });
    const forbidden = requestTo('write').context;
    for (const each of [guard, second])
      expect(await outcomeOf(() => each.canActivate(forbidden))).toBe('INSUFFICIENT_SCOPE');
    expect(taken).toHaveLength(1);
    const limited = requestTo('find').context;
    for (const each of [guard, second]) expect(await outcomeOf(() => each.canActivate(limited))).toBe('RATE_LIMITED');
    expect(taken).toHaveLength(2);
  });
});

describe('ApiKeyGuard with a rate limit and a key that has to be verified', () => {
  it('counts the request once when two guards see it at the same time', async () => {
    const { guard, second, taken, verification } = await guardWith();
    await verification.invalidateAll();
    const { context } = requestTo('find');
    const asked = [guard.canActivate(context), second.canActivate(context)];
    expect(asked).toEqual([expect.any(Promise), expect.any(Promise)]);
    expect(await Promise.all(asked.map((each) => Promise.resolve(each)))).toEqual([true, true]);
    expect(taken).toHaveLength(1);
  });
});

describe('ApiKeyGuard with a store that answers later', () => {
  const later = (store: RateLimitStore): RateLimitStore => ({ take: async (...args) => store.take(...args) });

  it('returns a promise, and decides as the store does', async () => {
    const { guard } = await guardWith({}, later);
    const first = guard.canActivate(requestTo('find').context);
    expect(first).toBeInstanceOf(Promise);
    expect(await first).toBe(true);
    expect(await outcomeOf(() => guard.canActivate(requestTo('write').context))).toBe('INSUFFICIENT_SCOPE');
    expect(await outcomeOf(() => guard.canActivate(requestTo('find').context))).toBe('RATE_LIMITED');
  });

  it('calls the store once when two guards see a request at the same time', async () => {
    const { guard, second, taken } = await guardWith({}, later);
    const { context } = requestTo('find');
    expect(await Promise.all([guard.canActivate(context), second.canActivate(context)])).toEqual([true, true]);
    expect(taken).toHaveLength(1);
  });

  it.each<[string, () => never | Promise<never>]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ])('does not accept a request when the store %s', async (_how, take) => {
    const { guard } = await guardWith({}, () => ({ take }));
    expect(await outcomeOf(() => guard.canActivate(requestTo('find').context))).toEqual(new Error('broken'));
  });
});

describe('ApiKeyGuard with a limit function that fails', () => {
  it('answers 429 with a Retry-After of 5 seconds', async () => {
    const { guard, log } = await guardWith({ limit: () => NaN });
    const { context, headers } = requestTo('find');
    expect(() => guard.canActivate(context)).toThrow(expect.objectContaining({ code: 'RATE_LIMITED' }));
    expect(headers).toMatchObject({
      'Retry-After': '5',
      RateLimit: '"default";r=0;t=5',
      'RateLimit-Policy': '"default";q=0;w=60',
    });
    expect(log.error).toHaveBeenCalledTimes(1);
  });
});
