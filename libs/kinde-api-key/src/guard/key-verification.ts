import type { RawKey } from '../api-key/raw-key.js';
import type { Verdict } from '../api-key/verdict.js';
import { ApiKeyVerificationService } from '../verification/api-key-verification.service.js';

/** What the guard asks of the verification service, about a key that was parsed and hashed once. */
export type KeyVerification = Pick<ApiKeyVerificationService, 'lookup' | 'ask' | 'wasAccepted'>;

/**
 * Adapts the service, which a test may have replaced by an object with `verify` alone, or whose `verify` it may have replaced.
 *
 * @param service the service, or what a test provides in its place
 */
export function keyVerificationOf(
  service: Pick<ApiKeyVerificationService, 'verify'> & Partial<ApiKeyVerificationService>,
): KeyVerification {
  return {
    lookup: (key) => (service.lookup ? service.lookup(key) : service.verifyCached?.(key.reveal())),
    ask: (key) =>
      service.ask && service.verify === ApiKeyVerificationService.prototype.verify
        ? service.ask(key)
        : service.verify(key.reveal()),
    wasAccepted: (key) => service.wasAccepted?.(key) ?? false,
  };
}

/** An error that says why nothing is known about a key, recognized by its code: it may come from another copy of the library. */
export interface VerificationError {
  readonly code: 'VERIFICATION_UNAVAILABLE' | 'VERIFICATION_MISCONFIGURED';
  readonly retryAfterSeconds: number;
}

const CODES: ReadonlySet<unknown> = new Set<VerificationError['code']>([
  'VERIFICATION_UNAVAILABLE',
  'VERIFICATION_MISCONFIGURED',
]);

/** Whether the verification failed without a verdict. Every other error is a fault of the program and passes on as it is. */
export function isVerificationError(error: unknown): error is VerificationError {
  const { code, retryAfterSeconds } = (error ?? {}) as Partial<Record<keyof VerificationError, unknown>>;
  return CODES.has(code) && typeof retryAfterSeconds === 'number';
}
