import { SharedStoreError } from '../shared-store.js';
import { errorReplyOf, onAnswer } from './error-reply.js';
import type { RedisHealthLog } from './redis-health-log.js';

/** Interval of the checks after a late call, in milliseconds. Checks are counted: one that a stalled process misses does not count. */
const CHECK_EVERY_MS = 100;
/** Redis is down after this time without any answer, in milliseconds, or after a deadline that is longer. */
const SILENT_FOR_MS = 1_000;
/** Redis is too slow after this time without an answer in time, in milliseconds. */
const LATE_FOR_MS = 5_000;
/** Maximum time that a patient call waits while Redis answers others, in milliseconds. */
const MAX_PATIENCE_MS = 5_000;
const FIRST_PROBE_AFTER_MS = 250;
const MAX_PROBE_PAUSE_MS = 5_000;
/** A client may deliver a queued probe when Redis is back, so the next one is sent only after this time. */
const PROBE_LOST_AFTER_MS = 30_000;

/**
 * Circuit breaker for Redis. After a late answer, only patient calls and probes are sent until an answer is in time again. After one second
 * without any answer, or five without one in time, Redis is down: then only probes are sent, which no request waits for. An error reply
 * does not count as an outage, because it arrives without delay.
 */
export class RedisCircuit {
  #state: 'up' | 'late' | 'down' | 'closed' = 'up';
  #answeredAtMs = -Infinity;
  #answeredInTimeAtMs = -Infinity;
  /** How long the last answer took, if it was late. */
  #lateMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #noProbeUntilMs = -Infinity;
  /** Ends the waits of the patient calls. */
  readonly #patient = new Set<() => void>();

  /** A call has a deadline of `timeoutMs` milliseconds. `probe` sends a command that Redis answers while it is up. */
  constructor(
    private readonly probe: () => Promise<unknown>,
    private readonly timeoutMs: number,
    private readonly log: RedisHealthLog,
    private readonly onUp: () => void,
  ) {}

  /** Whether Redis is down, and only probes are sent. */
  get isDown(): boolean {
    return this.#state === 'down';
  }

  /** Returns the answer to a call. Rejects with {@link SharedStoreError} on an error reply or after the deadline; at once unless Redis is up. */
  async run<T>(call: () => Promise<T>, timeoutMs = this.timeoutMs): Promise<T> {
    if (this.#state !== 'up') throw isDown();
    return this.#send(call, timeoutMs, () => Promise.reject(didNotAnswer()));
  }

  /** Like {@link run}, but waits for a late answer until Redis is down. For calls whose fallback is wrong while Redis lives. */
  async runPatiently<T>(call: () => Promise<T>): Promise<T> {
    if (this.#state === 'down' || this.#state === 'closed') throw isDown();
    return this.#send(call, this.timeoutMs, (answer) => this.#untilDown(answer));
  }

  /** Rejects every later call and stops probing. Idempotent. */
  close(): void {
    this.#leaveUp('closed');
  }

  async #send<T>(call: () => Promise<T>, timeoutMs: number, onLate: (answer: Promise<T>) => Promise<T>): Promise<T> {
    const sentAtMs = performance.now();
    const answer = this.#observe(call);
    try {
      return await this.#inTime(answer, timeoutMs).catch((error: unknown) => {
        if (!(error instanceof TimedOut)) throw error;
        // Other calls may have been answered in the meantime: then this one is slow, and Redis is not.
        if (this.#answeredInTimeAtMs <= sentAtMs) this.#markLate(timeoutMs);
        return onLate(answer);
      });
    } catch (error) {
      throw this.#failureOf(error);
    }
  }

