import type { VerifiedApiKey } from './verified-api-key.js';

/**
 * An authenticated caller: an API key, an access token of Kinde, or the app's own user. Decorators decide on it, whatever its kind.
 * A source of the app may add fields of its own.
 */
export interface Principal {
  /** `'api_key'`, `'access_token'`, or a word of the app's own. */
  readonly kind: string;
  /** Identifies the caller among those of its kind, for rate limits. Default: `userId`, else `orgCode`. */
  readonly id?: string | undefined;
  /** The scopes that the caller was granted. */
  readonly scopes: readonly string[];
  /** The organization that the caller belongs to, or `null`. */
  readonly orgCode: string | null;
  /** The user that the caller is or belongs to, or `null`. */
  readonly userId: string | null;
}

/** A verified key as a {@link Principal}. */
export interface ApiKeyPrincipal extends Principal, VerifiedApiKey {
  readonly kind: 'api_key';
  /** The key id. */
  readonly id: string;
}

/** What a decision is about: a verified key, or another principal. */
export type Caller = VerifiedApiKey | Principal;

/** Marks the library's own sources of principals, in every copy of it in a process. */
export const CONNECT = Symbol.for('nestjs-kinde-api-key:connect');

/** Returns a verified key as a principal, frozen like the key. */
export function principalOf(apiKey: VerifiedApiKey): ApiKeyPrincipal {
  return Object.freeze({ kind: 'api_key', id: apiKey.keyId, ...apiKey });
}
