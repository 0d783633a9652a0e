import { Outage } from '../outage.js';

/** With less of its time left, a call is not sent any more: in a flood Kinde would answer nobody in time. */
const SHARE_TO_ANSWER_IN = 0.1;

/** The end of one verification, or of one mint: an abort signal that fires when the time is up, or earlier when it is cancelled. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timeoutMs: number;
  readonly #endsAtMs: number;
  readonly #timer: NodeJS.Timeout;

  /** @param timeoutMs milliseconds from now. The timer is a real one and does not keep the process alive */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#endsAtMs = performance.now() + timeoutMs;
    this.#timer = setTimeout(() => {
      this.#controller.abort(new Outage('deadline', `Kinde gave no verdict within ${timeoutMs} ms`));
    }, timeoutMs);
    this.#timer.unref();
  }

  /** Aborts when the time is up; its `reason` is always an {@link Outage}, of kind `deadline` unless it was cancelled. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /**
   * @param afterMs milliseconds from now. Default 0: now
   * @returns whether a call that is sent then has a tenth of the time left, so that an answer can come in time
   */
  hasTimeToAsk(afterMs = 0): boolean {
    return this.#endsAtMs - performance.now() - afterMs >= this.#timeoutMs * SHARE_TO_ANSWER_IN;
  }

  /** Ends it now, with a reason of the caller's. */
  cancel(reason: Outage): void {
    this.clear();
    this.#controller.abort(reason);
  }

  /** Clears the timer: whatever the deadline was for is done. */
  clear(): void {
    clearTimeout(this.#timer);
  }
}

/**
 * Waits for something that others wait for as well: giving up does not cancel it.
 *
 * @param promise what is waited for; it is never left unhandled
 * @param signal gives up, with its `reason`
 */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason as Outage);
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}

/**
 * @param ms milliseconds
 * @param signal ends the wait with its `reason`. Default: none
 */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.reject(signal?.reason as Outage);
  return new Promise<void>((resolve, reject) => {
    const giveUp = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Outage);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', giveUp);
      resolve();
    }, ms);
    timer.unref();
    signal?.addEventListener('abort', giveUp, { once: true });
  });
}
