import { NONE } from '../slot-index.js';
import { BucketTable, type RateLimitUsage } from './bucket-table.js';
import type { RateDecision } from './rate-limit-store.js';

/**
 * The buckets of one place, in two generations: those that were used since the last turn, and those of the generation before that were not used
 * since. A turn forgets the latter.
 *
 * It turns after a window and not before, so nothing that is forgotten counts any more, and it needs neither a timer nor a list of who was
 * used when: a request touches its bucket and little else.
 */
export class RateLimitPlace {
  readonly #windowMs: number;
  readonly #usage: RateLimitUsage;
  #recent: BucketTable;
  #earlier: BucketTable | undefined;
  #turnsAtMs: number;

  /** @param usage of all places, which this one keeps up to date */
  constructor(windowMs: number, nowMs: number, usage: RateLimitUsage) {
    this.#windowMs = windowMs;
    this.#usage = usage;
    this.#recent = new BucketTable(usage);
    this.#turnsAtMs = nowMs + windowMs;
  }

  /** How many buckets it holds, used of late or not. */
  get size(): number {
    return new Set([...this.#recent.keyIds, ...(this.#earlier?.keyIds ?? [])]).size;
  }

  /** Decides about one request of a key and counts it if it is accepted. */
  take(keyId: string, nowMs: number, limit: number): RateDecision {
    let slot = this.#recent.find(keyId);
    if (slot === NONE) slot = this.#recent.add(keyId, this.#earlier);
    return this.#recent.take(slot, nowMs, limit, this.#windowMs);
  }

  isDue(nowMs: number): boolean {
    return nowMs >= this.#turnsAtMs;
  }

  /** Forgets the earlier generation, and with it the recent one if nothing in that counts any more. */
  turn(nowMs: number): void {
    const isOver = nowMs >= this.#turnsAtMs + this.#windowMs;
    this.#recent.leaveOut();
    this.#earlier = isOver ? undefined : this.#recent;
    this.#recent = new BucketTable(this.#usage);
    this.#turnsAtMs = nowMs + this.#windowMs;
  }
}
