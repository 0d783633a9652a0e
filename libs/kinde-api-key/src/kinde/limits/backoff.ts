import { Wait, type Clock } from '../../clock.js';

/** A {@link Wait} that doubles each time it starts, up to a longest one. */
export class Backoff {
  readonly #wait: Wait;
  #nextMs: number;

  /**
   * @param firstMs the first wait, in milliseconds
   * @param longestMs the longest wait, in milliseconds. Default: every wait is as long as the first
   */
  constructor(
    clock: Clock,
    private readonly firstMs: number,
    private readonly longestMs = firstMs,
  ) {
    this.#wait = new Wait(clock);
    this.#nextMs = firstMs;
  }

  /** Milliseconds until the wait is over; 0 if it is over or did not start. */
  get remainingMs(): number {
    return this.#wait.remainingMs;
  }

  start(): void {
    this.#wait.start(this.#nextMs);
    this.#nextMs = Math.min(this.longestMs, 2 * this.#nextMs);
  }

  /** Makes this wait and the next as long as the first. */
  shorten(): void {
    this.#wait.shortenTo(this.firstMs);
    this.#nextMs = this.firstMs;
  }

  /** Ends the wait. The next one is the first again. */
  reset(): void {
    this.#wait.start(0);
    this.#nextMs = this.firstMs;
  }
}
