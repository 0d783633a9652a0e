/** Injection token of the {@link Clock}. Override it in tests with a `TestClock` from `nestjs-kinde-api-key/testing`. */
export const KINDE_API_KEY_CLOCK = Symbol.for('nestjs-kinde-api-key:clock');

/** The library's source of time: every age, expiry and renewal is computed with it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

/**
 * The machine's time, used unless `KINDE_API_KEY_CLOCK` is overridden.
 *
 * Advances with whichever of the wall clock and the monotonic clock went further since the start. So a wall clock that is set back does
 * not make a cached answer younger. Neither does a suspended process, in which the monotonic clock may stand still.
 */
export class SystemClock implements Clock {
  readonly #wallStart = Date.now();
  readonly #monotonicStart = performance.now();
  #wallMs = NaN;
  #nowMs = NaN;

  now(): number {
    const wallMs = Date.now();
    // The monotonic clock costs twice as much: it is read once per millisecond of the wall clock.
    if (wallMs !== this.#wallMs) {
      const elapsedMs = Math.max(wallMs - this.#wallStart, performance.now() - this.#monotonicStart);
      this.#wallMs = wallMs;
      this.#nowMs = this.#wallStart + elapsedMs;
    }
    return this.#nowMs;
  }
}

/**
 * A wait of a known length. It is over once that time has passed, and also when the clock shows a time before its beginning: then the
 * clock was set back, and without this rule the wait would last for as long as the step.
 */
export class Wait {
  #startedAtMs = 0;
  #lengthMs = 0;

  constructor(private readonly clock: Clock) {}

  /** Starts the wait, or starts it again. 0 ends it. */
  start(lengthMs: number): void {
    this.#startedAtMs = this.clock.now();
    this.#lengthMs = lengthMs;
  }

  /** Ends the wait earlier if it is longer than this. */
  shortenTo(lengthMs: number): void {
    this.#lengthMs = Math.min(this.#lengthMs, lengthMs);
  }

  /** Milliseconds until the wait is over, from 0 to its length. */
  get remainingMs(): number {
    if (this.#lengthMs === 0) return 0;
    const passedMs = this.clock.now() - this.#startedAtMs;
    return passedMs < 0 ? 0 : Math.max(0, this.#lengthMs - passedMs);
  }
}
