import type { Clock } from '../../clock.js';
import type { ResolvedOptions } from '../../config/resolved-options.js';
import { VerificationFailure } from '../verification-failure.js';
import type { Deadline } from './deadline.js';
import { NewKeyPace } from './new-key-pace.js';
import { TokenBucket } from './pace.js';

/** `known`: the key was accepted before. `new`: nothing is known about it, and it may belong to a flood. */
export type Priority = 'known' | 'new';

/** Ends a verification or a call, and lets the next begin. Must be called exactly once. */
export type Release = () => void;

/** The limits of `kinde` in the options: calls in flight, calls per second, and queued calls per priority. */
export type AdmissionLimits = Pick<ResolvedOptions['kinde'], 'maxConcurrent' | 'maxPerSecond' | 'maxQueued'>;

/** Ends the wait of a queued call: it may be sent now, or is refused. Returns whether it is sent. */
type Waiter = (refusal?: VerificationFailure) => boolean;

/**
 * Decides when a call to Kinde may be sent. Known keys have a queue of their own, are served first and have a quarter of the capacity to
 * themselves, so that a flood of bad keys cannot delay a good one. After a 429 they have a part of Kinde's own limit to themselves, too.
 */
export class Admission {
  readonly #maxConcurrentNew: number;
  readonly #bucket: TokenBucket;
  readonly #newKeyPace: NewKeyPace;
  /** A `Set` keeps the order of arrival, and a waiter that gives up leaves in O(1). */
  readonly #queues: Readonly<Record<Priority, Set<Waiter>>> = { known: new Set(), new: new Set() };
  readonly #verifications: Record<Priority, number> = { known: 0, new: 0 };
  readonly #calls: Record<Priority, number> = { known: 0, new: 0 };
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param refusal gives the failure of every call while Kinde must not be asked, or `undefined`
   * @param clock for the pace after a 429
   * @param now milliseconds of a monotonic clock. Default: the machine's
   */
  constructor(
    private readonly limits: AdmissionLimits,
    private readonly refusal: () => VerificationFailure | undefined,
    clock: Clock,
    now: () => number = () => performance.now(),
  ) {
    const { maxConcurrent, maxPerSecond } = limits;
    this.#maxConcurrentNew = maxConcurrent === 1 ? 1 : maxConcurrent - Math.max(1, Math.floor(maxConcurrent / 4));
    this.#bucket = new TokenBucket(maxPerSecond, now);
    this.#newKeyPace = new NewKeyPace(clock);
  }

  /** Number of calls that wait. */
  get waiting(): number {
    return this.#queues.known.size + this.#queues.new.size;
  }

  /** Number of calls in flight. */
  get active(): number {
    return this.#calls.known + this.#calls.new;
  }

  /**
   * Begins a verification. Its wait for the M2M token is bounded here, before it has a call to send.
   *
   * @returns ends the verification
   * @throws {VerificationFailure} while Kinde must not be asked, and `busy` for more than `maxConcurrent` + `maxQueued` of a priority
   */
  begin(priority: Priority): Release {
    const refusal = this.refusal();
    if (refusal) throw refusal;
    if (this.#verifications[priority] >= this.limits.maxConcurrent + this.limits.maxQueued)
      throw busy('too many verifications are in progress (kinde.maxConcurrent, kinde.maxQueued)');
    this.#verifications[priority] += 1;
    return () => void (this.#verifications[priority] -= 1);
  }

  /**
   * Waits until a call may be sent.
   *
   * @param deadline when it aborts, the caller leaves the queue
   * @returns ends the call
   * @throws {VerificationFailure} while Kinde must not be asked; `deadline` if too little time is left to ask; `busy` if the queue is full or
   *   the turn comes too late
   */
  async enter(priority: Priority, deadline: Pick<Deadline, 'signal' | 'hasTimeToAsk'>): Promise<Release> {
    const { signal } = deadline;
    const refusal = signal.aborted ? failureOf(signal) : this.refusal();
    if (refusal) throw refusal;
    if (!deadline.hasTimeToAsk())
      throw new VerificationFailure('deadline', 'Kinde was too slow: no time was left for the next call');
    const queue = this.#queues[priority];
    return new Promise<Release>((resolve, reject) => {
      const waiter: Waiter = (refused) => {
        queue.delete(waiter);
        signal.removeEventListener('abort', giveUp);
        const failure = refused ?? (deadline.hasTimeToAsk() ? undefined : queueTimeout());
        if (failure) reject(failure);
        else resolve(this.#admit(priority));
        return failure === undefined;
      };
      const leave = (refused: VerificationFailure): void => {
        waiter(refused);
        this.#armTimer();
      };
      const giveUp = (): void => leave(failureOf(signal));
      signal.addEventListener('abort', giveUp, { once: true });
      queue.add(waiter);
      this.#serve();
      if (queue.size > this.limits.maxQueued) leave(busy('too many verifications are queued (kinde.maxQueued)'));
    });
  }

  /** Rejects every queued call, because Kinde must not be asked for a while. After a 429, calls about new keys come back slowly. */
  refuseWaiting(reason: VerificationFailure): void {
    if (reason.kind === 'throttled') this.#newKeyPace.slowDown(reason.retryAfterSeconds * 1_000);
    for (const waiter of [...this.#queues.known, ...this.#queues.new]) waiter(reason);
    this.#armTimer();
  }

  #admit(priority: Priority): Release {
    this.#calls[priority] += 1;
    return () => {
      this.#calls[priority] -= 1;
      this.#serve();
    };
  }

  #serve(): void {
    for (let next = this.#next(); next && this.#waitMs(next) === 0; next = this.#next()) {
      const [first] = this.#queues[next];
      // A call whose time is nearly up is not sent, and uses up nothing.
      if (!first?.()) continue;
      this.#bucket.take();
      this.#newKeyPace.sent(next === 'new');
    }
    this.#armTimer();
  }

  /** The priority whose first waiter only a pace may hold back. */
  #next(): Priority | undefined {
    const priority: Priority = this.#queues.known.size > 0 ? 'known' : 'new';
    const hasCapacity = priority === 'known' || this.#calls.new < this.#maxConcurrentNew;
    return this.#queues[priority].size > 0 && hasCapacity && this.active < this.limits.maxConcurrent
      ? priority
      : undefined;
  }

  #waitMs(priority: Priority): number {
    return Math.max(this.#bucket.waitMs(), priority === 'new' ? this.#newKeyPace.waitMs() : 0);
  }

  /** The timer runs only while a pace alone holds back the next call. */
  #armTimer(): void {
    clearTimeout(this.#timer);
    const next = this.#next();
    if (next) this.#timer = setTimeout(() => this.#serve(), this.#waitMs(next)).unref();
  }
}

function failureOf(signal: AbortSignal): VerificationFailure {
  const reason = signal.reason as VerificationFailure;
  return reason.kind === 'deadline' ? queueTimeout() : reason;
}

function queueTimeout(): VerificationFailure {
  return busy('the verification waited too long in the queue (kinde.maxConcurrent, kinde.maxPerSecond)');
}

function busy(message: string): VerificationFailure {
  return new VerificationFailure('busy', message);
}
