import {
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  handleWhen,
  type CircuitBreakerPolicy,
  type IBackoff,
  type IHalfOpenAfterBackoffContext,
} from 'cockatiel';
import type { Clock } from '../../clock.js';
import { Outage } from '../outage.js';

/** So many failures, with no success between them, and Kinde is not asked for a while. */
const FAILURES_IN_A_ROW = 10;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * A circuit breaker (cockatiel's) around every call to Kinde: after ten failures in a row an outage costs microseconds instead of
 * timeouts. After a second, which grows to 30 s while Kinde stays away, one call is let through as a probe; while it is under way
 * all others go on failing at once.
 */
export class Circuit {
  readonly #policy: CircuitBreakerPolicy;
  #pause: Pause;

  /**
   * @param clock for the pauses
   * @param onOpen called each time it opens, with what callers get from now on
   */
  constructor(clock: Clock, onOpen: (refusal: Outage) => void) {
    const newPause = (lengthMs: number): Pause =>
      new Pause(clock, lengthMs, () => (this.#pause = newPause(Math.min(LONGEST_PAUSE_MS, lengthMs * 2))));
    this.#pause = newPause(0);
    this.#policy = circuitBreaker(
      handleWhen((error) => error instanceof Outage && error.countsForBreaker),
      {
        breaker: new ConsecutiveBreaker(FAILURES_IN_A_ROW),
        halfOpenAfter: { next: () => (this.#pause = newPause(FIRST_PAUSE_MS)) },
      },
    );
    this.#policy.onBreak(() => onOpen(this.#refusalNow()));
  }

  /** @returns what a caller gets at once while Kinde is not asked, or `undefined` while it is */
  refusal(): Outage | undefined {
    const { state } = this.#policy;
    const isAsked = state === CircuitState.Closed || (state === CircuitState.Open && this.#pause.remainingMs === 0);
    return isAsked ? undefined : this.#refusalNow();
  }

  /**
   * @param call is told whether it is the probe on which everything depends
   * @throws {Outage} `breaker_open` at once while Kinde is not asked; else whatever `call` throws
   */
  async run<T>(call: (isProbe: boolean) => Promise<T>): Promise<T> {
    const refusal = this.refusal();
    if (refusal) throw refusal;
    const isProbe = this.#policy.state !== CircuitState.Closed;
    return this.#policy.execute(() => call(isProbe));
  }

  #refusalNow(): Outage {
    return new Outage('breaker_open', 'Kinde did not answer the last calls and is left alone for a moment', {
      retryAfterSeconds: Math.max(1, Math.ceil(this.#pause.remainingMs / 1_000)),
    });
  }
}

/** The time until the next probe, by the injected clock. */
class Pause implements IBackoff<IHalfOpenAfterBackoffContext> {
  /** cockatiel compares its own wall clock with this. The pause is over when it gets to ask: a clock that is set back has no say. */
  readonly duration = Number.NEGATIVE_INFINITY;
  readonly next: () => Pause;
  readonly #clock: Clock;
  readonly #endsAtMs: number;

  constructor(clock: Clock, lengthMs: number, next: () => Pause) {
    this.#clock = clock;
    this.#endsAtMs = clock.now() + lengthMs;
    this.next = next;
  }

  get remainingMs(): number {
    return Math.max(0, this.#endsAtMs - this.#clock.now());
  }
}
