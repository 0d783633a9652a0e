import type { KindeApiKeyManagementError } from '../kinde-api-key.errors.js';
import type { ApiKeyVerificationService } from '../verification/api-key-verification.service.js';

/** What it means for requests if {@link changeKey} could not invalidate the key. */
export const NOT_INVALIDATED =
  'the cached verdicts about it could not be dropped, and are used until they expire (cache.ttlMs)';

type Invalidation = Pick<ApiKeyVerificationService, 'invalidate'>;

/**
 * Changes a key at Kinde, then has every instance ask Kinde about it again: also if it is unknown whether the change was made.
 *
 * @returns what Kinde answered, also where the invalidation failed: a new secret is shown once
 * @throws what `send` throws
 */
export async function changeKey<T>(
  verification: Invalidation,
  keyId: string,
  send: () => Promise<T>,
): Promise<{ readonly result: T; readonly isInvalidated: boolean }> {
  try {
    const result = await send();
    return { result, isInvalidated: await tryInvalidation(verification, keyId) };
  } catch (error) {
    const { code, isOutcomeUnknown } = error as KindeApiKeyManagementError;
    if (isOutcomeUnknown || code === 'NOT_FOUND') await tryInvalidation(verification, keyId);
    throw error;
  }
}

/** Invalidates a key, and tries it again once. @returns whether it succeeded; never rejects */
async function tryInvalidation(verification: Invalidation, keyId: string): Promise<boolean> {
  for (let tried = 0; tried < 2; tried += 1) {
    try {
      await verification.invalidate({ keyId });
      return true;
    } catch {
      // The service may be the app's own. What Kinde answered about the change must not be lost with its error.
    }
  }
  return false;
}
