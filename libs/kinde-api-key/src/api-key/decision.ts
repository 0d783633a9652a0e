/** Every code of an answer that refuses a request. */
export type ApiKeyRefusalCode =
  | 'MISSING_KEY'
  | 'MALFORMED_REQUEST'
  | 'WRONG_CREDENTIAL_TYPE'
  | 'INVALID_KEY'
  | 'KEY_REVOKED'
  | 'KEY_INACTIVE'
  | 'INSUFFICIENT_SCOPE'
  | 'ORG_REQUIRED'
  | 'ORG_MISMATCH'
  | 'USER_REQUIRED'
  | 'RATE_LIMITED'
  | 'TOO_MANY_FAILED_ATTEMPTS'
  | 'VERIFICATION_UNAVAILABLE'
  | 'VERIFICATION_MISCONFIGURED'
  | 'UNSUPPORTED_CONTEXT';

/** What the guard decided about one request: the argument of `onDecision`. It holds no secret; ids and codes are Kinde's. */
export interface ApiKeyDecision {
  /** Whether the request went through to the handler. */
  readonly outcome: 'accepted' | 'refused';
  /** The code of the refusal, or `null` if the request was accepted. With `hideExistence` it stays the true one. */
  readonly code: ApiKeyRefusalCode | null;
  /** `Class.method` of the handler, or `null` where the handler is unknown. */
  readonly route: string | null;
  /** The key's id, or `null` while it is not known (no key, a bad one, an outage). */
  readonly keyId: string | null;
  /** The key's organization, or `null`. */
  readonly orgCode: string | null;
  /** The key's user, or `null`. */
  readonly userId: string | null;
  /** Whether the verdict came from the cache, or `null` where there is none. */
  readonly cached: boolean | null;
}
