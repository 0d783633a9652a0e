import fc from 'fast-check';
import type { RateDecision } from './rate-limit-store.js';
import { SlidingWindow, type SlidingWindowBounds } from './sliding-window.js';

const START_MS = 1_700_000_000_000;
const SCOPE = 'Users.find';
/** Bytes of a key with one bucket and an id of one character, besides its times. */
const ONE_BUCKET_BYTES = 501;

function storeWith(bounds?: SlidingWindowBounds) {
  const clock = { nowMs: START_MS, now: () => clock.nowMs };
  return { clock, store: new SlidingWindow(clock, bounds) };
}

/** The model: a list of all accepted requests, filtered each time. */
class NaiveLimiter {
  readonly accepted: number[] = [];

  take(nowMs: number, limit: number, windowMs: number): RateDecision {
    const live = this.accepted.filter((atMs) => atMs > nowMs - windowMs);
    if (live.length >= limit) {
      const leaves = live[live.length - limit] as number;
      return { accepted: false, limit, remaining: 0, resetAfterMs: leaves + windowMs - nowMs };
    }
    this.accepted.push(nowMs);
    live.push(nowMs);
    const resetAfterMs = (live[0] as number) + windowMs - nowMs;
    return { accepted: true, limit, remaining: limit - live.length, resetAfterMs };
  }
}

/** Bursts and pauses: most gaps are 0 or small, some are around or beyond a window. */
const GAP_MS = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 300 }) },
  { weight: 1, arbitrary: fc.integer({ min: 900, max: 2_600 }) },
);
const GAPS = fc.array(GAP_MS, { minLength: 1, maxLength: 250 });
const SCOPES = fc.constantFrom('*', 'Users', 'Users.find');
const LIMIT = fc.integer({ min: 1, max: 20 });
const WINDOW_MS = fc.integer({ min: 1_000, max: 2_500 });

describe('SlidingWindow, over any schedule', () => {
  it('accepts no more than the limit in any half-open window', () => {
    fc.assert(
      fc.property(GAPS, LIMIT, WINDOW_MS, (gaps, limit, windowMs) => {
        const { store, clock } = storeWith();
        const accepted: number[] = [];
        for (const gapMs of gaps) {
          clock.nowMs += gapMs;
          if (store.take(SCOPE, 'a', limit, windowMs).accepted) accepted.push(clock.nowMs);
        }
        // Any window with more than `limit` would have some `limit + 1` accepted requests within less than its length.
        accepted.forEach((atMs, index) => {
          const later = accepted[index + limit];
          if (later !== undefined) expect(later - atMs).toBeGreaterThanOrEqual(windowMs);
        });
      }),
    );
  });

  it('refuses no request while fewer than the limit were accepted in the last window', () => {
    fc.assert(
      fc.property(GAPS, LIMIT, WINDOW_MS, (gaps, limit, windowMs) => {
        const { store, clock } = storeWith();
        const accepted: number[] = [];
        for (const gapMs of gaps) {
          clock.nowMs += gapMs;
          const inLastWindow = accepted.filter((atMs) => atMs > clock.nowMs - windowMs).length;
          const decision = store.take(SCOPE, 'a', limit, windowMs);
          expect(decision.accepted).toBe(inLastWindow < limit);
          if (decision.accepted) accepted.push(clock.nowMs);
        }
      }),
    );
  });

  it('decides like a list of all requests, with limits that change, over several keys and scopes', () => {
    const step = fc.record({ gapMs: GAP_MS, limit: LIMIT, scope: SCOPES, key: fc.constantFrom('a', 'b') });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), WINDOW_MS, (steps, windowMs) => {
        const { store, clock } = storeWith();
        const naive = new Map<string, NaiveLimiter>();
        for (const { gapMs, limit, scope, key } of steps) {
          clock.nowMs += gapMs;
          const model = naive.get(`${scope} ${key}`) ?? new NaiveLimiter();
          naive.set(`${scope} ${key}`, model);
          expect(store.take(scope, key, limit, windowMs)).toEqual(model.take(clock.nowMs, limit, windowMs));
        }
      }),
    );
  });

  it('treats a clock that is set back as one that stands still meanwhile', () => {
    const step = fc.record({
      gapMs: GAP_MS,
      backMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 10_000_000 })),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), LIMIT, WINDOW_MS, (steps, limit, windowMs) => {
        const { store, clock } = storeWith();
        const naive = new NaiveLimiter();
        let elapsedMs = 0;
        for (const { gapMs, backMs } of steps) {
          clock.nowMs -= backMs;
          const hidden = store.take(SCOPE, 'other', 1, windowMs);
          expect(hidden.resetAfterMs).toBeLessThanOrEqual(windowMs);
          clock.nowMs += gapMs;
          elapsedMs += gapMs;
          expect(store.take(SCOPE, 'a', limit, windowMs)).toEqual(naive.take(elapsedMs, limit, windowMs));
        }
      }),
    );
  });

  it('accepts a request after resetAfterMs of a refusal, and not a millisecond earlier', () => {
    const cases = fc.record({ gaps: GAPS, limit: LIMIT, later: LIMIT, windowMs: WINDOW_MS });
    fc.assert(
      fc.property(cases, ({ gaps, limit, later, windowMs }) => {
        const { store, clock } = storeWith();
        for (const gapMs of gaps) {
          clock.nowMs += gapMs;
          store.take(SCOPE, 'a', limit, windowMs);
        }
        const refused = store.take(SCOPE, 'a', later, windowMs);
        if (refused.accepted) return;
        clock.nowMs += refused.resetAfterMs - 1;
        expect(store.waitMs(SCOPE, 'a', later)).toBe(1);
        expect(store.take(SCOPE, 'a', later, windowMs)).toMatchObject({ accepted: false, resetAfterMs: 1 });
        clock.nowMs += 1;
        expect(store.waitMs(SCOPE, 'a', later)).toBe(0);
        expect(store.take(SCOPE, 'a', later, windowMs).accepted).toBe(true);
      }),
    );
  });
});

