/** Who a key belongs to: a user, an organization, or the whole Kinde environment. */
export type ApiKeyOwnerType = 'user' | 'organization' | 'environment';

/**
 * An API key that Kinde has confirmed to be valid and active: what a handler gets from `@CurrentApiKey()`.
 *
 * Every field comes from Kinde's answer, none from the request. The object and its scopes are frozen: one object serves every
 * request that is made with the key while its verification is cached.
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
  /** When Kinde last verified the key, as Kinde writes it (`2024-11-18T13:32:03+11`; not every parser takes the short offset), or `null`. */
  readonly lastVerifiedOn: string | null;
  /** How often Kinde had verified the key when it answered us, or `null` if it did not say. Cache hits do not count at Kinde. */
  readonly verificationCount: number | null;
}
