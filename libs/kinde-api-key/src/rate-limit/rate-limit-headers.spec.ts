import fc from 'fast-check';
import { rateLimitField, rateLimitPolicyField, retryAfterSeconds } from './rate-limit-headers.js';
import type { RateLimitRule } from './rate-limit-rule.js';

const RULE: RateLimitRule = {
  scope: 'default',
  policy: 'default',
  limit: 100,
  windowMs: 60_000,
  sendsHeadersOnSuccess: true,
};
const REFUSED = { accepted: false, limit: 100, remaining: 0, resetAfterMs: 17_000 };

// RFC 9651 §4.2.5 and §4.2.3.3: a string, and parameters that are integers of at most 15 digits.
const FIELD = /^"[\x20\x21\x23-\x5B\x5D-\x7E]*"(;[a-z]=\d{1,15})+$/;

describe('the header fields of draft-ietf-httpapi-ratelimit-headers-11', () => {
  it('name the policy, its quota and its window', () => {
    expect(rateLimitPolicyField(RULE, REFUSED)).toBe('"default";q=100;w=60');
    expect(rateLimitPolicyField({ ...RULE, policy: 'Reports.export' }, { ...REFUSED, limit: 7 })).toBe(
      '"Reports.export";q=7;w=60',
    );
  });

  it('name the remaining requests and the seconds until that changes', () => {
    expect(rateLimitField(RULE, REFUSED)).toBe('"default";r=0;t=17');
    expect(rateLimitField(RULE, { ...REFUSED, accepted: true, remaining: 42 })).toBe('"default";r=42;t=17');
  });

  it('round a window up to whole seconds', () => {
    expect(rateLimitPolicyField({ ...RULE, windowMs: 1_001 }, REFUSED)).toBe('"default";q=100;w=2');
  });

  it.each([
    [-0.001, 1],
    [0, 1],
    [0.001, 1],
    [1, 1],
    [1_000, 1],
    [1_000.1, 2],
    [59_999, 60],
    [86_400_000, 86_400],
  ])('round %d ms up to %d s, for t and Retry-After alike', (resetAfterMs, seconds) => {
    expect(retryAfterSeconds({ ...REFUSED, resetAfterMs })).toBe(seconds);
    expect(rateLimitField(RULE, { ...REFUSED, resetAfterMs })).toBe(`"default";r=0;t=${seconds}`);
  });

  it('are structured fields for any numbers', () => {
    const decision = fc.record({
      accepted: fc.boolean(),
      limit: fc.integer({ min: 0, max: 10_000 }),
      remaining: fc.integer({ min: 0, max: 10_000 }),
      resetAfterMs: fc.double({ min: 0.001, max: 86_400_000, noNaN: true }),
    });
    fc.assert(
      fc.property(decision, fc.integer({ min: 1_000, max: 86_400_000 }), (given, windowMs) => {
        expect(rateLimitField({ ...RULE, windowMs }, given)).toMatch(FIELD);
        expect(rateLimitPolicyField({ ...RULE, windowMs }, given)).toMatch(FIELD);
      }),
    );
  });
});
