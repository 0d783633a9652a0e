import fc from 'fast-check';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import { isLimit } from '../config/rate-limit-options.js';
import type { RateLimitRule } from './rate-limit-rule.js';
import type { RateDecision, RateLimitStore } from './rate-limit-store.js';
import { RateLimiter } from './rate-limiter.js';
import { SlidingWindow } from './sliding-window.js';

const keyWith = (keyId: string) => ({ keyId, orgCode: 'org_a' }) as VerifiedApiKey;
const KEY = keyWith('api_key_1');

function ruleWith(fields: Partial<RateLimitRule> = {}): RateLimitRule {
  return {
    scope: '*',
    policy: 'default',
    limit: 2,
    windowMs: 60_000,
    sendsHeadersOnSuccess: false,
    ...fields,
  };
}

function limiterWith(store: RateLimitStore = new SlidingWindow({ now: () => 0 })) {
  const log = { error: jest.fn<void, [string]>() };
  return { limiter: new RateLimiter(store, log), log };
}

/** Records the arguments of every call. */
function recordingStore() {
  const asked: unknown[][] = [];
  const decision: RateDecision = { accepted: true, limit: 1, remaining: 0, resetAfterMs: 1 };
  return { asked, store: { take: (...args: unknown[]) => (asked.push(args), decision) } };
}

describe('RateLimiter', () => {
  it('counts by the scope of the limit and the id of the key alone', () => {
    const { asked, store } = recordingStore();
    const { limiter } = limiterWith(store);
    void limiter.take(ruleWith(), KEY, KEY.keyId);
    void limiter.take(
      ruleWith({ scope: 'Reports.export', limit: 5, windowMs: 1_000 }),
      keyWith('api_key_2'),
      'api_key_2',
    );
    expect(asked).toEqual([
      ['*', 'api_key_1', 2, 60_000],
      ['Reports.export', 'api_key_2', 5, 1_000],
    ]);
  });

  it('calls the limit function for every request, so that the limit may change', () => {
    const { limiter } = limiterWith();
    const limits = [1, 3, 1, 3];
    const limit = jest.fn((_key: VerifiedApiKey) => limits.shift() ?? 0);
    const taken = [...limits].map(() => limiter.take(ruleWith({ limit }), KEY, KEY.keyId));
    expect(taken).toMatchObject([
      { accepted: true, limit: 1, remaining: 0 },
      { accepted: true, limit: 3, remaining: 1 },
      { accepted: false, limit: 1 },
      { accepted: true, limit: 3, remaining: 0 },
    ]);
    expect(limit).toHaveBeenCalledWith(KEY);
  });

  it('returns a promise only where the store does', async () => {
    const { store } = recordingStore();
    expect(limiterWith(store).limiter.take(ruleWith(), KEY, KEY.keyId)).not.toBeInstanceOf(Promise);
    const later = { take: async () => store.take() };
    await expect(limiterWith(later).limiter.take(ruleWith(), KEY, KEY.keyId)).resolves.toMatchObject({
      accepted: true,
    });
  });
});

describe('RateLimiter, when the limit is unknown,', () => {
  const REFUSED = { accepted: false, limit: 0, remaining: 0, resetAfterMs: 5_000 };

  it.each([0, -1, 1.5, 10_001, NaN, Infinity, '100', null, undefined, {}, true, 100n, async () => 100])(
    'refuses, counts nothing and logs: %p',
    (wrong) => {
      const { asked, store } = recordingStore();
      const { limiter, log } = limiterWith(store);
      expect(limiter.take(ruleWith({ limit: () => wrong as number }), KEY, KEY.keyId)).toEqual(REFUSED);
      expect(asked).toEqual([]);
      expect(log.error).toHaveBeenCalledWith(
        expect.stringMatching(/^rateLimit\.limit returned .+, for the caller api_key_1; it must return a whole number/),
      );
    },
  );

  it.each([
    [new Error('no such plan'), 'rateLimit.limit threw: no such plan, for'],
    ['a text', 'rateLimit.limit threw a value of type string, for'],
  ])('refuses when the function throws %p', (thrown, message) => {
    const { limiter, log } = limiterWith();
    const limit = () => {
      throw thrown;
    };
    expect(limiter.take(ruleWith({ limit }), KEY, KEY.keyId)).toEqual(REFUSED);
    expect(log.error).toHaveBeenCalledWith(expect.stringContaining(message));
  });

  it('logs once, and does not ask the client to wait longer than the window', () => {
    const { limiter, log } = limiterWith();
    const rule = ruleWith({ limit: () => 0, windowMs: 1_000 });
    for (let count = 0; count < 5; count += 1)
      expect(limiter.take(rule, KEY, KEY.keyId)).toMatchObject({ resetAfterMs: 1_000 });
    expect(log.error).toHaveBeenCalledTimes(1);
  });

  it('handles a rejected promise, which would end the process', async () => {
    const unhandled = jest.fn();
    process.on('unhandledRejection', unhandled);
    const { limiter } = limiterWith();
    const limit = (() => Promise.reject(new Error('late'))) as unknown as () => number;
    expect(limiter.take(ruleWith({ limit }), KEY, KEY.keyId)).toEqual(REFUSED);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it('accepts again with a full budget once the function works', () => {
    const { limiter } = limiterWith();
    let isBroken = true;
    const rule = ruleWith({ limit: () => (isBroken ? 0 : 2) });
    for (let count = 0; count < 5; count += 1) void limiter.take(rule, KEY, KEY.keyId);
    isBroken = false;
    expect(limiter.take(rule, KEY, KEY.keyId)).toMatchObject({ accepted: true, remaining: 1 });
  });
});

describe('isLimit', () => {
  it('accepts whole numbers from 1 to 10,000', () => {
    expect([1, 10_000, 0, 10_001].map((value) => isLimit(value))).toEqual([true, true, false, false]);
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const isWhole = typeof value === 'number' && Number.isInteger(value);
        expect(isLimit(value)).toBe(isWhole && value >= 1 && value <= 10_000);
      }),
    );
  });
});
