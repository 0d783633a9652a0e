/**
 * A token bucket that holds its limit in every second, the first one included. A fifth of `perSecond` may be sent in one burst, and the
 * refill is slower by as much. So no half-open second sees more than `perSecond` calls.
 */
export class TokenBucket {
  readonly #capacity: number;
  readonly #perMs: number;
  #tokens: number;
  #filledAtMs: number;

  /** `perSecond` is a whole number from 1, and `now` the milliseconds of a monotonic clock. */
  constructor(
    perSecond: number,
    private readonly now: () => number,
  ) {
    this.#capacity = Math.ceil(perSecond / 5);
    this.#perMs = (perSecond - this.#capacity + 1) / 1_000;
    this.#tokens = this.#capacity;
    this.#filledAtMs = now();
  }

  /** Whether a call may be sent now; if so, its token is taken. */
  take(): boolean {
    this.#fill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Milliseconds until the next token, rounded up; 0 if there is one. */
  waitMs(): number {
    this.#fill();
    return Math.max(0, Math.ceil((1 - this.#tokens) / this.#perMs));
  }

  #fill(): void {
    const nowMs = this.now();
    this.#tokens = Math.min(this.#capacity, this.#tokens + (nowMs - this.#filledAtMs) * this.#perMs);
    this.#filledAtMs = nowMs;
  }
}
