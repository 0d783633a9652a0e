import fc from 'fast-check';
import { InProcessRateLimitStore, type InProcessRateLimitStoreOptions } from './in-process-rate-limit-store.js';
import type { RateDecision } from './rate-limit-store.js';

const START_MS = 1_700_000_000_000;
const PLACE = 'Users.find';

function storeWith(options?: InProcessRateLimitStoreOptions) {
  const clock = { nowMs: START_MS, now: () => clock.nowMs };
  return { clock, store: new InProcessRateLimitStore(clock, options) };
}

/** What the user's own limiter does: a list of all accepted requests, filtered each time. */
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
const LIMIT = fc.integer({ min: 1, max: 20 });
const WINDOW_MS = fc.integer({ min: 1_000, max: 2_500 });

describe('over any schedule', () => {
  it('no half-open window has more than the limit', () => {
    fc.assert(
      fc.property(GAPS, LIMIT, WINDOW_MS, (gaps, limit, windowMs) => {
        const { store, clock } = storeWith();
        const accepted: number[] = [];
        for (const gapMs of gaps) {
          clock.nowMs += gapMs;
          if (store.take(PLACE, 'a', limit, windowMs).accepted) accepted.push(clock.nowMs);
        }
        // Any window with more than `limit` would have some `limit + 1` accepted requests within less than its length.
        accepted.forEach((atMs, index) => {
          const later = accepted[index + limit];
          if (later !== undefined) expect(later - atMs).toBeGreaterThanOrEqual(windowMs);
        });
      }),
    );
  });

  it('none is refused while fewer than the limit were accepted in the last window', () => {
    fc.assert(
      fc.property(GAPS, LIMIT, WINDOW_MS, (gaps, limit, windowMs) => {
        const { store, clock } = storeWith();
        const accepted: number[] = [];
        for (const gapMs of gaps) {
          clock.nowMs += gapMs;
          const inLastWindow = accepted.filter((atMs) => atMs > clock.nowMs - windowMs).length;
          const decision = store.take(PLACE, 'a', limit, windowMs);
          expect(decision.accepted).toBe(inLastWindow < limit);
          if (decision.accepted) accepted.push(clock.nowMs);
        }
      }),
    );
  });

  it('says what a list of all requests says, with limits that change and buckets that take turns', () => {
    const step = fc.record({ gapMs: GAP_MS, limit: LIMIT, bucket: fc.constantFrom('a', 'b', 'c', 'd') });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), WINDOW_MS, (steps, windowMs) => {
        const { store, clock } = storeWith();
        const naive = new Map<string, NaiveLimiter>();
        for (const { gapMs, limit, bucket } of steps) {
          clock.nowMs += gapMs;
          const model = naive.get(bucket) ?? new NaiveLimiter();
          naive.set(bucket, model);
          expect(store.take(PLACE, bucket, limit, windowMs)).toEqual(model.take(clock.nowMs, limit, windowMs));
        }
      }),
    );
  });

  it('a clock that is set back opens no window and keeps none shut: it stands still', () => {
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
          const hidden = store.take(PLACE, 'other', 1, windowMs);
          expect(hidden.resetAfterMs).toBeLessThanOrEqual(windowMs);
          clock.nowMs += gapMs;
          elapsedMs += gapMs;
          expect(store.take(PLACE, 'a', limit, windowMs)).toEqual(naive.take(elapsedMs, limit, windowMs));
        }
      }),
    );
  });

  it('who waits for as long as a refusal says will pass, and who comes a millisecond earlier will not', () => {
    const cases = fc.record({ gaps: GAPS, limit: LIMIT, later: LIMIT, windowMs: WINDOW_MS });
    fc.assert(
      fc.property(cases, ({ gaps, limit, later, windowMs }) => {
        const { store, clock } = storeWith();
        for (const gapMs of gaps) {
          clock.nowMs += gapMs;
          store.take(PLACE, 'a', limit, windowMs);
        }
        const refused = store.take(PLACE, 'a', later, windowMs);
        if (refused.accepted) return;
        clock.nowMs += refused.resetAfterMs - 1;
        expect(store.take(PLACE, 'a', later, windowMs)).toMatchObject({ accepted: false, resetAfterMs: 1 });
        clock.nowMs += 1;
        expect(store.take(PLACE, 'a', later, windowMs).accepted).toBe(true);
      }),
    );
  });
});