  /** Runs a call or a probe, and records when it is answered, however late and even if with an error reply. */
  #observe<T>(call: () => Promise<T>): Promise<T> {
    const sentAtMs = performance.now();
    return onAnswer(call(), () => {
      this.#answeredAtMs = performance.now();
      this.#lateMs = Math.ceil(this.#answeredAtMs - sentAtMs);
    });
  }

  /** Waits for an answer until its deadline, and records that Redis answers in time. */
  #inTime<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
    return onAnswer(within(answer, timeoutMs), () => {
      this.#answeredInTimeAtMs = performance.now();
      this.#lateMs = undefined;
      if (this.#state === 'late') this.#markUp();
    });
  }

  async #untilDown<T>(answer: Promise<T>): Promise<T> {
    let giveUp = (): void => undefined;
    const down = new Promise<never>((_resolve, reject) => (giveUp = () => reject(didNotAnswer())));
    this.#patient.add(giveUp);
    if (this.#state === 'down' || this.#state === 'closed') giveUp();
    try {
      return await within(Promise.race([answer, down]), MAX_PATIENCE_MS);
    } finally {
      this.#patient.delete(giveUp);
    }
  }

  /** Returns the error for the caller. A call that fails without an error reply has lost its connection. */
  #failureOf(error: unknown): SharedStoreError {
    if (error instanceof SharedStoreError) return error;
    if (error instanceof TimedOut) return didNotAnswer();
    const code = errorReplyOf(error);
    if (code === undefined) {
      this.#markDown();
      return didNotAnswer();
    }
    this.log.errorReply(code);
    return new SharedStoreError(`Redis replied with an error (${code})`, code);
  }

  #markLate(silentMs: number): void {
    if (this.#state !== 'up') return;
    this.#state = 'late';
    this.#checkLate(0, silentMs);
  }

  #checkLate(lateMs: number, silentMs: number): void {
    if (this.#state !== 'late') return;
    if (silentMs >= SILENT_FOR_MS || lateMs >= LATE_FOR_MS) return this.#markDown();
    this.#sendProbe();
    const checkedAtMs = performance.now();
    // If this process was suspended, the answers are here already: they are read before the immediate runs.
    const check = (): void =>
      this.#checkLate(lateMs + CHECK_EVERY_MS, this.#answeredAtMs > checkedAtMs ? 0 : silentMs + CHECK_EVERY_MS);
    this.#timer = setTimeout(() => setImmediate(check), CHECK_EVERY_MS).unref();
  }

  #markDown(): void {
    if (this.#state !== 'up' && this.#state !== 'late') return;
    this.#leaveUp('down');
    this.log.down(this.#lateMs);
    this.#scheduleProbe(FIRST_PROBE_AFTER_MS);
  }

  #leaveUp(state: 'down' | 'closed'): void {
    this.#state = state;
    clearTimeout(this.#timer);
    for (const giveUp of this.#patient) giveUp();
  }

  #markUp(): void {
    const wasDown = this.#state === 'down';
    this.#state = 'up';
    clearTimeout(this.#timer);
    if (!wasDown) return;
    this.log.up();
    this.onUp();
  }

  #scheduleProbe(pauseMs: number): void {
    this.#timer = setTimeout(() => {
      this.log.down(this.#lateMs);
      this.#scheduleProbe(Math.min(MAX_PROBE_PAUSE_MS, pauseMs * 2));
      this.#sendProbe();
    }, pauseMs).unref();
  }

  /** Sends a probe, unless the last one may still be answered. If it is answered in time, Redis is up. */
  #sendProbe(): void {
    const sentAtMs = performance.now();
    if (sentAtMs < this.#noProbeUntilMs) return;
    this.#noProbeUntilMs = sentAtMs + PROBE_LOST_AFTER_MS;
    const answer = this.#observe(this.probe);
    const onEnd = (): void => void (this.#noProbeUntilMs = -Infinity);
    answer.then(onEnd, onEnd);
    onAnswer(this.#inTime(answer, this.timeoutMs), () => {
      if (this.#state === 'down') this.#markUp();
    }).catch(() => undefined);
  }
}

class TimedOut extends Error {}

function within<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    // If this process was suspended, the answer is here already: it is read before the immediate runs.
    const timer = setTimeout(() => setImmediate(() => reject(new TimedOut())), timeoutMs).unref();
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function didNotAnswer(): SharedStoreError {
  return new SharedStoreError('Redis did not answer');
}

function isDown(): SharedStoreError {
  return new SharedStoreError('Redis is down');
}
