import fc from 'fast-check';
import { HitRing } from './hit-ring.js';

const WINDOW_MS = 1_000;
const LIMIT = 10_000;

function filled(count: number, limit = LIMIT): HitRing {
  const ring = new HitRing();
  for (let atMs = 0; atMs < count; atMs += 1) ring.take(atMs, limit, WINDOW_MS);
  return ring;
}

describe('a ring', () => {
  it('counts what a list would hold, whatever comes and goes, and takes no more room than four times that', () => {
    const step = fc.record({ gapMs: fc.integer({ min: 0, max: 400 }), burst: fc.integer({ min: 1, max: 40 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const ring = new HitRing();
        let list: number[] = [];
        let nowMs = 0;
        for (const { gapMs, burst } of steps) {
          nowMs += gapMs;
          list = list.filter((atMs) => atMs > nowMs - WINDOW_MS);
          for (let hit = 0; hit < burst; hit += 1) {
            list.push(nowMs);
            const resetAfterMs = (list[0] as number) + WINDOW_MS - nowMs;
            const remaining = LIMIT - list.length;
            expect(ring.take(nowMs, LIMIT, WINDOW_MS)).toEqual({
              accepted: true,
              limit: LIMIT,
              remaining,
              resetAfterMs,
            });
          }
          expect(ring.capacity).toBeLessThanOrEqual(Math.max(8, 4 * list.length));
          // A limit of as many as it holds asks for the oldest, and one for each of the others.
          const leaves = list.map((_atMs, index) => ring.take(nowMs, list.length - index, WINDOW_MS).resetAfterMs);
          expect(leaves).toEqual(list.map((atMs) => atMs + WINDOW_MS - nowMs));
        }
      }),
    );
  });

  it('has no more room than the limit allows, once that is more than a few', () => {
    expect(filled(100, 100).capacity).toBe(100);
    expect(filled(3, 3).capacity).toBe(8);
    expect(filled(65).capacity).toBe(128);
  });

  it('gives room back when it holds little for its size', () => {
    const ring = filled(1_000);
    expect(ring.capacity).toBe(1_024);
    ring.take(WINDOW_MS + 990, LIMIT, WINDOW_MS);
    expect(ring.capacity).toBe(18);
    expect(ring.take(WINDOW_MS + 990, LIMIT, WINDOW_MS)).toMatchObject({ remaining: LIMIT - 11, resetAfterMs: 1 });
  });

  it('keeps the order of its times when it changes its size in the middle of a round', () => {
    const ring = filled(8);
    ring.take(WINDOW_MS + 3, LIMIT, WINDOW_MS);
    for (let hit = 0; hit < 4; hit += 1) ring.take(WINDOW_MS + 4 + hit / 10, LIMIT, WINDOW_MS);
    expect(ring.capacity).toBe(8);
    for (let hit = 0; hit < 5; hit += 1) ring.take(WINDOW_MS + 4.5, LIMIT, WINDOW_MS);
    expect(ring.capacity).toBe(16);
    expect(ring.take(WINDOW_MS + 4.5, LIMIT, WINDOW_MS)).toMatchObject({ remaining: LIMIT - 14, resetAfterMs: 0.5 });
  });

  it('counts a request for a whole window, and not a millisecond longer', () => {
    expect(filled(1).take(WINDOW_MS - 1, 1, WINDOW_MS)).toMatchObject({ accepted: false, resetAfterMs: 1 });
    expect(filled(1).take(WINDOW_MS, 1, WINDOW_MS).accepted).toBe(true);
  });
});
