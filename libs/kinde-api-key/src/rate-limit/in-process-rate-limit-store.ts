import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.js';
import { HitRing } from './hit-ring.js';
import type { RateDecision, RateLimitStore } from './rate-limit-store.js';

/** How much is remembered. */
export interface InProcessRateLimitStoreOptions {
  /** How many buckets. Default 100,000. */
  readonly maxBuckets?: number;
  /** How many timestamps in all buckets together, of 8 bytes each; at least the largest limit. Default 16,777,216 (128 MiB). */
  readonly maxTimestamps?: number;
}

/** So often, counted in requests, the buckets that were not used for longest are looked at, and so many of them: two for each request. */
const TIDY_EVERY = 16;
const TIDY_AT_MOST = 32;

/**
 * Exact sliding windows in the memory of this process. There is no timer: a bucket in which nothing counts any more is dropped while
 * others are used, and one that was busy gives its room back.
 *
 * The memory has a bound. Beyond it the bucket that was not used for longest is forgotten, and its key starts with a full budget: limits are
 * exact for as many buckets as fit.
 */
export class InProcessRateLimitStore implements RateLimitStore {
  readonly #clock: Clock;
  readonly #bounds: Required<InProcessRateLimitStoreOptions>;
  /** Made for the first request that is limited: its tables have their full length from the start. */
  #buckets: LRUCache<string, HitRing> | undefined;
  #untilTidying = TIDY_EVERY;
  #lastReadMs = -Infinity;
  #setBackMs = 0;

  constructor(clock: Clock, { maxBuckets = 100_000, maxTimestamps = 16_777_216 }: InProcessRateLimitStoreOptions = {}) {
    this.#clock = clock;
    this.#bounds = { maxBuckets, maxTimestamps };
  }

  /** @internal How much it holds, for tests and health: buckets, and room for timestamps in all of them. */
  get size(): { readonly buckets: number; readonly timestamps: number } {
    return { buckets: this.#buckets?.size ?? 0, timestamps: this.#buckets?.calculatedSize ?? 0 };
  }

  take(bucket: string, limit: number, windowMs: number): RateDecision {
    const nowMs = this.#now();
    const buckets = (this.#buckets ??= this.#makeBuckets());
    this.#tidy(buckets, nowMs);
    const known = buckets.get(bucket);
    const hits = known ?? new HitRing(windowMs);
    hits.windowMs = windowMs;
    hits.forgetExpired(nowMs);
    if (hits.count >= limit) {
      const resetAfterMs = hits.at(hits.count - limit) + windowMs - nowMs;
      return { accepted: false, limit, remaining: 0, resetAfterMs };
    }
    const fitted = hits.fitted(limit);
    fitted.add(nowMs);
    if (fitted !== known) buckets.set(bucket, fitted);
    return {
      accepted: true,
      limit,
      remaining: limit - fitted.count,
      resetAfterMs: fitted.at(0) + windowMs - nowMs,
    };
  }

  /** The clock's time, but for one thing: while the clock is set back it stands still, so that no window opens early and none stays shut. */
  #now(): number {
    const readMs = this.#clock.now();
    if (readMs < this.#lastReadMs) this.#setBackMs += this.#lastReadMs - readMs;
    this.#lastReadMs = readMs;
    return readMs + this.#setBackMs;
  }

  #makeBuckets(): LRUCache<string, HitRing> {
    const { maxBuckets, maxTimestamps } = this.#bounds;
    return new LRUCache({ max: maxBuckets, maxSize: maxTimestamps, sizeCalculation: ({ capacity }) => capacity });
  }

  #tidy(buckets: LRUCache<string, HitRing>, nowMs: number): void {
    this.#untilTidying -= 1;
    if (this.#untilTidying > 0) return;
    this.#untilTidying = TIDY_EVERY;
    for (let looked = 0; looked < TIDY_AT_MOST; looked += 1) {
      const [leastRecentlyUsed] = buckets.rvalues();
      if (!leastRecentlyUsed?.isExpired(nowMs)) return;
      buckets.pop();
    }
  }
}
