import type { Clock } from '../clock.js';
import type { KindeApiKeyMisconfiguredError } from '../kinde-api-key.errors.js';
import type { Log } from '../log.js';
import type { Outage } from './outage.js';

const ONCE_PER_MS = 60_000;
/** An outage that comes and goes with every other call is reported no more often than this. */
const OUTAGE_ONCE_PER_MS = 10_000;

type Topic = 'misconfigured' | 'unknown_status' | 'busy' | 'renewal' | 'unexpected';

/**
 * Says what is wrong once and not once per request: an outage when it begins and when it ends, everything else at most once a minute.
 * Everything it writes is the library's own wording.
 */
export class HealthLog {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #reportedAtMs = new Map<Topic, number>();
  #outageSinceMs: number | undefined;
  #outageReportedAtMs = Number.NEGATIVE_INFINITY;

  /**
   * @param log where it is written
   * @param clock for the minutes
   */
  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** A verification ended without a verdict. */
  failed(outage: Outage): void {
    if (outage.kind === 'busy') {
      this.#once('busy', () =>
        this.#write(
          'warn',
          `${outage.message}. Answered 503; look for a flood of new keys, or raise the limits in 'kinde'`,
        ),
      );
    }
    if (outage.kind !== 'kinde' && outage.kind !== 'deadline' && outage.kind !== 'throttled') return;
    const nowMs = this.#clock.now();
    if (this.#outageSinceMs !== undefined || nowMs - this.#outageReportedAtMs < OUTAGE_ONCE_PER_MS) return;
    this.#outageSinceMs = nowMs;
    this.#outageReportedAtMs = nowMs;
    this.#write(
      'warn',
      `Kinde cannot verify API keys at the moment: ${outage.message}. Keys that are not cached are answered 503 until it can`,
    );
  }

  /** Kinde gave an answer that can be believed. */
  answered(): void {
    if (this.#outageSinceMs === undefined) return;
    const seconds = Math.round((this.#clock.now() - this.#outageSinceMs) / 1_000);
    this.#outageSinceMs = undefined;
    this.#write('warn', `Kinde verifies API keys again, after ${seconds} s`);
  }

  /** Somebody has to change something in Kinde. */
  misconfigured(error: KindeApiKeyMisconfiguredError): void {
    this.#once('misconfigured', () => this.#write('error', error.message));
  }

  /** Kinde calls a key valid, with a status that the library does not know. */
  unknownStatus(): void {
    this.#once('unknown_status', () =>
      this.#write(
        'warn',
        'Kinde calls a key valid and gives it a status that this version of the library does not know: it is refused as not active',
      ),
    );
  }

  /** The M2M token could not be renewed ahead of its end; the old one goes on being used. */
  renewalFailed(error: Error): void {
    this.#once('renewal', () =>
      this.#write(
        'warn',
        `The M2M token could not be renewed ahead of time; the old one is still in use. ${error.message}`,
      ),
    );
  }

  /** A fault of the library's own. */
  unexpected(error: unknown): void {
    this.#once('unexpected', () =>
      this.#write('error', `A verification failed for a reason that should not exist (${nameOf(error)})`),
    );
  }

  #write(level: 'warn' | 'error', message: string): void {
    try {
      this.#log[level](message);
    } catch {
      // A log that fails must not decide what becomes of a request.
    }
  }

  #once(topic: Topic, write: () => void): void {
    const nowMs = this.#clock.now();
    if (nowMs - (this.#reportedAtMs.get(topic) ?? Number.NEGATIVE_INFINITY) < ONCE_PER_MS) return;
    this.#reportedAtMs.set(topic, nowMs);
    write();
  }
}

/** The class alone: what an error that nobody expected says may be anything. */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.constructor.name : typeof error;
}
