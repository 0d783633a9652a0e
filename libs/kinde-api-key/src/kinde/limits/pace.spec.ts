import fc from 'fast-check';
import { TokenBucket } from './pace.js';

/** Takes every token that there is, at each of these times. */
function takeGreedily(perSecond: number, gapsMs: readonly number[]): number[] {
  let nowMs = 0;
  const bucket = new TokenBucket(perSecond, () => nowMs);
  const takenAtMs: number[] = [];
  for (const gapMs of [0, ...gapsMs]) {
    nowMs += gapMs;
    while (bucket.take()) takenAtMs.push(nowMs);
  }
  return takenAtMs;
}

describe('TokenBucket', () => {
  it.each([1, 2, 3, 5, 10, 200, 1_000])(
    'allows at most %d calls in any second, the first one included',
    (perSecond) => {
      const gaps = fc.array(fc.oneof(fc.integer({ min: 0, max: 50 }), fc.double({ min: 0, max: 2_000, noNaN: true })), {
        maxLength: 200,
      });
      fc.assert(
        fc.property(gaps, (gapsMs) => {
          const takenAtMs = takeGreedily(perSecond, gapsMs);
          // The call after the perSecond-th one of a second comes at least that second later, give or take a rounding error.
          const tooSoon = takenAtMs.filter(
            (atMs, index) => atMs - (takenAtMs[index - perSecond] ?? -Infinity) < 1_000 - 1e-6,
          );
          expect(tooSoon).toEqual([]);
        }),
        { numRuns: 100 },
      );
    },
  );

  it('allows a burst of a fifth of the limit, and four fifths of the rate after it', () => {
    const everyMs = Array.from({ length: 10_000 }, () => 1);
    const takenAtMs = takeGreedily(200, everyMs);
    expect(takenAtMs.filter((atMs) => atMs === 0)).toHaveLength(40);
    expect(takenAtMs.length).toBeGreaterThanOrEqual(40 + 1_600);
  });

  it('returns the time after which a token is there', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), fc.nat(5_000), (perSecond, idleMs) => {
        let nowMs = 0;
        const bucket = new TokenBucket(perSecond, () => nowMs);
        nowMs += idleMs;
        while (bucket.take());
        const waitMs = bucket.waitMs();
        expect(waitMs).toBeGreaterThan(0);
        expect(waitMs).toBeLessThanOrEqual(1_000);
        nowMs += waitMs + 1e-6;
        expect(bucket.waitMs()).toBe(0);
        expect(bucket.take()).toBe(true);
      }),
    );
  });
});
