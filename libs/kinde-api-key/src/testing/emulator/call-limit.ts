import type { Clock } from '../../clock.js';
import { type EmulatorAnswer, jsonAnswer } from './exchange.js';

/** Kinde's limit of calls to its Management API, in fixed windows. */
export interface KindeEmulatorCallLimit {
  /** Maximum number of calls per window, an integer of at least 1. */
  readonly calls: number;
  /** Length of a window in milliseconds by the emulator's clock, an integer of at least 1. */
  readonly windowMs: number;
}

/** Answers calls beyond the limit with 429 and the seconds until the window ends in `RateLimit-Reset`. */
export class CallLimit {
  #endsAtMs = Number.NEGATIVE_INFINITY;
  #calls = 0;

  constructor(
    private readonly limit: KindeEmulatorCallLimit,
    private readonly clock: Clock,
  ) {}

  /** Counts a call. Returns the answer to it if it is one too many. */
  take(): EmulatorAnswer | undefined {
    const nowMs = this.clock.now();
    if (nowMs >= this.#endsAtMs) {
      this.#endsAtMs = nowMs + this.limit.windowMs;
      this.#calls = 0;
    }
    this.#calls += 1;
    if (this.#calls <= this.limit.calls) return undefined;
    const reset = String(Math.ceil((this.#endsAtMs - nowMs) / 1_000));
    return jsonAnswer(
      429,
      { errors: [{ code: 'TOO_MANY_REQUESTS', message: 'Slow down' }] },
      { 'ratelimit-reset': reset },
    );
  }
}
