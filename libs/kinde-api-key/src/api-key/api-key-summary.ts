import type { ApiKeyOwnerType } from './verified-api-key.js';

/** An API key as `ApiKeysService.list()` shows it, without its secret. Every field comes from Kinde's answer. Frozen. */
export interface ApiKeySummary {
  /** Kinde's stable id of the key, e.g. `api_key_0195ac80…`. It survives a rotation of the secret. */
  readonly keyId: string;
  /** The name that it was given, or `null`. */
  readonly name: string | null;
  /** What the key belongs to; `null` for a kind that this version of the library does not know. */
  readonly ownerType: ApiKeyOwnerType | null;
  /** `active`, `inactive` or `revoked`. Kinde may add others. */
  readonly status: string;
  /** The first characters of the raw key, for people to recognize it, or `null`. */
  readonly keyPrefix: string | null;
  /** The last characters of the raw key, or `null`. */
  readonly keySuffix: string | null;
  /** When the key was created, as `2024-11-18T02:32:03.000Z`, or `null`. A time in a form that cannot be read is Kinde's own text. */
  readonly createdOn: string | null;
  /** When Kinde last verified the key, in the same form; `null` if it never did. Requests that are answered from the cache do not count. */
  readonly lastVerifiedOn: string | null;
  /** The address from which Kinde was last asked about the key: your server's, not the client's. */
  readonly lastVerifiedIp: string | null;
  /** Who created the key in Kinde, or `null`. */
  readonly createdBy: string | null;
  /** The registered APIs that the key belongs to. */
  readonly apiIds: readonly string[];
  /** The scopes that it was granted. They cannot be changed. */
  readonly scopes: readonly string[];
}

/** One API key, as `ApiKeysService.get()` returns it. Frozen. */
export interface ApiKeyDetails extends ApiKeySummary {
  /** The organization that the key belongs to, or `null`. */
  readonly orgCode: string | null;
  /** The user that the key belongs to (`kp_…`), or `null`. */
  readonly userId: string | null;
  /** How often Kinde verified the key, or `null`. */
  readonly verificationCount: number | null;
}

/** A key that was just created or rotated. The only time that Kinde shows its secret: hand it to its owner, and neither log nor store it. */
export interface NewApiKey {
  readonly keyId: string;
  /** The raw key. */
  readonly key: string;
}
