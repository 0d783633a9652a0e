import { SharedStoreError } from '../shared-store.js';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
/** A probe that got no answer is still waited for: the client may deliver it when Redis is back. After this time, another is sent. */
const PROBE_LOST_MS = 30_000;
const REFUSALS_LOGGED_EVERY_MS = 60_000;
/** The first word of an answer that refuses: `OOM`, `READONLY`, `WRONGTYPE`. What follows may repeat what was sent. */
const REFUSAL = /^-?([A-Z]{2,}) /;

/** See {@link RedisCircuit}. */
export interface RedisCircuitParts {
  /** Asks for any answer. */
  readonly probe: () => Promise<unknown>;
  /** The longest that a call is waited for, in milliseconds. */
  readonly timeoutMs: number;
  readonly log: { warn(message: string): void };
  readonly onBack: () => void;
}

/**
 * Everything that is sent to Redis goes through here, so that Redis in trouble costs one deadline and then nothing: after a call that got
 * no answer all others fail at once, until Redis has answered a probe that no request waits for. A Redis that answers with an error is
 * none in trouble: its answers cost no time.
 */
export class RedisCircuit {
  readonly #parts: RedisCircuitParts;
  #pauseMs = FIRST_PAUSE_MS;
  #timer: NodeJS.Timeout | undefined;
  #probeSentAtMs = Number.NEGATIVE_INFINITY;
  #answeredAtMs = Number.NEGATIVE_INFINITY;
  #isDown = false;
  #isClosed = false;
  #refusalLoggedAtMs = Number.NEGATIVE_INFINITY;

  /** @param parts see {@link RedisCircuitParts} */
  constructor(parts: RedisCircuitParts) {
    this.#parts = parts;
  }

  /**
   * @param call what to send
   * @throws {SharedStoreError} if there is no answer in time, or one that refuses; at once while Redis is out of reach
   */
  async run<T>(call: () => Promise<T>, timeoutMs: number = this.#parts.timeoutMs): Promise<T> {
    if (this.#isDown || this.#isClosed) throw new SharedStoreError('Redis is out of reach');
    const sentAtMs = performance.now();
    try {
      const answer = await within(call, timeoutMs);
      this.#answeredAtMs = performance.now();
      return answer;
    } catch (error) {
      // Others were answered in time meanwhile: it is a crowd and no outage.
      if (error instanceof TimedOut && this.#answeredAtMs > sentAtMs) throw new SharedStoreError('Redis was too slow');
      const [, refusal] = REFUSAL.exec(messageOf(error)) ?? [];
      if (refusal === undefined) {
        this.#goDown();
        throw new SharedStoreError('Redis did not answer');
      }
      this.#logRefusal(refusal);
      throw new SharedStoreError(`Redis refused (${refusal})`);
    }
  }

  /** Sends nothing any more. Idempotent. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #goDown(): void {
    if (this.#isDown || this.#isClosed) return;
    this.#isDown = true;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#parts.log.warn('Redis does not answer: this instance goes on by itself until it does');
    this.#probeLater();
  }

  #probeLater(): void {
    this.#timer = setTimeout(() => {
      this.#probe();
      this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
      if (this.#isDown && !this.#isClosed) this.#probeLater();
    }, this.#pauseMs);
    this.#timer.unref();
  }

  #probe(): void {
    const nowMs = performance.now();
    if (nowMs - this.#probeSentAtMs < PROBE_LOST_MS) return;
    this.#probeSentAtMs = nowMs;
    safely(this.#parts.probe)
      .then(
        () => true,
        (error: unknown) => REFUSAL.test(messageOf(error)),
      )
      .then((isBack) => {
        if (this.#probeSentAtMs === nowMs) this.#probeSentAtMs = Number.NEGATIVE_INFINITY;
        if (isBack) this.#comeBack();
      })
      .catch(() => undefined);
  }

  #comeBack(): void {
    if (!this.#isDown || this.#isClosed) return;
    this.#isDown = false;
    clearTimeout(this.#timer);
    this.#parts.log.warn('Redis answers again');
    this.#parts.onBack();
  }

  #logRefusal(refusal: string): void {
    const nowMs = performance.now();
    if (nowMs - this.#refusalLoggedAtMs < REFUSALS_LOGGED_EVERY_MS) return;
    this.#refusalLoggedAtMs = nowMs;
    this.#parts.log.warn(
      `Redis refuses what it is asked for (${refusal}): what it refuses, this instance does by itself`,
    );
  }
}

class TimedOut extends Error {}

function within<T>(call: () => Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => {
      // Where it was this process that stood still, the answer is here already and is read before this.
      setImmediate(() => reject(new TimedOut()));
    }, timeoutMs);
    timer.unref();
    safely(call)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}

/** A client may throw in place of rejecting. */
async function safely<T>(call: () => Promise<T>): Promise<T> {
  return call();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : '';
}
