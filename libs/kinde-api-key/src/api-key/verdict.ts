import type { VerifiedApiKey } from './verified-api-key.js';

/**
 * Why Kinde's answer refuses a key: it knows no such key (`unknown`), the key was revoked (`revoked`), it is not active (`inactive`),
 * or it belongs to another API than the one in `apiId` (`other_api`).
 */
export type RefusalReason = 'unknown' | 'revoked' | 'inactive' | 'other_api';

/** The key is valid and active. */
export interface AcceptedVerdict {
  readonly accepted: true;
  readonly apiKey: VerifiedApiKey;
}

/** The key is not to be used. */
export interface RefusedVerdict {
  readonly accepted: false;
  readonly reason: RefusalReason;
}

/**
 * What Kinde says about a raw key. A refusal is a value, so it can be remembered; an outage is a thrown
 * {@link KindeApiKeyUnavailableError}, so it never is.
 */
export type Verdict = AcceptedVerdict | RefusedVerdict;
