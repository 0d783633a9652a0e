/** What a key belongs to: a user, an organization, or the whole Kinde environment. */
export type ApiKeyOwnerType = 'user' | 'organization' | 'environment';

/**
 * An API key that Kinde has confirmed to be valid and active. `@CurrentApiKey()` gives it to a handler.
 *
 * Every field comes from Kinde's answer, never from the request. The object and its scopes are frozen: while the verification is cached,
 * every request with the key gets the same object.
 */
export interface VerifiedApiKey {
  /** Kinde's stable id of the key, e.g. `api_key_0195ac80…`. It survives a rotation of the secret. */
  readonly keyId: string;
  /** The scopes that the key was granted when it was created. */
  readonly scopes: readonly string[];
  /** The organization that the key belongs to, or `null`. */
  readonly orgCode: string | null;
  /** The user that the key belongs to (`kp_…`), or `null`. */
  readonly userId: string | null;
  /** `'user'` if the key has a user, else `'organization'` if it has an organization, else `'environment'`. */
  readonly ownerType: ApiKeyOwnerType;
  /** When Kinde last verified the key, in Kinde's format (`2024-11-18T13:32:03+11`), or `null`. Some parsers reject the short offset. */
  readonly lastVerifiedOn: string | null;
  /** How often Kinde had verified the key when it answered, or `null` if its answer did not include it. Cache hits do not count at Kinde. */
  readonly verificationCount: number | null;
}
