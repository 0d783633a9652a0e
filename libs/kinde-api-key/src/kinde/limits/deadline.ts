import { VerificationFailure } from '../verification-failure.js';

/** With a smaller share of its time left, a call is not sent: in a flood, Kinde would not answer any call in time. */
const SHARE_TO_ANSWER_IN = 0.1;

/** A timer that fires later than this was held up by this process, in milliseconds. */
const LATE_MS = 50;

/** Deadline of one verification, or of one mint: an abort signal that fires when the time is up, or earlier when it is cancelled. */
export class Deadline {
  readonly #controller = new AbortController();
  /** Aborts when the time is up. Its `reason` is always a {@link VerificationFailure}, of kind `deadline` unless it was cancelled. */
  readonly signal: AbortSignal = this.#controller.signal;
  readonly #endsAtMs: number;
  readonly #timer: NodeJS.Timeout;
  #lastTurn: NodeJS.Immediate | undefined;

  /**
   * @param timeoutMs milliseconds in real time. The timer keeps the process alive, also between two tries of a call: without a server, Node would end it there
   * @param spentMs how many of them have passed before. Default 0
   */
  constructor(
    private readonly timeoutMs: number,
    spentMs = 0,
  ) {
    const leftMs = Math.max(0, timeoutMs - spentMs);
    this.#endsAtMs = performance.now() + leftMs;
    this.#timer = setTimeout(() => this.#timeIsUp(), leftMs);
  }

  /** Whether a tenth of the time is left in `afterMs` milliseconds, so that an answer can arrive in time. */
  hasTimeToAsk(afterMs = 0): boolean {
    return this.#endsAtMs - performance.now() - afterMs >= this.timeoutMs * SHARE_TO_ANSWER_IN;
  }

  /** Aborts now. */
  cancel(reason: VerificationFailure): void {
    this.clear();
    this.#controller.abort(reason);
  }

  /** Clears the timer. Call it when the work is done. */
  clear(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#lastTurn);
  }

  #timeIsUp(): void {
    const lateMs = performance.now() - this.#endsAtMs;
    if (lateMs < LATE_MS) {
      const message = `the verification took longer than ${this.timeoutMs} ms (kinde.timeoutMs)`;
      this.#controller.abort(new VerificationFailure('deadline', message));
      return;
    }
    // The answer may have arrived while the event loop stood still: sockets are read before the next immediate.
    this.#lastTurn = setImmediate(() => {
      const message = `the event loop of this process stood still, and a deadline of ${this.timeoutMs} ms (kinde.timeoutMs) passed meanwhile`;
      this.#controller.abort(new VerificationFailure('stalled', message));
    }).unref();
  }
}

/** Gives every verification and every mint a deadline of its own, and aborts all of them at shutdown. */
export class Deadlines {
  readonly #running = new Set<Deadline>();
  #isClosed = false;

  /** @param timeoutMs of each deadline, in milliseconds */
  constructor(private readonly timeoutMs: number) {}

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Runs `work` with a new deadline, and clears it afterwards.
   *
   * @param spentMs how much of the time has passed before, in milliseconds. Default 0
   * @throws {VerificationFailure} `closed` after {@link close}; else whatever `work` throws
   */
  async run<T>(work: (deadline: Deadline) => Promise<T>, spentMs = 0): Promise<T> {
    if (this.#isClosed) throw clientClosed();
    const deadline = new Deadline(this.timeoutMs, spentMs);
    this.#running.add(deadline);
    try {
      return await work(deadline);
    } finally {
      deadline.clear();
      this.#running.delete(deadline);
    }
  }

  /** Aborts the work in flight, and rejects all later work. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const deadline of this.#running) deadline.cancel(clientClosed());
  }
}

function clientClosed(): VerificationFailure {
  return new VerificationFailure('closed', 'the app is shutting down');
}

/**
 * Waits for a promise that is shared with other callers. The signal ends the wait with its `reason` and does not cancel the promise, whose
 * rejection is always handled.
 */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason as Error);
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}

/** Waits `ms` milliseconds of real time; the signal ends the wait with its `reason`. The timer does not keep the process alive. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const elapsed = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms).unref()));
  try {
    await (signal ? untilAborted(elapsed, signal) : elapsed);
  } finally {
    clearTimeout(timer);
  }
}
