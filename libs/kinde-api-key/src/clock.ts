/** The injection token of the {@link Clock}. Override it in tests with a `TestClock` from `nestjs-kinde-api-key/testing`. */
export const KINDE_API_KEY_CLOCK = Symbol.for('nestjs-kinde-api-key:clock');

/** Where the library reads the time from: every age, expiry and renewal is computed with it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

/**
 * The machine's time, which the library uses unless `KINDE_API_KEY_CLOCK` is overridden.
 *
 * It advances with whichever of the wall clock and the monotonic clock went further since the start: a wall clock that is set back
 * cannot make a cached answer younger, and neither can a process that was suspended (the monotonic clock may stand still meanwhile).
 */
export class SystemClock implements Clock {
  readonly #wallStart = Date.now();
  readonly #monotonicStart = performance.now();
  #wallMs = NaN;
  #nowMs = NaN;

  now(): number {
    const wallMs = Date.now();
    // Within a millisecond of the wall clock the answer stays the same, and the monotonic clock, which costs twice as much, is not read.
    if (wallMs !== this.#wallMs) {
      const elapsedMs = Math.max(wallMs - this.#wallStart, performance.now() - this.#monotonicStart);
      this.#wallMs = wallMs;
      this.#nowMs = this.#wallStart + elapsedMs;
    }
    return this.#nowMs;
  }
}
