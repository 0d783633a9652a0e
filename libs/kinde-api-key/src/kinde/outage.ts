import { KindeApiKeyUnavailableError } from '../kinde-api-key.errors.js';
import { KindeTransportError } from './http.js';

/** What a caller is told to wait when nothing better is known, in seconds. */
export const DEFAULT_RETRY_AFTER_SECONDS = 5;

/**
 * Where an outage comes from: Kinde did not answer or not believably (`kinde`), the time was up while something was waited for
 * (`deadline`), Kinde asked us to slow down (`throttled`) or is not asked at the moment because it failed so often (`breaker_open`),
 * the outbound budget had no place in time (`busy`), or the client is closed (`closed`).
 */
export type OutageKind = 'kinde' | 'deadline' | 'throttled' | 'breaker_open' | 'busy' | 'closed';

interface OutageOptions {
  readonly retryable?: boolean;
  readonly countsForBreaker?: boolean;
  readonly retryAfterSeconds?: number;
  readonly cause?: KindeTransportError;
}

/** Inside the room, every reason why nothing is known about a key. It leaves the room as a {@link KindeApiKeyUnavailableError}. */
export class Outage extends Error {
  override readonly name = 'Outage';
  /** Whether sending the same call again may help: network failures and 502, 503, 504. */
  readonly retryable: boolean;
  /** Whether it says something about Kinde's health, as opposed to our own queue or a caller's impatience. */
  readonly countsForBreaker: boolean;
  /** What to tell the caller, in whole seconds. */
  readonly retryAfterSeconds: number;

  /**
   * @param kind where it comes from
   * @param message for the log and for the public error; never a word of Kinde's answer
   * @param options `retryable` false, `countsForBreaker` true for `kinde` and else false, `retryAfterSeconds` 5
   */
  constructor(
    readonly kind: OutageKind,
    message: string,
    options: OutageOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.retryable = options.retryable ?? false;
    this.countsForBreaker = options.countsForBreaker ?? kind === 'kinde';
    this.retryAfterSeconds = options.retryAfterSeconds ?? DEFAULT_RETRY_AFTER_SECONDS;
  }

  /** @returns what the room's callers get: a new error, so that callers who share one outage do not share one object */
  toUnavailable(): KindeApiKeyUnavailableError {
    return new KindeApiKeyUnavailableError(this.message, {
      retryAfterSeconds: this.retryAfterSeconds,
      ...(this.cause instanceof KindeTransportError ? { cause: this.cause } : {}),
    });
  }
}
