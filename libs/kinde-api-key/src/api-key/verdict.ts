import type { VerifiedApiKey } from './verified-api-key.js';

/**
 * Why Kinde's answer refuses a key: Kinde does not know it (`unknown`), it was revoked (`revoked`), it is not active (`inactive`), or it
 * belongs to another API than the option `apiId` (`other_api`).
 */
export type RefusalReason = 'unknown' | 'revoked' | 'inactive' | 'other_api';

/** The key is valid and active. */
export interface AcceptedVerdict {
  readonly accepted: true;
  readonly apiKey: VerifiedApiKey;
}

/** The key must not be accepted. */
export interface RefusedVerdict {
  readonly accepted: false;
  readonly reason: RefusalReason;
}

/**
 * Kinde's answer about a raw key. A refusal is a value and can be cached. An outage is a thrown {@link KindeApiKeyUnavailableError} and is
 * never cached.
 */
export type Verdict = AcceptedVerdict | RefusedVerdict;
