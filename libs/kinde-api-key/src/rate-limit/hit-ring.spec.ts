import fc from 'fast-check';
import { HitRing } from './hit-ring.js';

const WINDOW_MS = 1_000;

/** Adds as the store does: to a ring that fits. */
function added(ring: HitRing, atMs: number, limit = 10_000): HitRing {
  const fitted = ring.fitted(limit);
  fitted.add(atMs);
  return fitted;
}

function filled(count: number, limit?: number): HitRing {
  let ring = new HitRing(WINDOW_MS);
  for (let atMs = 0; atMs < count; atMs += 1) ring = added(ring, atMs, limit);
  return ring;
}

function timesIn(ring: HitRing): number[] {
  return Array.from({ length: ring.count }, (_none, index) => ring.at(index));
}

describe('a ring', () => {
  it('holds what a list would hold, whatever comes and goes', () => {
    const step = fc.record({ gapMs: fc.integer({ min: 0, max: 400 }), burst: fc.integer({ min: 1, max: 40 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let ring = new HitRing(WINDOW_MS);
        let list: number[] = [];
        let nowMs = 0;
        for (const { gapMs, burst } of steps) {
          nowMs += gapMs;
          ring.forgetExpired(nowMs);
          list = list.filter((atMs) => atMs > nowMs - WINDOW_MS);
          for (let hit = 0; hit < burst; hit += 1) {
            ring = added(ring, nowMs);
            list.push(nowMs);
          }
          expect(timesIn(ring)).toEqual(list);
          expect(ring.capacity).toBeLessThanOrEqual(Math.max(8, 4 * ring.count));
        }
      }),
    );
  });

  it('has no more room than the limit allows, once that is more than a few', () => {
    expect(filled(100, 100).capacity).toBe(100);
    expect(filled(65, 10_000).capacity).toBe(128);
  });

  it('gives room back when it holds little for its size', () => {
    const ring = filled(1_000);
    expect(ring.capacity).toBe(1_024);
    ring.forgetExpired(WINDOW_MS + 990);
    expect(ring.fitted(10_000).capacity).toBeLessThanOrEqual(32);
    expect(timesIn(ring.fitted(10_000))).toEqual([991, 992, 993, 994, 995, 996, 997, 998, 999]);
  });

  it('counts a request for a whole window, and not a millisecond longer', () => {
    const ring = filled(1);
    ring.forgetExpired(WINDOW_MS - 1);
    expect([ring.count, ring.isExpired(WINDOW_MS - 1)]).toEqual([1, false]);
    expect(ring.isExpired(WINDOW_MS)).toBe(true);
    ring.forgetExpired(WINDOW_MS);
    expect(ring.count).toBe(0);
  });
});