describe('SlidingWindow', () => {
  it('accepts 100 requests in 60 seconds, and then one for each that leaves the window', () => {
    const { store, clock } = storeWith();
    const take = () => store.take(SCOPE, 'a', 100, 60_000);
    for (let second = 0; second < 50; second += 1) {
      expect([take(), take()]).toMatchObject([{ accepted: true }, { accepted: true, remaining: 98 - 2 * second }]);
      clock.nowMs += 1_000;
    }
    expect(take()).toEqual({ accepted: false, limit: 100, remaining: 0, resetAfterMs: 10_000 });
    clock.nowMs += 10_000;
    expect([take(), take(), take()].map(({ accepted }) => accepted)).toEqual([true, true, false]);
  });

  it('does not count refused requests', () => {
    const { store, clock } = storeWith();
    store.take(SCOPE, 'a', 1, 1_000);
    for (let refusals = 0; refusals < 9; refusals += 1) {
      clock.nowMs += 100;
      expect(store.take(SCOPE, 'a', 1, 1_000).accepted).toBe(false);
    }
    clock.nowMs += 100;
    expect(store.take(SCOPE, 'a', 1, 1_000).accepted).toBe(true);
  });

  it('keeps its count when the limit shrinks, and refuses until the smaller limit allows one more', () => {
    const { store, clock } = storeWith();
    for (let count = 0; count < 50; count += 1) {
      store.take(SCOPE, 'a', 50, 10_000);
      clock.nowMs += 100;
    }
    expect(store.take(SCOPE, 'a', 10, 10_000)).toEqual({
      accepted: false,
      limit: 10,
      remaining: 0,
      resetAfterMs: 9_000,
    });
    expect(store.take(SCOPE, 'a', 51, 10_000)).toMatchObject({ accepted: true, remaining: 0 });
  });

  it('counts each key in each scope apart', () => {
    const { store } = storeWith();
    store.take(SCOPE, 'a', 1, 1_000);
    const others = [store.take(SCOPE, 'b', 1, 1_000), store.take('Users.list', 'a', 1, 5_000)];
    expect(others).toMatchObject([{ accepted: true }, { accepted: true, resetAfterMs: 5_000 }]);
    expect(store.take(SCOPE, 'a', 1, 1_000).accepted).toBe(false);
    expect(store.take('Users.list', 'a', 1, 5_000).accepted).toBe(false);
  });

  it('stays exact when the clock has fractions of a millisecond', () => {
    const fraction = fc.double({ min: 0, max: 700, noNaN: true });
    fc.assert(
      fc.property(fc.array(fraction, { maxLength: 100 }), LIMIT, (gaps, limit) => {
        const { store, clock } = storeWith();
        for (const gapMs of gaps) {
          clock.nowMs += gapMs;
          const { accepted, remaining, resetAfterMs } = store.take(SCOPE, 'a', limit, 1_000);
          expect(remaining).toBeGreaterThanOrEqual(0);
          expect(resetAfterMs).toBeGreaterThan(0);
          if (!accepted) expect(remaining).toBe(0);
        }
      }),
    );
  });

  it('says how long to wait without counting', () => {
    const { store, clock } = storeWith();
    for (let asked = 0; asked < 3; asked += 1) expect(store.waitMs(SCOPE, 'a', 1)).toBe(0);
    expect(store.size.keys).toBe(0);
    store.take(SCOPE, 'a', 1, 1_000);
    clock.nowMs += 400;
    expect([store.waitMs(SCOPE, 'a', 1), store.waitMs(SCOPE, 'a', 2), store.waitMs('*', 'a', 1)]).toEqual([600, 0, 0]);
  });

  it('returns the decision and not a promise', () => {
    expect(storeWith().store.take(SCOPE, 'a', 1, 1_000)).not.toHaveProperty('then');
  });

  it('sets no timer', () => {
    const timers = jest.spyOn(globalThis, 'setTimeout');
    const intervals = jest.spyOn(globalThis, 'setInterval');
    const { store } = storeWith();
    for (let hit = 0; hit < 100; hit += 1) store.take(SCOPE, 'a', 50, 1_000);
    expect([...timers.mock.calls, ...intervals.mock.calls]).toEqual([]);
    jest.restoreAllMocks();
  });
});