describe('a bucket', () => {
  it('takes 100 requests in 60 seconds, as the user asks, and then one for each that leaves the window', () => {
    const { store, clock } = storeWith();
    const take = () => store.take(PLACE, 'a', 100, 60_000);
    for (let second = 0; second < 50; second += 1) {
      expect([take(), take()]).toMatchObject([{ accepted: true }, { accepted: true, remaining: 98 - 2 * second }]);
      clock.nowMs += 1_000;
    }
    expect(take()).toEqual({ accepted: false, limit: 100, remaining: 0, resetAfterMs: 10_000 });
    clock.nowMs += 10_000;
    expect([take(), take(), take()].map(({ accepted }) => accepted)).toEqual([true, true, false]);
  });

  it('is not used up by requests that are refused', () => {
    const { store, clock } = storeWith();
    store.take(PLACE, 'a', 1, 1_000);
    for (let refusals = 0; refusals < 9; refusals += 1) {
      clock.nowMs += 100;
      expect(store.take(PLACE, 'a', 1, 1_000).accepted).toBe(false);
    }
    clock.nowMs += 100;
    expect(store.take(PLACE, 'a', 1, 1_000).accepted).toBe(true);
  });

  it('keeps what it counted when the limit shrinks, and waits until the smaller one allows one more', () => {
    const { store, clock } = storeWith();
    for (let count = 0; count < 50; count += 1) {
      store.take(PLACE, 'a', 50, 10_000);
      clock.nowMs += 100;
    }
    expect(store.take(PLACE, 'a', 10, 10_000)).toEqual({
      accepted: false,
      limit: 10,
      remaining: 0,
      resetAfterMs: 9_000,
    });
    expect(store.take(PLACE, 'a', 51, 10_000)).toMatchObject({ accepted: true, remaining: 0 });
  });

  it('belongs to one key at one place', () => {
    const { store } = storeWith();
    store.take(PLACE, 'a', 1, 1_000);
    const others = [store.take(PLACE, 'b', 1, 1_000), store.take('Users.list', 'a', 1, 5_000)];
    expect(others).toMatchObject([{ accepted: true }, { accepted: true, resetAfterMs: 5_000 }]);
    expect(store.take(PLACE, 'a', 1, 1_000).accepted).toBe(false);
  });

  it('never answers with a promise', () => {
    expect(storeWith().store.take(PLACE, 'a', 1, 1_000)).not.toHaveProperty('then');
  });
});

