import type { Principal } from './principal.js';

/** Code of an answer that refuses a request. */
export type ApiKeyRefusalCode =
  | 'MISSING_KEY'
  | 'MALFORMED_REQUEST'
  | 'WRONG_CREDENTIAL_TYPE'
  | 'INVALID_TOKEN'
  | 'TOKEN_EXPIRED'
  | 'INVALID_KEY'
  | 'KEY_REVOKED'
  | 'KEY_INACTIVE'
  | 'INSUFFICIENT_SCOPE'
  | 'ORG_REQUIRED'
  | 'ORG_MISMATCH'
  | 'USER_REQUIRED'
  | 'KEY_REQUIRED'
  | 'RATE_LIMITED'
  | 'TOO_MANY_FAILED_ATTEMPTS'
  | 'VERIFICATION_UNAVAILABLE'
  | 'VERIFICATION_MISCONFIGURED'
  | 'UNSUPPORTED_CONTEXT';

/** The guard's decision about one request: the argument of `onDecision`. It contains no secret. */
export interface ApiKeyDecision {
  /** Whether the guard accepted the request. */
  readonly outcome: 'accepted' | 'refused';
  /** The code of the refusal, or `null` if the request was accepted. `hideExistence` does not change it. */
  readonly code: ApiKeyRefusalCode | null;
  /** `Class.method` of the handler, or `null` if the handler is unknown. */
  readonly route: string | null;
  /** The key id, or `null` without a verified key: it is missing or invalid, or Kinde cannot be reached. */
  readonly keyId: string | null;
  /** The caller's organization, or `null`. */
  readonly orgCode: string | null;
  /** The caller's user, or `null`. */
  readonly userId: string | null;
  /** Whether the verdict came from the cache, or `null` without a verdict. */
  readonly cached: boolean | null;
  /** Kind and id of a caller from the option `principals`. Absent for API keys, and where the caller is not known. */
  readonly principal?: Pick<Principal, 'kind' | 'id'>;
}
