import { Outage } from '../outage.js';
import { WaitQueue, type Waiter } from './wait-queue.js';
import { TokenBucket } from './pace.js';

/** `proven`: the key was accepted before. `new`: nothing is known of it, and it may be one of a flood. */
export type Lane = 'proven' | 'new';

/** See {@link Admission}. */
export interface BudgetLimits {
  /** How many calls may be under way at once, from 1. */
  readonly maxConcurrent: number;
  /** How many calls may be sent within any second, from 1. */
  readonly maxPerSecond: number;
  /** How many callers may wait, in each lane, from 0. */
  readonly maxQueued: number;
}

/** Ends a call: gives its place to the next. Must be called exactly once. */
export type Leave = () => void;

/**
 * How much we ask of Kinde at most. Callers for keys that were accepted before have a queue of their own, are always served first, and
 * have a quarter of the places to themselves: a flood of bad keys cannot keep a good one waiting. Whoever does not fit a queue is told
 * at once. Every operation is O(1), and there is a timer only while somebody waits for the next second's share.
 */
export class Admission {
  readonly #limits: BudgetLimits;
  readonly #placesForNew: number;
  readonly #bucket: TokenBucket;
  readonly #queues: Readonly<Record<Lane, WaitQueue>> = { proven: new WaitQueue(), new: new WaitQueue() };
  readonly #active: Record<Lane, number> = { proven: 0, new: 0 };
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param limits see {@link BudgetLimits}
   * @param now milliseconds of a clock that only goes forward. Default: the machine's monotonic one
   */
  constructor(limits: BudgetLimits, now: () => number = () => performance.now()) {
    this.#limits = limits;
    const { maxConcurrent } = limits;
    this.#placesForNew = maxConcurrent === 1 ? 1 : maxConcurrent - Math.max(1, Math.floor(maxConcurrent / 4));
    this.#bucket = new TokenBucket(limits.maxPerSecond, now);
  }

  /** How many callers wait, in both lanes. */
  get waiting(): number {
    return this.#queues.proven.size + this.#queues.new.size;
  }

  /** How many calls are under way. */
  get active(): number {
    return this.#active.proven + this.#active.new;
  }

  /**
   * Waits for a place.
   *
   * @param lane see {@link Lane}
   * @param signal the caller's deadline: it leaves the queue when the signal aborts
   * @returns what to call when the call is over, however it ended
   * @throws {Outage} `busy` at once if the lane's queue is full, and when the deadline comes first; else the signal's reason
   */
  enter(lane: Lane, signal: AbortSignal): Promise<Leave> {
    if (signal.aborted) return Promise.reject(outageOf(signal));
    const queue = this.#queues[lane];
    if (this.#isNext(lane) && this.#hasPlace(lane) && this.#bucket.take()) return Promise.resolve(this.#occupy(lane));
    if (queue.size >= this.#limits.maxQueued) {
      return Promise.reject(new Outage('busy', 'too many verifications wait for their turn already (kinde.maxQueued)'));
    }
    return new Promise<Leave>((resolve, reject) => {
      const leaveQueue = (): void => {
        queue.remove(waiter);
        this.#armTimer();
        reject(outageOf(signal));
      };
      const waiter: Waiter = {
        proceed: () => {
          signal.removeEventListener('abort', leaveQueue);
          resolve(this.#occupy(lane));
        },
        refuse: (reason) => {
          signal.removeEventListener('abort', leaveQueue);
          reject(reason);
        },
      };
      signal.addEventListener('abort', leaveQueue, { once: true });
      queue.push(waiter);
      this.#armTimer();
    });
  }

  /**
   * Sends away everybody who waits, because Kinde is not going to be asked for a while.
   *
   * @param reason what they get
   */
  refuseWaiting(reason: Outage): void {
    for (const queue of [this.#queues.proven, this.#queues.new]) {
      for (let waiter = queue.shift(); waiter; waiter = queue.shift()) waiter.refuse(reason);
    }
    this.#armTimer();
  }

  /** Nobody in the lane waits, and in the lane that is served first neither. */
  #isNext(lane: Lane): boolean {
    return this.#queues.proven.size === 0 && (lane === 'proven' || this.#queues.new.size === 0);
  }

  #hasPlace(lane: Lane): boolean {
    if (this.active >= this.#limits.maxConcurrent) return false;
    return lane === 'proven' || this.#active.new < this.#placesForNew;
  }

  #occupy(lane: Lane): Leave {
    this.#active[lane] += 1;
    return () => {
      this.#active[lane] -= 1;
      this.#serve();
    };
  }

  #servableLane(): Lane | undefined {
    if (this.#queues.proven.size > 0) return this.#hasPlace('proven') ? 'proven' : undefined;
    return this.#queues.new.size > 0 && this.#hasPlace('new') ? 'new' : undefined;
  }

  #serve(): void {
    for (let lane = this.#servableLane(); lane && this.#bucket.take(); lane = this.#servableLane()) {
      this.#queues[lane].shift()?.proceed();
    }
    this.#armTimer();
  }

  /** A timer runs exactly while somebody could be served but for the second's share. */
  #armTimer(): void {
    if (this.#servableLane() === undefined) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    } else if (this.#timer === undefined) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#serve();
      }, this.#bucket.waitMs());
      this.#timer.unref();
    }
  }
}

function outageOf(signal: AbortSignal): Outage {
  const reason = signal.reason as Outage;
  return reason.kind === 'deadline' ? lateTurn() : reason;
}

/** @returns what a verification ends with that had to wait for its turn until there was no time left to ask Kinde */
export function lateTurn(): Outage {
  return new Outage('busy', 'the verification did not get its turn in time (kinde.maxConcurrent, kinde.maxPerSecond)');
}
