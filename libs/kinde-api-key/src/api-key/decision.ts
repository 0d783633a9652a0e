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

/**
 * Where the verdict about a key came from: this process (`memory`), the same beyond `cache.ttlMs` during an outage (`stale`), another instance
 * (`shared`), or Kinde's answer to a call for this request (`kinde`).
 */
export type ApiKeyVerdictSource = 'memory' | 'stale' | 'shared' | 'kinde';

/** What the decorators of a route require of a caller. Frozen, and the same object for every decision about the route. */
export interface ApiKeyRouteRequirement {
  /** All of these scopes. */
  readonly scopes: readonly string[];
  /** Of each list, one scope. */
  readonly anyOf: readonly (readonly string[])[];
  /** Whether the caller must belong to the organization of the request, or to any if the request names none. */
  readonly organization: boolean;
  /** Whether the caller must belong to a user. */
  readonly user: boolean;
  /** Whether the caller must be an API key. */
  readonly keysOnly: boolean;
  /** Maximum age of the verification in milliseconds; `null`: what the cache serves. */
  readonly maxAgeMs: number | null;
}

/**
 * The guard's decision about one request: the argument of `onDecision`, and the message of the channel `nestjs-kinde-api-key:decision` of
 * `node:diagnostics_channel`. Contains no secret.
 */
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
  /** The caller, of any kind: `{ kind: 'api_key', id: <the key id> }` for a key. `null` while it is not known. */
  readonly principal: { readonly kind: string; readonly id: string } | null;
  /** What the route requires, or `null` if the handler is unknown. */
  readonly required: ApiKeyRouteRequirement | null;
  /** Where the verdict came from, or `null` without a verdict about a key. */
  readonly source: ApiKeyVerdictSource | null;
  /** How long the guard took to decide, in milliseconds, by a monotonic clock; `null` for an unknown handler. */
  readonly latencyMs: number | null;
}
