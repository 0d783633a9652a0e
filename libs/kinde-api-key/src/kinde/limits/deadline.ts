import { VerificationFailure } from '../verification-failure.js';

/** With a smaller share of its time left, a call is not sent: in a flood, Kinde would not answer any call in time. */
const SHARE_TO_ANSWER_IN = 0.1;

/** Deadline of one verification, or of one mint: an abort signal that fires when the time is up, or earlier when it is cancelled. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timeoutMs: number;
  readonly #endsAtMs: number;
  readonly #timer: NodeJS.Timeout;

  /** @param timeoutMs milliseconds from now, in real time. The timer does not keep the process alive */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#endsAtMs = performance.now() + timeoutMs;
    this.#timer = setTimeout(() => {
      const message = `the verification took longer than ${timeoutMs} ms (kinde.timeoutMs)`;
      this.#controller.abort(new VerificationFailure('deadline', message));
    }, timeoutMs);
    this.#timer.unref();
  }

  /** Aborts when the time is up. Its `reason` is always a {@link VerificationFailure}, of kind `deadline` unless it was cancelled. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /**
   * @param afterMs milliseconds from now. Default 0
   * @returns whether a tenth of the time is left then, so that an answer can arrive in time
   */
  hasTimeToAsk(afterMs = 0): boolean {
    return this.#endsAtMs - performance.now() - afterMs >= this.#timeoutMs * SHARE_TO_ANSWER_IN;
  }

  /** Aborts now. */
  cancel(reason: VerificationFailure): void {
    this.clear();
    this.#controller.abort(reason);
  }

  /** Clears the timer. Call it when the work is done. */
  clear(): void {
    clearTimeout(this.#timer);
  }
}

/**
 * Waits for a promise that is shared with other callers: giving up does not cancel it.
 *
 * @param promise its rejection is always handled
 * @param signal ends the wait with its `reason`
 */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason as Error);
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}

/**
 * Waits, in real time. The timer does not keep the process alive.
 *
 * @param ms milliseconds
 * @param signal ends the wait with its `reason`. Default: it lasts its full time
 */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.reject(signal.reason as Error);
  return new Promise<void>((resolve, reject) => {
    const giveUp = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', giveUp);
      resolve();
    }, ms);
    timer.unref();
    signal?.addEventListener('abort', giveUp, { once: true });
  });
}
