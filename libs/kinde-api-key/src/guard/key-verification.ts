import type { RawKey } from '../api-key/raw-key.js';
import { KindeAccessTokenError } from '../kinde-api-key.errors.js';
import { ApiKeyVerificationService } from '../verification/api-key-verification.service.js';
import type { SourcedVerdict } from '../verification/verdict-storage.js';

/** The verification service, as far as the guard uses it. A test may provide an object with `verify` alone. */
export type KeyVerification = Pick<ApiKeyVerificationService, 'verify'> &
  Partial<
    Pick<ApiKeyVerificationService, 'lookup' | 'lookupWithin' | 'ask' | 'wasAccepted' | 'status' | 'onInvalidated'>
  > & {
    /** Asks once for all resolvers of a request. */
    readonly askOnce?: (key: RawKey, isFresh: boolean) => Promise<SourcedVerdict>;
  };

/**
 * Asks with the key as it was parsed, or with its text where a test has replaced `verify`.
 *
 * @param isFresh whether only Kinde's own answer counts
 */
export async function askKinde(verification: KeyVerification, key: RawKey, isFresh: boolean): Promise<SourcedVerdict> {
  if (verification.askOnce) return verification.askOnce(key, isFresh);
  const isReplaced = verification.verify !== ApiKeyVerificationService.prototype.verify;
  if (verification.ask && !isReplaced) return verification.ask(key, isFresh);
  return { verdict: await verification.verify(key.reveal()), source: null };
}

/** An error that says why nothing is known about a key, recognized by its code: it may come from another copy of the library. */
export interface VerificationError {
  readonly code: 'VERIFICATION_UNAVAILABLE' | 'VERIFICATION_MISCONFIGURED';
  readonly retryAfterSeconds: number;
}

/** Whether an access token was refused, by any copy of the library. Tokens are verified in the subpath `./tokens`. */
export function isTokenError(error: unknown): error is KindeAccessTokenError {
  return error instanceof KindeAccessTokenError;
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
