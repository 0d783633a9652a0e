import type { Clock } from '../../clock.js';
import { VerificationFailure } from '../verification-failure.js';

/** Failures in a row after which the circuit opens. */
const MAX_FAILURES = 10;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * A circuit breaker around every call to Kinde. After ten failures in a row, an outage costs microseconds instead of timeouts. After a
 * pause of a second, which doubles up to 30 s while the outage lasts, one call is sent as a probe. All others fail at once meanwhile.
 */
export class Circuit {
  #failuresInARow = 0;
  /** 0 while the circuit is closed. */
  #pauseMs = 0;
  #pausedUntilMs = 0;
  #isProbing = false;

  /** @param onOpen called each time the circuit opens, with the failure that callers get from then on */
  constructor(
    private readonly clock: Clock,
    private readonly onOpen: (refusal: VerificationFailure) => void,
  ) {}

  /** Returns the failure of a call that would be sent now, or `undefined` if it may be sent. */
  refusal(): VerificationFailure | undefined {
    if (this.#pauseMs === 0) return undefined;
    const remainingMs = this.#pausedUntilMs - this.clock.now();
    // A longer wait than was asked for: the clock was set back.
    const isOver = remainingMs <= 0 || remainingMs > this.#pauseMs;
    if (isOver && !this.#isProbing) return undefined;
    const retryAfterSeconds = isOver ? 1 : Math.ceil(remainingMs / 1_000);
    const message = 'Kinde failed repeatedly and is not asked for a moment';
    return new VerificationFailure('circuit_open', message, { retryAfterSeconds });
  }

  /** @throws {VerificationFailure} `circuit_open` at once while the circuit is open; else whatever `call` throws */
  async run<T>(call: (isProbe: boolean) => Promise<T>): Promise<T> {
    const refusal = this.refusal();
    if (refusal) throw refusal;
    const isProbe = this.#pauseMs > 0;
    this.#isProbing = isProbe;
    try {
      const result = await call(isProbe);
      this.#failuresInARow = 0;
      if (isProbe) this.#pauseMs = 0;
      return result;
    } catch (error) {
      this.#failed(error, isProbe);
      throw error;
    } finally {
      if (isProbe) this.#isProbing = false;
    }
  }

  #failed(error: unknown, isProbe: boolean): void {
    if (!(error instanceof VerificationFailure && error.countsForCircuit)) {
      if (error instanceof VerificationFailure && error.kind === 'unusable') this.#failuresInARow = 0;
      // The probe was answered, or was cancelled: the next call decides.
      if (isProbe) this.#pauseMs = 0;
      return;
    }
    this.#failuresInARow += 1;
    if (isProbe) this.#open(Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2));
    else if (this.#pauseMs === 0 && this.#failuresInARow >= MAX_FAILURES) this.#open(FIRST_PAUSE_MS);
  }

  #open(pauseMs: number): void {
    this.#pauseMs = pauseMs;
    this.#pausedUntilMs = this.clock.now() + pauseMs;
    this.onOpen(this.refusal() as VerificationFailure);
  }
}
