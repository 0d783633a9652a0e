import type { RateDecision } from './rate-limit-store.js';

/** What a ring starts with. For numbers that are not whole V8 takes an array of eight bytes for each, and nothing around them. */
const EMPTY: readonly number[] = [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5];
/** The fewest timestamps that a ring has room for. */
const MIN_CAPACITY = EMPTY.length;

/**
 * When the accepted requests of one bucket came, oldest first, in a ring of eight bytes for each. It has room for as many as were counted at
 * once of late, not for as many as the limit allows.
 */
export class HitRing {
  #times = EMPTY.slice();
  #oldest = 0;
  #count = 0;

  /** How many timestamps it has room for. */
  get capacity(): number {
    return this.#times.length;
  }

  /**
   * Decides about one request and counts it if it is accepted. Each request is looked at for the last time when it leaves the window, and the
   * sizes of the ring double and halve: so this costs O(1) for each request.
   *
   * @param nowMs not earlier than the time before
   * @param limit how many requests are accepted in any window
   */
  take(nowMs: number, limit: number, windowMs: number): RateDecision {
    this.#forgetUntil(nowMs - windowMs);
    const count = this.#count;
    if (count >= limit) {
      const leavesAtMs = this.#at(count - limit) + windowMs;
      return { accepted: false, limit, remaining: 0, resetAfterMs: leavesAtMs - nowMs };
    }
    this.#makeRoom(limit);
    this.#times[this.#place(count)] = nowMs;
    this.#count = count + 1;
    return { accepted: true, limit, remaining: limit - this.#count, resetAfterMs: this.#at(0) + windowMs - nowMs };
  }

  #forgetUntil(atMs: number): void {
    while (this.#count > 0 && this.#at(0) <= atMs) {
      this.#oldest = this.#place(1);
      this.#count -= 1;
    }
  }

  #makeRoom(limit: number): void {
    const { capacity } = this;
    if (this.#count === capacity) this.#resize(Math.min(capacity * 2, limit));
    else if (capacity > MIN_CAPACITY && this.#count * 4 <= capacity) this.#resize(this.#count * 2);
  }

  #resize(wanted: number): void {
    const times = this.#times;
    // Behind its end a ring goes on where it starts.
    this.#times = times.concat(times, times).slice(this.#oldest, this.#oldest + Math.max(MIN_CAPACITY, wanted));
    this.#oldest = 0;
  }

  /** @returns the time of a request; 0 is the oldest */
  #at(index: number): number {
    return this.#times[this.#place(index)] as number;
  }

  #place(index: number): number {
    const place = this.#oldest + index;
    return place < this.#times.length ? place : place - this.#times.length;
  }
}
