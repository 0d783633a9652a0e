import { KindeApiKeyUnavailableError } from '../kinde-api-key.errors.js';
import { KindeTransportError } from './http.js';

/** `Retry-After` of an outage when nothing better is known, in seconds. */
export const DEFAULT_RETRY_AFTER_SECONDS = 5;

/**
 * Why a verification brought no verdict:
 * - `kinde`: Kinde did not answer, or its answer is not usable
 * - `deadline`: the time was up while the verification waited
 * - `throttled`: Kinde answered 429
 * - `circuit_open`: the circuit breaker is open
 * - `busy`: too many verifications are in progress or queued
 * - `closed`: the client is closed
 */
export type FailureKind = 'kinde' | 'deadline' | 'throttled' | 'circuit_open' | 'busy' | 'closed';

interface FailureOptions {
  readonly retryable?: boolean;
  readonly countsForCircuit?: boolean;
  readonly retryAfterSeconds?: number;
  readonly cause?: KindeTransportError;
}

/** Why nothing is known about a key, inside `kinde/`. Callers get it as a {@link KindeApiKeyUnavailableError}. */
export class VerificationFailure extends Error {
  override readonly name = 'VerificationFailure';
  /** Whether a retry of the same call may help: after network failures, 502, 503 and 504. */
  readonly retryable: boolean;
  /** Whether it says something about Kinde's health, as opposed to our own queue or a caller's deadline. */
  readonly countsForCircuit: boolean;
  /** How long a client should wait, in whole seconds. */
  readonly retryAfterSeconds: number;

  /**
   * @param kind see {@link FailureKind}
   * @param message for the log and the public error; never any text of Kinde's answer
   * @param options defaults: `retryable` false, `countsForCircuit` true for `kinde` alone, `retryAfterSeconds` 5
   */
  constructor(
    readonly kind: FailureKind,
    message: string,
    options: FailureOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.retryable = options.retryable ?? false;
    this.countsForCircuit = options.countsForCircuit ?? kind === 'kinde';
    this.retryAfterSeconds = options.retryAfterSeconds ?? DEFAULT_RETRY_AFTER_SECONDS;
  }

  /** @returns a new error, so that callers that share one failure do not share one object */
  toUnavailable(): KindeApiKeyUnavailableError {
    return new KindeApiKeyUnavailableError(this.message, {
      retryAfterSeconds: this.retryAfterSeconds,
      ...(this.cause instanceof KindeTransportError ? { cause: this.cause } : {}),
    });
  }
}

/** @returns the failure of every verification after `close()` */
export function clientClosed(): VerificationFailure {
  return new VerificationFailure('closed', 'the app is shutting down');
}