describe('the memory', () => {
  const recent = ({ size }: InProcessRateLimitStore) => size.recent;

  it('is not touched before the first request', () => {
    expect(storeWith().store.size).toEqual({ buckets: 0, recent: { buckets: 0, timestamps: 0 } });
  });

  it('has room for what counts, and not for what the limit would allow', () => {
    const { store } = storeWith();
    for (let key = 0; key < 1_000; key += 1) store.take(PLACE, `key ${key}`, 10_000, 86_400_000);
    expect(recent(store)).toEqual({ buckets: 1_000, timestamps: 8_000 });
  });

  it('holds a bounded number of buckets, of all places together: those that were not used of late are forgotten', () => {
    const { store } = storeWith({ maxBuckets: 100 });
    for (let key = 0; key < 1_000; key += 1) {
      store.take(`place ${key % 7}`, `key ${key}`, 1, 60_000);
      expect(store.take(PLACE, 'busy', 1_000_000, 60_000).remaining).toBe(999_999 - key);
      expect(store.size.buckets).toBeLessThanOrEqual(202);
    }
    for (const key of [999, 998, 950, 900]) {
      expect(store.take(`place ${key % 7}`, `key ${key}`, 1, 60_000).accepted).toBe(false);
    }
    expect(store.take('place 0', 'key 0', 1, 60_000).accepted).toBe(true);
  });

  it('forgets no bucket while fewer than the bound were used since', () => {
    const use = fc.record({ key: fc.integer({ min: 0, max: 14 }), gapMs: fc.constantFrom(0, 1, 400, 1_000) });
    fc.assert(
      fc.property(fc.array(use, { maxLength: 120 }), (uses) => {
        const { store, clock } = storeWith({ maxBuckets: 4 });
        const naive = new Map<number, NaiveLimiter>();
        const since = new Map<number, Set<number>>();
        for (const { key, gapMs } of uses) {
          clock.nowMs += gapMs;
          const model = naive.get(key) ?? new NaiveLimiter();
          naive.set(key, model);
          const decision = store.take(PLACE, `key ${key}`, 2, 1_000);
          if ((since.get(key)?.size ?? 0) < 4) expect(decision).toEqual(model.take(clock.nowMs, 2, 1_000));
          else if (decision.accepted) model.accepted.push(clock.nowMs);
          for (const others of since.values()) others.add(key);
          since.set(key, new Set());
        }
      }),
    );
  });

  it('holds a bounded number of timestamps', () => {
    const { store } = storeWith({ maxTimestamps: 10_000 });
    for (let key = 0; key < 50; key += 1) {
      for (let hit = 0; hit < 1_000; hit += 1) store.take(PLACE, `key ${key}`, 1_000, 60_000);
      expect(recent(store).timestamps).toBeLessThanOrEqual(10_000);
    }
    expect(store.size.buckets).toBeLessThanOrEqual(20);
    expect(store.take(PLACE, 'key 49', 1_000, 60_000).accepted).toBe(false);
  });

  it('knows how much it holds when buckets come back that have grown', () => {
    const { store, clock } = storeWith();
    for (let hit = 0; hit < 100; hit += 1) store.take(PLACE, 'a', 100, 10_000);
    clock.nowMs += 9_999;
    for (let hit = 0; hit < 50; hit += 1) store.take(PLACE, 'b', 100, 10_000);
    expect(recent(store)).toEqual({ buckets: 2, timestamps: 164 });
    clock.nowMs += 1;
    store.take(PLACE, 'b', 100, 10_000);
    expect(recent(store)).toEqual({ buckets: 1, timestamps: 64 });
    expect(store.size.buckets).toBe(2);
    store.take(PLACE, 'a', 100, 10_000);
    expect(recent(store)).toEqual({ buckets: 2, timestamps: 72 });
  });

  it('gives back the room of buckets in which nothing counts any more, while any other is used', () => {
    const { store, clock } = storeWith();
    for (let key = 0; key < 1_000; key += 1) {
      for (let hit = 0; hit < 100; hit += 1) store.take(`place ${key % 3}`, `key ${key}`, 100, 1_000);
    }
    expect(recent(store)).toEqual({ buckets: 1_000, timestamps: 100_000 });
    clock.nowMs += 1_000;
    store.take(PLACE, 'busy', 1, 1_000);
    clock.nowMs += 1_000;
    store.take(PLACE, 'busy', 1, 1_000);
    expect(store.size).toEqual({ buckets: 1, recent: { buckets: 1, timestamps: 8 } });
  });

  it('gives back the room of all after a long pause at once', () => {
    const { store, clock } = storeWith();
    store.take(PLACE, 'a', 1, 1_000);
    clock.nowMs += 1_999;
    store.take(PLACE, 'b', 1, 1_000);
    expect(store.size.buckets).toBe(2);
    clock.nowMs += 2_000;
    store.take(PLACE, 'c', 1, 1_000);
    expect(store.size.buckets).toBe(1);
  });

  it('gives back the room of a bucket that was busy and is not any more', () => {
    const { store, clock } = storeWith();
    for (let hit = 0; hit < 10_000; hit += 1) store.take(PLACE, 'a', 10_000, 1_000);
    expect(recent(store).timestamps).toBe(10_000);
    clock.nowMs += 1_000;
    store.take(PLACE, 'a', 10_000, 1_000);
    expect(recent(store).timestamps).toBe(8);
  });

  it('keeps no timer', () => {
    const timers = jest.spyOn(globalThis, 'setTimeout');
    const intervals = jest.spyOn(globalThis, 'setInterval');
    const { store } = storeWith();
    for (let hit = 0; hit < 100; hit += 1) store.take(PLACE, 'a', 50, 1_000);
    expect([...timers.mock.calls, ...intervals.mock.calls]).toEqual([]);
    jest.restoreAllMocks();
  });
});
