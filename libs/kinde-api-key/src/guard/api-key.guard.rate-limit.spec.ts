import type { ExecutionContext } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { ApiKeyDecision } from '../api-key/decision.js';
import type { Verdict } from '../api-key/verdict.js';
import { InProcessRateLimitStore } from '../rate-limit/in-process-rate-limit-store.js';
import type { RateLimitStore } from '../rate-limit/rate-limit-store.js';
import { RateLimiter } from '../rate-limit/rate-limiter.js';
import { resolveOptions } from '../config/resolved-options.js';
import type { ResolvedRateLimitOptions } from '../config/resolved-options.js';
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

/** A guard with a limit of 2, with everything real behind it but for Kinde, which knows one key. */
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
  const hints: (number | undefined)[] = [];
  const store = wrap(new InProcessRateLimitStore(clock));
  const noted: RateLimitStore = {
    take: (...args) => {
      taken.push(`${args[0]} ${args[1]}`);
      hints.push(args[4]);
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
    rateLimiter: new RateLimiter(noted, log),
    decisions: new DecisionReporter((decision) => decisions.push(decision), log),
    log,
  };
  await verification.verify(RAW_KEY);
  return {
    guard: new ApiKeyGuard(registration),
    second: new ApiKeyGuard(registration),
    taken,
    hints,
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

describe('a request with a key that is remembered', () => {
  it('is counted, and let through with true and not with a promise, without a header', async () => {
    const { guard, taken } = await guardWith();
    const { context, headers } = requestTo('find');
    expect(guard.canActivate(context)).toBe(true);
    expect(taken).toEqual(['* api_key_1']);
    expect(headers).toEqual({});
  });

  it('tells the store where the key is remembered, by which the bucket is found sooner', async () => {
    const { guard, hints } = await guardWith();
    await guard.canActivate(requestTo('find').context);
    await guard.canActivate(requestTo('find').context);
    expect(hints).toEqual([1, 1]);
  });

  it('is refused at once beyond the limit, reported with its code, and told when to come back', async () => {
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

  it('is told about its budget on success where the option says so', async () => {
    const { guard } = await guardWith({ headers: 'always' });
    const { context, headers } = requestTo('find');
    expect(guard.canActivate(context)).toBe(true);
    expect(headers).toEqual({ RateLimit: '"default";r=1;t=60', 'RateLimit-Policy': '"default";q=2;w=60' });
  });
});

describe('what is counted', () => {
  it('is a request that is then refused for its scopes, but none with a bad key, on a public route, or where limits are skipped', async () => {
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

  it('is one request and not two where two guards of a registration stand before it', async () => {
    const { guard, second, taken } = await guardWith();
    const { context } = requestTo('find');
    expect([guard.canActivate(context), second.canActivate(context)]).toEqual([true, true]);
    expect(taken).toHaveLength(1);
  });

  it('is one request where a guard of the app’s own caught the first refusal, which stands', async () => {
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

describe('a request with a key that Kinde is asked about', () => {
  it('is counted once, even where two guards look at it at the same time', async () => {
    const { guard, second, taken, verification } = await guardWith();
    await verification.invalidateAll();
    const { context } = requestTo('find');
    const asked = [guard.canActivate(context), second.canActivate(context)];
    expect(asked).toEqual([expect.any(Promise), expect.any(Promise)]);
    expect(await Promise.all(asked.map((each) => Promise.resolve(each)))).toEqual([true, true]);
    expect(taken).toHaveLength(1);
  });
});

describe('a store that has to wait', () => {
  const later = (store: RateLimitStore): RateLimitStore => ({ take: async (...args) => store.take(...args) });

  it('is waited for, and decides all the same', async () => {
    const { guard } = await guardWith({}, later);
    const first = guard.canActivate(requestTo('find').context);
    expect(first).toBeInstanceOf(Promise);
    expect(await first).toBe(true);
    expect(await outcomeOf(() => guard.canActivate(requestTo('write').context))).toBe('INSUFFICIENT_SCOPE');
    expect(await outcomeOf(() => guard.canActivate(requestTo('find').context))).toBe('RATE_LIMITED');
  });

  it('is asked once, even where two guards look at one request at the same time', async () => {
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
  ])('and that %s accepts nobody', async (_how, take) => {
    const { guard } = await guardWith({}, () => ({ take }));
    expect(await outcomeOf(() => guard.canActivate(requestTo('find').context))).toEqual(new Error('broken'));
  });
});

describe('a limit that is not known', () => {
  it('is answered 429, with a Retry-After that does not keep anybody away for long', async () => {
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
