import { SystemClock } from '../../clock.js';
import { LogThrottle, type Log } from '../../log.js';
import { SharedStoreError } from '../shared-store.js';

const FIRST_PROBE_AFTER_MS = 250;
const MAX_PROBE_PAUSE_MS = 5_000;
/** A client may deliver a queued probe when Redis is back, so the next one is sent only after this time. */
const PROBE_LOST_AFTER_MS = 30_000;
const LOG_ERROR_REPLIES_EVERY_MS = 60_000;
/** First word of an error reply: `OOM`, `READONLY`, `WRONGTYPE`. The rest is not logged, because it may repeat what was sent. */
const ERROR_REPLY = /^-?([A-Z]{2,}) /;

/**
 * Circuit breaker for Redis. After one call without an answer, all calls are rejected at once until Redis answers a probe, which no
 * request waits for. An error reply does not count as an outage, because it arrives without delay.
 */
export class RedisCircuit {
  readonly #errorReplies = new LogThrottle(new SystemClock(), LOG_ERROR_REPLIES_EVERY_MS);
  #state: 'up' | 'down' | 'closed' = 'up';
  #answeredAtMs = -Infinity;
  #probeTimer: NodeJS.Timeout | undefined;
  #noProbeUntilMs = -Infinity;

  /** A call has a deadline of `timeoutMs` milliseconds. `probe` sends a command that Redis answers while it is up. */
  constructor(
    private readonly probe: () => Promise<unknown>,
    private readonly timeoutMs: number,
    private readonly log: Pick<Log, 'warn'>,
    private readonly onUp: () => void,
  ) {}

  /** Returns the answer to a call. Rejects with {@link SharedStoreError} on an error reply or after the deadline; at once while Redis is down. */
  async run<T>(call: () => Promise<T>, timeoutMs = this.timeoutMs): Promise<T> {
    if (this.#state !== 'up') throw new SharedStoreError('Redis is down');
    const sentAtMs = performance.now();
    try {
      const answer = await within(call, timeoutMs);
      this.#answeredAtMs = performance.now();
      return answer;
    } catch (error) {
      // Other calls were answered in the meantime: Redis is slow, not down.
      if (error instanceof TimedOut && this.#answeredAtMs > sentAtMs) throw new SharedStoreError('Redis was too slow');
      const code = errorReplyOf(error);
      if (code === undefined) this.#markDown();
      else if (this.#errorReplies.isDue('error reply')) this.#logErrorReply(code);
      throw new SharedStoreError(code === undefined ? 'Redis did not answer' : `Redis replied with an error (${code})`);
    }
  }

  /** Rejects every later call and stops probing. Idempotent. */
  close(): void {
    this.#state = 'closed';
    clearTimeout(this.#probeTimer);
  }

  #markDown(): void {
    if (this.#state !== 'up') return;
    this.#state = 'down';
    this.log.warn(
      'Redis does not answer. Until it does, this instance falls back to its own cache and M2M token, and rate-limited requests are ' +
        'counted here or refused, as limitsOnOutage says. Check Redis and the network to it',
    );
    this.#scheduleProbe(FIRST_PROBE_AFTER_MS);
  }

  #scheduleProbe(pauseMs: number): void {
    this.#probeTimer = setTimeout(() => {
      this.#scheduleProbe(Math.min(MAX_PROBE_PAUSE_MS, pauseMs * 2));
      if (performance.now() >= this.#noProbeUntilMs) void this.#probe();
    }, pauseMs).unref();
  }

  async #probe(): Promise<void> {
    this.#noProbeUntilMs = performance.now() + PROBE_LOST_AFTER_MS;
    const isUp = await this.probe().then(
      () => true,
      (error: unknown) => errorReplyOf(error) !== undefined,
    );
    this.#noProbeUntilMs = -Infinity;
    if (!isUp || this.#state !== 'down') return;
    this.#state = 'up';
    clearTimeout(this.#probeTimer);
    this.log.warn('Redis answers again');
    this.onUp();
  }

  #logErrorReply(code: string): void {
    this.log.warn(
      `Redis replies with errors (${code}). What fails is not shared, and rate-limited requests are counted here or refused, as ` +
        'limitsOnOutage says. Check the memory limit, replication and permissions of Redis',
    );
  }
}

class TimedOut extends Error {}

function within<T>(call: () => Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    // If this process was suspended, the answer is here already: it is read before the immediate runs.
    const timer = setTimeout(() => setImmediate(() => reject(new TimedOut())), timeoutMs).unref();
    call()
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}

function errorReplyOf(error: unknown): string | undefined {
  return error instanceof Error ? ERROR_REPLY.exec(error.message)?.[1] : undefined;
}
