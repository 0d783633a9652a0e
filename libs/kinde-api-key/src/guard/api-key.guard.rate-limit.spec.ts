import type { KindeApiKeyRateLimitOptions } from '../kinde-api-key.options.js';
import { buildGuard, outcomeOf, RAW_KEY, requestTo as requestOn } from '../../../../test/support/guard.js';
import { verifiedKey } from '../../../../test/support/verified-key.js';
import type { RateLimitStore } from '../rate-limit/rate-limit-store.js';
import { PublicRoute, RequireScopes } from '../rules/access.decorators.js';
import { RateLimit, SkipRateLimit } from '../rules/rate-limit.decorators.js';
import { ApiKeyGuard } from './api-key.guard.js';

const BAD_KEY = 'k_live_fedcba0987654321';

class Users {
  find(): void {}
  @RequireScopes('write:users')
  write(): void {}
  @RateLimit({ limit: 1, windowMs: 1_000 })
  once(): void {}
  @SkipRateLimit()
  skipped(): void {}
  @PublicRoute()
  open(): void {}
}

/** A guard with a limit of 2 and its good key in the cache. */
async function guardWith(
  fields: KindeApiKeyRateLimitOptions = {},
  wrapStore = (store: RateLimitStore): RateLimitStore => store,
) {
  const parts = buildGuard({
    answer: async (rawKey) =>
      rawKey === RAW_KEY ? { accepted: true, apiKey: verifiedKey() } : { accepted: false, reason: 'unknown' },
    options: { rateLimit: { limit: 2, ...fields } },
    wrapStore,
  });
  await parts.verification.verify(RAW_KEY);
  return { ...parts, second: new ApiKeyGuard(parts.registration) };
}

function requestTo(name: keyof Users, key = RAW_KEY) {
  return requestOn(Users, name, { key });
}

describe('ApiKeyGuard, with a rate limit and a cached key', () => {
  it('counts the request and returns true synchronously, without a header', async () => {
    const { guard, counted } = await guardWith();
    const { context, headers } = requestTo('find');
    expect(guard.canActivate(context)).toBe(true);
    expect(counted).toEqual(['default api_key_1']);
    expect(headers).toEqual({});
  });

  it('answers 429 with Retry-After and RateLimit headers beyond the limit, and reports it', async () => {
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

  it('sends RateLimit headers on success when headers is ‘always’', async () => {
    const { guard } = await guardWith({ headers: 'always' });
    const { context, headers } = requestTo('find');
    expect(guard.canActivate(context)).toBe(true);
    expect(headers).toEqual({ RateLimit: '"default";r=1;t=60', 'RateLimit-Policy': '"default";q=2;w=60' });
  });
});

describe('ApiKeyGuard, counting requests', () => {
  it('counts a request that lacks a scope; not one with a bad key, on a public route or with @SkipRateLimit()', async () => {
    const { guard, counted } = await guardWith();
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
    expect(counted).toEqual([
      ...Array<string>(4).fill('default api_key_1'),
      ...Array<string>(2).fill('once api_key_1'),
    ]);
  });

  it('counts a request once behind two guards of a registration', async () => {
    const { guard, second, counted } = await guardWith();
    const { context } = requestTo('find');
    expect([guard.canActivate(context), second.canActivate(context)]).toEqual([true, true]);
    expect(counted).toHaveLength(1);
  });

  it('counts a request once when the first refusal was caught, and refuses it again', async () => {
    const { guard, second, counted } = await guardWith({ limit: 1 });
    const forbidden = requestTo('write').context;
    for (const each of [guard, second])
      expect(await outcomeOf(() => each.canActivate(forbidden))).toBe('INSUFFICIENT_SCOPE');
    expect(counted).toHaveLength(1);
    const limited = requestTo('find').context;
    for (const each of [guard, second]) expect(await outcomeOf(() => each.canActivate(limited))).toBe('RATE_LIMITED');
    expect(counted).toHaveLength(2);
  });
});

describe('ApiKeyGuard, with a rate limit and a key that is not cached', () => {
  it('counts a request once when two guards run at the same time', async () => {
    const { guard, second, counted, verification } = await guardWith();
    await verification.invalidateAll();
    const { context } = requestTo('find');
    const asked = [guard.canActivate(context), second.canActivate(context)];
    expect(asked).toEqual([expect.any(Promise), expect.any(Promise)]);
    expect(await Promise.all(asked.map((each) => Promise.resolve(each)))).toEqual([true, true]);
    expect(counted).toHaveLength(1);
  });
});

describe('ApiKeyGuard, with a rate limit store that answers later', () => {
  const later = (store: RateLimitStore): RateLimitStore => ({ take: async (...args) => store.take(...args) });

  it('awaits the store’s decision', async () => {
    const { guard } = await guardWith({}, later);
    const first = guard.canActivate(requestTo('find').context);
    expect(first).toBeInstanceOf(Promise);
    expect(await first).toBe(true);
    expect(await outcomeOf(() => guard.canActivate(requestTo('write').context))).toBe('INSUFFICIENT_SCOPE');
    expect(await outcomeOf(() => guard.canActivate(requestTo('find').context))).toBe('RATE_LIMITED');
  });

  it('asks the store once when two guards run at the same time', async () => {
    const { guard, second, counted } = await guardWith({}, later);
    const { context } = requestTo('find');
    expect(await Promise.all([guard.canActivate(context), second.canActivate(context)])).toEqual([true, true]);
    expect(counted).toHaveLength(1);
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

describe('ApiKeyGuard, with a limit function that returns NaN', () => {
  it('answers 429 with a Retry-After of 5 s', async () => {
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
