import type { Clock } from '../clock.js';

/** The last instant that a `Date` can hold, in milliseconds since the Unix epoch. */
const LAST_INSTANT_MS = 8.64e15;

/**
 * A clock that moves only when the test moves it.
 *
 * Pass it to the library (`overrideProvider(KINDE_API_KEY_CLOCK).useValue(clock)`) and to the emulator
 * (`KindeEmulator.start({ clock })`). An hour then passes in one call, without a wait.
 */
export class TestClock implements Clock {
  #nowMs: number;

  /**
   * @param startMs Milliseconds since the Unix epoch. Default: the current time.
   * @throws {RangeError} If `startMs` is not a finite number that a `Date` can hold.
   */
  constructor(startMs: number = Date.now()) {
    this.#nowMs = checkedInstant('TestClock(startMs)', startMs);
  }

  /** Returns milliseconds since the Unix epoch. Changes only by {@link advance} and {@link set}. */
  now(): number {
    return this.#nowMs;
  }

  /**
   * Moves the clock forward.
   *
   * @param ms Milliseconds, 0 or more. To go back in time, use {@link set}.
   * @throws {RangeError} If `ms` is negative or not finite.
   */
  advance(ms: number): void {
    if (!Number.isFinite(ms))
      throw new RangeError(`TestClock.advance(ms): ms must be a finite number, got ${String(ms)}`);
    if (ms < 0)
      throw new RangeError(`TestClock.advance(ms): ms must not be negative, got ${ms}. Use set(ms) to go back in time`);
    this.#nowMs = checkedInstant('TestClock.advance(ms)', this.#nowMs + ms);
  }

  /**
   * Sets the clock to any instant. An earlier one imitates a wall clock that was set back.
   *
   * @param ms Milliseconds since the Unix epoch.
   * @throws {RangeError} If `ms` is not a finite number that a `Date` can hold.
   */
  set(ms: number): void {
    this.#nowMs = checkedInstant('TestClock.set(ms)', ms);
  }
}

function checkedInstant(call: string, ms: number): number {
  if (Number.isFinite(ms) && Math.abs(ms) <= LAST_INSTANT_MS) return ms;
  throw new RangeError(`${call}: expected milliseconds since the Unix epoch that a Date can hold, got ${String(ms)}`);
}
