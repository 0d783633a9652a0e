import type { Clock } from '../../clock.js';

/** A wait that doubles each time it starts, up to a longest one. A clock that is set back cannot prolong it. */
export class Backoff {
  #nextMs: number;
  #waitMs = 0;
  #startedAtMs = 0;

  /**
   * @param firstMs the first wait, in milliseconds
   * @param longestMs the longest wait, in milliseconds. Default: every wait is as long as the first
   */
  constructor(
    private readonly clock: Clock,
    private readonly firstMs: number,
    private readonly longestMs = firstMs,
  ) {
    this.#nextMs = firstMs;
  }

  /** Milliseconds until the wait is over; 0 if it is over or did not start. */
  get remainingMs(): number {
    const elapsedMs = this.clock.now() - this.#startedAtMs;
    return elapsedMs < 0 ? 0 : Math.max(0, this.#waitMs - elapsedMs);
  }

  start(): void {
    this.#startedAtMs = this.clock.now();
    this.#waitMs = this.#nextMs;
    this.#nextMs = Math.min(this.longestMs, 2 * this.#nextMs);
  }

  /** Makes this wait and the next as long as the first. */
  shorten(): void {
    this.#waitMs = Math.min(this.#waitMs, this.firstMs);
    this.#nextMs = this.firstMs;
  }

  /** Ends the wait. The next one is the first again. */
  reset(): void {
    this.#waitMs = 0;
    this.#nextMs = this.firstMs;
  }
}
