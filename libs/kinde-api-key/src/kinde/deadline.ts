import { Outage } from './outage.js';

/** The end of one verification, or of one mint: an abort signal that fires when the time is up, or earlier when it is cancelled. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #endsAtMs: number;
  readonly #timer: NodeJS.Timeout;

  /** @param timeoutMs milliseconds from now. The timer is a real one and does not keep the process alive */
  constructor(timeoutMs: number) {
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

  /** What is left, in milliseconds; negative when it is over. */
  get remainingMs(): number {
    return this.#endsAtMs - performance.now();
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
 * @param signal ends the wait with its `reason`
 */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.reject(signal.reason as Outage);
  return new Promise<void>((resolve, reject) => {
    const giveUp = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Outage);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', giveUp);
      resolve();
    }, ms);
    timer.unref();
    signal.addEventListener('abort', giveUp, { once: true });
  });
}
