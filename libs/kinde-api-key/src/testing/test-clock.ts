import type { Clock } from '../clock.js';

/** The last instant that a `Date` can hold, in milliseconds since the Unix epoch. */
const LAST_INSTANT_MS = 8.64e15;

/**
 * A clock that stands still until the test moves it.
 *
 * Give it to the library (`overrideProvider(KINDE_API_KEY_CLOCK).useValue(clock)`) and to the emulator
 * (`KindeEmulator.start({ clock })`) and an hour passes in one call, without a wait.
 */
export class TestClock implements Clock {
  #nowMs: number;

  /**
   * @param startMs Milliseconds since the Unix epoch at which the clock stands; the machine's present time if omitted.
   * @throws {RangeError} If `startMs` is not a finite number that a `Date` can hold.
   */
  constructor(startMs: number = Date.now()) {
    this.#nowMs = checkedInstant('TestClock(startMs)', startMs);
  }

  /** Milliseconds since the Unix epoch: the same on every call until {@link advance} or {@link set}. */
  now(): number {
    return this.#nowMs;
  }

  /**
   * Moves the clock forward.
   *
   * @param ms Milliseconds, finite and not negative (0 changes nothing). To go back, use {@link set}.
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
   * Puts the clock at an instant, earlier ones included: that is how a wall clock that was set back is imitated.
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
