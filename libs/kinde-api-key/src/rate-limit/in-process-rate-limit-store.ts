import type { Clock } from '../clock.js';
import { RateLimitPlace } from './rate-limit-place.js';
import type { RateDecision, RateLimitStore } from './rate-limit-store.js';

/** How much is remembered. */
export interface InProcessRateLimitStoreOptions {
  /** How many buckets may be used until one is forgotten that was not used meanwhile; it holds twice as many at most. Default 100,000. */
  readonly maxBuckets?: number;
  /** The same for the timestamps that they have room for, of 8 bytes and half as much to spare. Default 8,388,608, which is 192 MiB at most. */
  readonly maxTimestamps?: number;
}

/**
 * Exact sliding windows in the memory of this process. There is no timer: what does not count any more is dropped while others are counted,
 * and a bucket that was busy gives its room back.
 *
 * The memory has a bound. Beyond it the buckets that were not used of late are forgotten, and their keys start with a full budget: limits are
 * exact for as many buckets as fit.
 */
export class InProcessRateLimitStore implements RateLimitStore {
  readonly #clock: Clock;
  readonly #bounds: Required<InProcessRateLimitStoreOptions>;
  readonly #places = new Map<string, RateLimitPlace>();
  readonly #usage = { buckets: 0, timestamps: 0 };
  #lastReadMs = -Infinity;
  #setBackMs = 0;

  constructor(clock: Clock, { maxBuckets = 100_000, maxTimestamps = 8_388_608 }: InProcessRateLimitStoreOptions = {}) {
    this.#clock = clock;
    this.#bounds = { maxBuckets, maxTimestamps };
  }

  /** @internal How many buckets it holds, and how much those of them take that were used of late; for tests. */
  get size(): { readonly buckets: number; readonly recent: { readonly buckets: number; readonly timestamps: number } } {
    const buckets = [...this.#places.values()].reduce((sum, { size }) => sum + size, 0);
    return { buckets, recent: { ...this.#usage } };
  }

  take(place: string, keyId: string, limit: number, windowMs: number, hint = 0): RateDecision {
    const nowMs = this.#now();
    const decision = this.#placeOf(place, windowMs, nowMs).take(keyId, nowMs, limit, hint);
    this.#keepBounds(nowMs);
    return decision;
  }

  /** The clock's time, but for one thing: while the clock is set back it stands still, so that no window opens early and none stays shut. */
  #now(): number {
    const readMs = this.#clock.now();
    if (readMs < this.#lastReadMs) this.#setBackMs += this.#lastReadMs - readMs;
    this.#lastReadMs = readMs;
    return readMs + this.#setBackMs;
  }

  #placeOf(name: string, windowMs: number, nowMs: number): RateLimitPlace {
    let place = this.#places.get(name);
    if (!place) this.#places.set(name, (place = new RateLimitPlace(windowMs, nowMs, this.#usage)));
    if (place.isDue(nowMs)) {
      for (const one of this.#places.values()) if (one.isDue(nowMs)) one.turn(nowMs);
    }
    return place;
  }

  #keepBounds(nowMs: number): void {
    const { maxBuckets, maxTimestamps } = this.#bounds;
    if (this.#usage.buckets <= maxBuckets && this.#usage.timestamps <= maxTimestamps) return;
    for (const place of this.#places.values()) place.turn(nowMs);
  }
}