describe('the memory of SlidingWindow', () => {
  afterEach(() => jest.restoreAllMocks());

  /** Bytes of the times of one key with an id of one character. */
  const timesOf = (store: SlidingWindow) => store.size.bytes - ONE_BUCKET_BYTES;

  it('is empty before the first request', () => {
    expect(storeWith().store.size).toEqual({ keys: 0, bytes: 0 });
  });

  it('grows with the requests that count, and not with the limit', () => {
    const { store } = storeWith();
    for (let key = 0; key < 1_000; key += 1) store.take(SCOPE, `key ${1_000 + key}`, 10_000, 86_400_000);
    expect(store.size).toEqual({ keys: 1_000, bytes: 1_000 * (ONE_BUCKET_BYTES + 'key 100'.length + 64) });
  });

  it('is at most 32 bytes for each request that counts, once there are more than a few', () => {
    const step = fc.record({ gapMs: fc.integer({ min: 0, max: 400 }), burst: fc.integer({ min: 1, max: 40 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { store, clock } = storeWith();
        const naive = new NaiveLimiter();
        for (const { gapMs, burst } of steps) {
          clock.nowMs += gapMs;
          const burstOf = (take: () => RateDecision) => Array.from({ length: burst }, take);
          expect(burstOf(() => store.take(SCOPE, 'a', 10_000, 1_000))).toEqual(
            burstOf(() => naive.take(clock.nowMs, 10_000, 1_000)),
          );
          const live = naive.accepted.filter((atMs) => atMs > clock.nowMs - 1_000);
          expect(timesOf(store)).toBeLessThanOrEqual(Math.max(64, 32 * live.length));
          // With a limit of as many as are kept the oldest decides, and with each smaller one the next.
          const waits = live.map((_atMs, index) => store.waitMs(SCOPE, 'a', live.length - index));
          expect(waits).toEqual(live.map((atMs) => atMs + 1_000 - clock.nowMs));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('shrinks when a busy key becomes quiet, without losing a request that counts', () => {
    const { store, clock } = storeWith();
    for (let hit = 0; hit < 10_000; hit += 1) {
      if (hit === 9_990) clock.nowMs += 500;
      store.take(SCOPE, 'a', 10_000, 1_000);
    }
    expect(timesOf(store)).toBe(16_384 * 8);
    clock.nowMs += 500;
    expect(store.take(SCOPE, 'a', 10_000, 1_000)).toMatchObject({ remaining: 9_989, resetAfterMs: 500 });
    expect(timesOf(store)).toBe(20 * 8);
    clock.nowMs += 1_000;
    expect(store.take(SCOPE, 'a', 10_000, 1_000)).toMatchObject({ remaining: 9_999, resetAfterMs: 1_000 });
    expect(timesOf(store)).toBe(8 * 8);
  });

  it.each<[string, SlidingWindowBounds]>([
    ['bytes', { maxBytes: 100 * (ONE_BUCKET_BYTES + 'key 1234'.length + 64) }],
    ['keys', { maxKeys: 101 }],
  ])(
    'is bounded by a number of %s: the least recently used keys start anew, and the key in use does not',
    (_what, bounds) => {
      const { store } = storeWith(bounds);
      for (let key = 1_000; key < 2_000; key += 1) {
        store.take(`scope ${key % 7}`, `key ${key}`, 1, 60_000);
        expect(store.take(SCOPE, 'busy', 5, 60_000).accepted).toBe(key < 1_005);
        expect(store.size.keys).toBeLessThanOrEqual(101);
        expect(store.size.bytes).toBeLessThanOrEqual(bounds.maxBytes ?? Infinity);
      }
      for (const key of [1_999, 1_998, 1_950, 1_910])
        expect(store.take(`scope ${key % 7}`, `key ${key}`, 1, 60_000).accepted).toBe(false);
      expect(store.take(`scope ${1_000 % 7}`, 'key 1000', 1, 60_000).accepted).toBe(true);
    },
  );

  it('is copied at most three times for each request, however the rate changes', () => {
    const copied = jest.spyOn(Float64Array.prototype, 'set');
    const rate = fc.record({ gapMs: fc.integer({ min: 0, max: 1_100 }), requests: fc.integer({ min: 1, max: 300 }) });
    fc.assert(
      fc.property(fc.array(rate, { maxLength: 20 }), (rates) => {
        const { store, clock } = storeWith();
        copied.mockClear();
        let requests = 0;
        for (const { gapMs, requests: burst } of rates) {
          for (let hit = 0; hit < burst; hit += 1) {
            clock.nowMs += gapMs / burst;
            store.take(SCOPE, 'a', 10_000, 1_000);
          }
          requests += burst;
        }
        const copies = copied.mock.calls.reduce((sum, [times]) => sum + times.length, 0);
        expect(copies).toBeLessThanOrEqual(3 * requests);
      }),
    );
  });

  it('is bounded while buckets grow, and counts the buckets of a key in every scope', () => {
    const maxBytes = 100_000;
    const { store } = storeWith({ maxBytes });
    let mostBytes = 0;
    for (let key = 0; key < 20; key += 1) {
      for (let hit = 0; hit < 900; hit += 1) {
        const { remaining } = store.take(`scope ${hit % 3}`, `key ${key}`, 300, 60_000);
        if (remaining !== 299 - Math.floor(hit / 3)) throw new Error('lost a request of the key in use');
        mostBytes = Math.max(mostBytes, store.size.bytes);
      }
    }
    expect(mostBytes).toBeLessThanOrEqual(maxBytes);
    // Three buckets of 512 times take 13 kB a key.
    expect(store.size.keys).toBe(7);
    for (const kept of ['key 19', 'key 14'])
      expect(store.take('scope 0', kept, 300, 60_000)).toMatchObject({ accepted: false });
    expect(store.take('scope 0', 'key 10', 300, 60_000)).toMatchObject({ accepted: true, remaining: 299 });
  });

  it('holds the budgets of the most recently used keys, and of no others', () => {
    const use = fc.record({ key: fc.integer({ min: 0, max: 7 }), gapMs: fc.constantFrom(0, 0, 0, 1, 1, 50, 400) });
    fc.assert(
      fc.property(fc.array(use, { maxLength: 120 }), (uses) => {
        const { store, clock } = storeWith({ maxKeys: 4 });
        let recent: { key: number; model: NaiveLimiter }[] = [];
        for (const { key, gapMs } of uses) {
          clock.nowMs += gapMs;
          const used = recent.find((other) => other.key === key) ?? { key, model: new NaiveLimiter() };
          recent = [used, ...recent.filter((other) => other !== used)].slice(0, 4);
          expect(store.take(SCOPE, `key ${key}`, 2, 1_000)).toEqual(used.model.take(clock.nowMs, 2, 1_000));
        }
      }),
    );
  });

  it('is freed for keys whose windows are over as others come', () => {
    const { store, clock } = storeWith();
    for (let key = 0; key < 1_000; key += 1) store.take(SCOPE, `early ${key}`, 100, 1_000);
    clock.nowMs += 999;
    store.take(SCOPE, 'a', 100, 1_000);
    expect(store.size.keys).toBe(1_001);
    clock.nowMs += 1;
    for (let key = 0; key < 500; key += 1) store.take(SCOPE, `late ${key}`, 100, 1_000);
    expect(store.size.keys).toBe(501);
    for (let key = 500; key < 600; key += 1) store.take(SCOPE, `late ${key}`, 100, 1_000);
    expect(store.size.keys).toBe(601);
    expect(store.take(SCOPE, 'a', 1, 1_000).accepted).toBe(false);
  });

  it('is not freed while the window of any scope of a key is open', () => {
    const { store, clock } = storeWith();
    store.take('long', 'a', 1, 60_000);
    store.take('short', 'a', 1, 1_000);
    clock.nowMs += 1_000;
    for (let key = 0; key < 10; key += 1) store.take(SCOPE, `key ${key}`, 1, 1_000);
    expect(store.take('long', 'a', 1, 60_000).accepted).toBe(false);
    expect(store.take('short', 'a', 1, 1_000).accepted).toBe(true);
  });

  it('is freed for scopes of a key whose window is over', () => {
    const { store, clock } = storeWith();
    for (let scope = 0; scope < 10; scope += 1) store.take(`scope ${scope}`, 'a', 1, 1_000);
    clock.nowMs += 1_000;
    store.take('another', 'a', 1, 1_000);
    expect(timesOf(store)).toBe(64);
  });
});
