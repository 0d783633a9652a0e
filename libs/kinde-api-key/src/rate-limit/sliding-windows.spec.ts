import fc from 'fast-check';
import type { RateDecision } from './rate-limit-store.js';
import { SlidingWindows } from './sliding-windows.js';

const WINDOW_MS = 1_000;
const LIMIT = 10_000;

function noUsage() {
  return { buckets: 0, timestamps: 0 };
}

/** The only window of several. */
function oneWindow() {
  const usage = noUsage();
  const windows = new SlidingWindows(usage);
  windows.add();
  const take = (nowMs: number, limit = LIMIT): RateDecision => windows.take(1, nowMs, limit, WINDOW_MS);
  return {
    take,
    get room() {
      return usage.timestamps;
    },
  };
}

function filled(count: number, limit = LIMIT): ReturnType<typeof oneWindow> {
  const one = oneWindow();
  for (let atMs = 0; atMs < count; atMs += 1) one.take(atMs, limit);
  return one;
}

describe('a window', () => {
  it('counts what a list would hold, whatever comes and goes, and takes no more room than four times that', () => {
    const step = fc.record({ gapMs: fc.integer({ min: 0, max: 400 }), burst: fc.integer({ min: 1, max: 40 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const one = oneWindow();
        let list: number[] = [];
        let nowMs = 0;
        for (const { gapMs, burst } of steps) {
          nowMs += gapMs;
          list = list.filter((atMs) => atMs > nowMs - WINDOW_MS);
          for (let hit = 0; hit < burst; hit += 1) {
            list.push(nowMs);
            const resetAfterMs = (list[0] as number) + WINDOW_MS - nowMs;
            const remaining = LIMIT - list.length;
            expect(one.take(nowMs)).toEqual({ accepted: true, limit: LIMIT, remaining, resetAfterMs });
          }
          expect(one.room).toBeLessThanOrEqual(Math.max(8, 4 * list.length));
          // A limit of as many as it holds asks for the oldest, and one for each of the others.
          const leaves = list.map((_atMs, index) => one.take(nowMs, list.length - index).resetAfterMs);
          expect(leaves).toEqual(list.map((atMs) => atMs + WINDOW_MS - nowMs));
        }
      }),
    );
  });

  it('has no more room than the limit allows, once that is more than a few', () => {
    expect(filled(100, 100).room).toBe(100);
    expect(filled(3, 3).room).toBe(8);
    expect(filled(65).room).toBe(128);
  });

  it('gives room back when it holds little for its size', () => {
    const one = filled(1_000);
    expect(one.room).toBe(1_024);
    one.take(WINDOW_MS + 990);
    expect(one.room).toBe(18);
    expect(one.take(WINDOW_MS + 990)).toMatchObject({ remaining: LIMIT - 11, resetAfterMs: 1 });
  });

  it('keeps the order of its times when it changes its size in the middle of a round', () => {
    const one = filled(8);
    one.take(WINDOW_MS + 3);
    for (let hit = 0; hit < 4; hit += 1) one.take(WINDOW_MS + 4 + hit / 10);
    expect(one.room).toBe(8);
    for (let hit = 0; hit < 5; hit += 1) one.take(WINDOW_MS + 4.5);
    expect(one.room).toBe(16);
    expect(one.take(WINDOW_MS + 4.5)).toMatchObject({ remaining: LIMIT - 14, resetAfterMs: 0.5 });
  });

  it('counts a request for a whole window, and not a millisecond longer', () => {
    expect(filled(1).take(WINDOW_MS - 1, 1)).toMatchObject({ accepted: false, resetAfterMs: 1 });
    expect(filled(1).take(WINDOW_MS, 1).accepted).toBe(true);
  });
});

describe('many windows', () => {
  it('do not touch each other, while rings grow, shrink, move and are copied', () => {
    const step = fc.record({
      slot: fc.integer({ min: 1, max: 30 }),
      burst: fc.integer({ min: 1, max: 30 }),
      gapMs: fc.constantFrom(0, 0, 3, 200, 900),
      isCopied: fc.constantFrom(false, false, false, false, false, true),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 60, maxLength: 150 }), (steps) => {
        const usage = noUsage();
        let windows = new SlidingWindows(usage);
        const lists: number[][] = [[]];
        let nowMs = 0;
        let peak = 0;
        for (const { slot, burst, gapMs, isCopied } of steps) {
          nowMs += gapMs;
          if (isCopied) {
            const earlier = windows;
            windows.leaveOut();
            windows = new SlidingWindows(usage);
            peak = 0;
            for (let copied = 1; copied < lists.length; copied += 1) windows.add({ windows: earlier, slot: copied });
          }
          for (; lists.length <= slot; lists.push([])) windows.add();
          for (let hit = 0; hit < burst; hit += 1) {
            const list = (lists[slot] as number[]).filter((atMs) => atMs > nowMs - WINDOW_MS);
            lists[slot] = [...list, nowMs];
            expect(windows.take(slot, nowMs, LIMIT, WINDOW_MS)).toEqual({
              accepted: true,
              limit: LIMIT,
              remaining: LIMIT - list.length - 1,
              resetAfterMs: (list[0] ?? nowMs) + WINDOW_MS - nowMs,
            });
            peak = Math.max(peak, usage.timestamps);
          }
          // While a ring is moved to one of twice its size, both are there.
          expect(windows.memory).toBeLessThanOrEqual(Math.max(128, 1.5 * 1.5 * peak));
        }
        expect(usage.buckets).toBe(lists.length - 1);
        windows.leaveOut();
        expect(usage).toEqual(noUsage());
      }),
      { numRuns: 30 },
    );
  });
});
