import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.js';
import type { RateDecision, RateLimitStore } from './rate-limit-store.js';

/** Bounds on the memory of a {@link SlidingWindow}. */
export interface SlidingWindowBounds {
  /** Maximum number of bytes that the budgets of all keys take. Default 134,217,728 (128 MiB). */
  readonly maxBytes?: number;
  /** Maximum number of keys. Default: as many as `maxBytes` holds. */
  readonly maxKeys?: number;
}

/** When the accepted requests of one key in one scope came: ascending, from index `first` up to, but without, `end`. */
interface Bucket {
  readonly scope: string;
  readonly windowMs: number;
  readonly times: Float64Array;
  first: number;
  end: number;
}

/** Smallest number of times that a bucket has memory for. V8 keeps an array of this size inside its heap, which is cheaper. */
const MIN_CAPACITY = 8;
/** Bytes of a key besides its id: the entry in the cache and the list of buckets. Measured on Node 20. */
const KEY_BYTES = 200;
/** Bytes of a bucket besides its times: the object and the header of the array. Measured on Node 20. */
const BUCKET_BYTES = 300;

/**
 * Exact sliding windows in the memory of this process, without timers. A request costs O(1) amortized.
 *
 * At the bound on memory, the least recently used keys are evicted and start again with full budgets. Each new key also frees up to two keys
 * whose windows are over, so that memory follows the number of keys in use.
 */
export class SlidingWindow implements RateLimitStore {
  readonly #keys: LRUCache<string, readonly Bucket[]>;
  #lastReadMs = -Infinity;
  #setBackMs = 0;

  constructor(
    private readonly clock: Clock,
    { maxBytes = 134_217_728, maxKeys = 0 }: SlidingWindowBounds = {},
  ) {
    this.#keys = new LRUCache({ maxSize: maxBytes, max: maxKeys });
  }

  /** @internal Number of keys, and the bytes that count against the bound; for tests. */
  get size(): { readonly keys: number; readonly bytes: number } {
    return { keys: this.#keys.size, bytes: this.#keys.calculatedSize };
  }

  take(scope: string, keyId: string, limit: number, windowMs: number): RateDecision {
    const nowMs = this.#now();
    const known = this.#keys.get(keyId)?.find((bucket) => bucket.scope === scope);
    const waitMs = known ? waitMsOf(known, limit, nowMs) : 0;
    if (waitMs > 0) return { accepted: false, limit, remaining: 0, resetAfterMs: waitMs };
    const bucket = this.#fit(keyId, known ?? { scope, windowMs, times: new Float64Array(0), first: 0, end: 0 }, nowMs);
    bucket.times[bucket.end] = nowMs;
    bucket.end += 1;
    const count = bucket.end - bucket.first;
    return { accepted: true, limit, remaining: limit - count, resetAfterMs: waitMsOf(bucket, count, nowMs) };
  }

  /** Returns the milliseconds until {@link take} would accept a request, 0 if it would now. Counts nothing. */
  waitMs(scope: string, keyId: string, limit: number): number {
    const known = this.#keys.peek(keyId)?.find((bucket) => bucket.scope === scope);
    return known ? waitMsOf(known, limit, this.#now()) : 0;
  }

  /** The clock's time, except that it stands still while the clock is set back: no window opens early or stays shut. */
  #now(): number {
    const readMs = this.clock.now();
    if (readMs < this.#lastReadMs) this.#setBackMs += this.#lastReadMs - readMs;
    this.#lastReadMs = readMs;
    return readMs + this.#setBackMs;
  }

  /** Drops the times that have left the window. A full or sparse bucket is then replaced by one for twice the times that are left. */
  #fit(keyId: string, bucket: Bucket, nowMs: number): Bucket {
    const { scope, windowMs, times, end } = bucket;
    while (bucket.first < end && (times[bucket.first] as number) + windowMs <= nowMs) bucket.first += 1;
    const count = end - bucket.first;
    const isSparse = times.length > MIN_CAPACITY && count * 4 <= times.length;
    if (end < times.length && !isSparse) return bucket;
    const resizedTimes = new Float64Array(Math.max(MIN_CAPACITY, count * 2));
    resizedTimes.set(times.subarray(bucket.first, end));
    const resized = { scope, windowMs, times: resizedTimes, first: 0, end: count };
    const buckets = this.#keys.peek(keyId);
    if (!buckets) this.#freeIdle(nowMs);
    // The key's buckets in other scopes are kept unless their window is over.
    const others = buckets?.filter((other) => other !== bucket && !isIdle(other, nowMs)) ?? [];
    const kept = [...others, resized];
    const size = kept.reduce((bytes, one) => bytes + BUCKET_BYTES + one.times.byteLength, KEY_BYTES + keyId.length);
    this.#keys.set(keyId, kept, { size });
    return resized;
  }

  #freeIdle(nowMs: number): void {
    for (let freed = 0; freed < 2; freed += 1) {
      const [oldest = ''] = this.#keys.rkeys();
      if (!this.#keys.peek(oldest)?.every((bucket) => isIdle(bucket, nowMs))) return;
      this.#keys.delete(oldest);
    }
  }
}

/** The earliest of the last `limit` requests decides: the next request is accepted as soon as that one has left the window. */
function waitMsOf({ times, windowMs, first, end }: Bucket, limit: number, nowMs: number): number {
  return end - first < limit ? 0 : Math.max(0, (times[end - limit] as number) + windowMs - nowMs);
}

function isIdle(bucket: Bucket, nowMs: number): boolean {
  return waitMsOf(bucket, 1, nowMs) === 0;
}
