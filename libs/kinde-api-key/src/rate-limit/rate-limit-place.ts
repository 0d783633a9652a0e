import { HitRing } from './hit-ring.js';

/** How much the buckets of all places take that were used of late. */
export interface RateLimitUsage {
  buckets: number;
  timestamps: number;
}

type Buckets = Map<string, HitRing>;

/**
 * The buckets of one place, by the id of the key, in two generations: those that were used since the last turn, and those of the generation
 * before that were not used since. A turn forgets the latter.
 *
 * It turns after a window and not before, so nothing that is forgotten counts any more, and it needs neither a timer nor a list of who was
 * used when: a request touches its bucket and little else.
 */
export class RateLimitPlace {
  readonly #windowMs: number;
  readonly #usage: RateLimitUsage;
  #recent: Buckets = new Map();
  #earlier: Buckets = new Map();
  #recentTimestamps = 0;
  #turnsAtMs: number;

  /** @param usage of all places, which this one keeps up to date */
  constructor(windowMs: number, nowMs: number, usage: RateLimitUsage) {
    this.#windowMs = windowMs;
    this.#usage = usage;
    this.#turnsAtMs = nowMs + windowMs;
  }

  /** How many buckets it holds, used of late or not. */
  get size(): number {
    return new Set([...this.#recent.keys(), ...this.#earlier.keys()]).size;
  }

  /** @returns the bucket of a key if it was used since the last turn */
  recent(keyId: string): HitRing | undefined {
    return this.#recent.get(keyId);
  }

  /** @returns the bucket of a key that was not used since the last turn: the one that it had before, or an empty one */
  bringBack(keyId: string): HitRing {
    const bucket = this.#earlier.get(keyId) ?? new HitRing();
    this.#recent.set(keyId, bucket);
    this.#usage.buckets += 1;
    this.resized(bucket.capacity);
    return bucket;
  }

  /** Notes that a recent bucket has room for so many timestamps more, or less. */
  resized(by: number): void {
    this.#recentTimestamps += by;
    this.#usage.timestamps += by;
  }

  isDue(nowMs: number): boolean {
    return nowMs >= this.#turnsAtMs;
  }

  /** Forgets the earlier generation, and with it the recent one if nothing in that counts any more. */
  turn(nowMs: number): void {
    const isOver = nowMs >= this.#turnsAtMs + this.#windowMs;
    this.#usage.buckets -= this.#recent.size;
    this.resized(-this.#recentTimestamps);
    this.#earlier = isOver ? new Map() : this.#recent;
    this.#recent = new Map();
    this.#turnsAtMs = nowMs + this.#windowMs;
  }
}
