/**
 * A token bucket that keeps its promise in every second, the first one included: a fifth of `perSecond` may be sent in one burst, and
 * the refill is slower by as much, so that no half-open second ever sees more than `perSecond`.
 */
export class TokenBucket {
  readonly #now: () => number;
  readonly #capacity: number;
  readonly #perMs: number;
  #tokens: number;
  #filledAtMs: number;

  /**
   * @param perSecond whole number from 1
   * @param now milliseconds of a clock that only goes forward
   */
  constructor(perSecond: number, now: () => number) {
    this.#now = now;
    this.#capacity = Math.ceil(perSecond / 5);
    this.#perMs = (perSecond - this.#capacity + 1) / 1_000;
    this.#tokens = this.#capacity;
    this.#filledAtMs = now();
  }

  /** @returns whether there was a token; it is gone then */
  take(): boolean {
    this.#fill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** @returns milliseconds until the next token, rounded up; 0 if there is one */
  waitMs(): number {
    this.#fill();
    return Math.max(0, Math.ceil((1 - this.#tokens) / this.#perMs));
  }

  #fill(): void {
    const nowMs = this.#now();
    this.#tokens = Math.min(this.#capacity, this.#tokens + (nowMs - this.#filledAtMs) * this.#perMs);
    this.#filledAtMs = nowMs;
  }
}
