import { KindeApiKeyUnavailableError } from '../kinde-api-key.errors.js';
import { KindeTransportError } from './http.js';

/** `Retry-After` of an outage when nothing better is known, in seconds. */
export const DEFAULT_RETRY_AFTER_SECONDS = 5;

/**
 * Why a verification brought no verdict:
 * - `kinde`: Kinde did not answer, or answered that it cannot
 * - `unusable`: Kinde answered in time, and the answer about this key cannot be used. Other keys are not affected
 * - `deadline`: the time was up while the verification waited
 * - `throttled`: Kinde answered 429
 * - `stalled`: the event loop of this process stood still, so that an answer of Kinde could not be read in time
 * - `circuit_open`: the circuit breaker is open
 * - `busy`: too many verifications are in progress or queued
 * - `closed`: the client is closed
 */
export type FailureKind =
  'kinde' | 'unusable' | 'deadline' | 'throttled' | 'stalled' | 'circuit_open' | 'busy' | 'closed';

/** Why nothing is known about a key, inside `kinde/`. Callers get it as a {@link KindeApiKeyUnavailableError}. */
export class VerificationFailure extends Error {
  override readonly name = 'VerificationFailure';
  /** Whether a retry of the same call may help: after network failures, 502, 503 and 504. Default: false. */
  readonly retryable: boolean;
  /** Whether it says something about Kinde's health, not our own queue or a caller's deadline. Default: for `kinde` alone. */
  readonly countsForCircuit: boolean;
  /** How long a client should wait, in whole seconds. */
  readonly retryAfterSeconds: number;

  /** @param message for the log and the public error; never any text of Kinde's answer */
  constructor(
    readonly kind: FailureKind,
    message: string,
    options: Partial<Pick<VerificationFailure, 'retryable' | 'countsForCircuit' | 'retryAfterSeconds' | 'cause'>> = {},
  ) {
    super(message, options);
    this.retryable = options.retryable ?? false;
    this.countsForCircuit = options.countsForCircuit ?? kind === 'kinde';
    this.retryAfterSeconds = options.retryAfterSeconds ?? DEFAULT_RETRY_AFTER_SECONDS;
  }

  /** Returns a new error, so that callers that share one failure do not share one object. */
  toUnavailable(): KindeApiKeyUnavailableError {
    const { retryAfterSeconds, cause } = this;
    const options = cause instanceof KindeTransportError ? { retryAfterSeconds, cause } : { retryAfterSeconds };
    return new KindeApiKeyUnavailableError(this.message, options);
  }
}
