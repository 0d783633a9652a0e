import { SystemClock } from '../../clock.js';
import { LogThrottle, type Log } from '../../log.js';

const LOG_EVERY_MS = 60_000;

/** Logs outages of Redis: when one begins and when it ends, at most one such pair a minute. Error replies are logged once a minute. */
export class RedisHealthLog {
  readonly #throttle = new LogThrottle(new SystemClock(), LOG_EVERY_MS);
  #hasLoggedDown = false;

  /** @param effectOnLimits returns a sentence: what an outage means for rate-limited requests */
  constructor(
    private readonly log: Pick<Log, 'warn'>,
    private readonly timeoutMs: number,
    private readonly effectOnLimits: () => string,
  ) {}

  /**
   * Redis is down. An outage that follows another within the minute is logged while it lasts, so call this again and again.
   * @param lateMs how long the last answer took, if Redis answers too late
   */
  down(lateMs: number | undefined): void {
    if (this.#hasLoggedDown || !this.#throttle.isDue('down')) return;
    this.#hasLoggedDown = true;
    const problem =
      lateMs === undefined
        ? `Redis does not answer (timeoutMs is ${this.timeoutMs}). Until it does`
        : `Redis is too slow: it answers in ${lateMs} ms, and timeoutMs is ${this.timeoutMs}. Until it answers in time`;
    const effect = `this instance uses its own cache and M2M token. ${this.effectOnLimits()}`;
    this.log.warn(`${problem}, ${effect}. Check Redis and the network to it`);
  }

  /** Redis answers in time again. */
  up(): void {
    if (this.#hasLoggedDown) this.log.warn('Redis answers again');
    this.#hasLoggedDown = false;
  }

  /** Redis replies with an error. @param code its first word */
  errorReply(code: string): void {
    if (!this.#throttle.isDue('error reply')) return;
    const cure = 'Check the memory limit, replication and permissions of Redis';
    this.log.warn(`Redis replies with errors (${code}). What fails is not shared. ${this.effectOnLimits()}. ${cure}`);
  }
}
