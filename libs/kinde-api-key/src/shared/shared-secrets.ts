import { createHmac, hash, hkdfSync } from 'node:crypto';

/** Whose keys they are. */
export interface SharedIdentity {
  readonly origin: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly audience: string;
  readonly apiId: string | null;
}

/**
 * The names and secrets with which a registration uses the shared store. The secrets are derived from the client secret (HKDF-SHA256,
 * RFC 5869), which the store does not hold: who can read and write the store can neither read a token nor make an entry. After a
 * rotation of the client secret old entries are unreadable, and nothing else.
 */
export class SharedSecrets {
  readonly #index: Buffer;
  /** Authenticates verdicts. */
  readonly #entry: Buffer;
  readonly #token: Buffer;
  readonly #verdicts: string;
  readonly #buckets: string;
  /** Where the invalidations of this Kinde domain are: needs no secret. */
  readonly invalidations: string;
  /** Where the M2M token is; with `:lock` behind it, who is fetching one. */
  readonly tokenName: string;

  /** @param identity whose they are */
  constructor({ origin, clientId, clientSecret, audience, apiId }: SharedIdentity) {
    const derive = (purpose: string): Buffer =>
      Buffer.from(hkdfSync('sha256', clientSecret, `nkak:v1:${origin}:${clientId}`, purpose, 32));
    this.#index = derive('index');
    this.#entry = derive('entry');
    this.#token = derive('token');
    const domain = `nkak:v1:${short(origin)}`;
    this.invalidations = `${domain}:gone`;
    this.tokenName = `${domain}:${short(clientId)}:token:${short(audience)}`;
    this.#buckets = `${domain}:${short(clientId)}:rate`;
    this.#verdicts = `${domain}:${short(clientId)}:key:${apiId === null ? 'any' : short(apiId)}`;
  }

  /**
   * @param digest of the raw key
   * @returns where its verdict is: without the client secret nobody can tell which key that is. Registrations that accept the keys of
   *   different APIs have different places
   */
  verdictName(digest: string): string {
    return `${this.#verdicts}:${createHmac('sha256', this.#index).update(digest, 'latin1').digest('base64url')}`;
  }

  /** @returns where the requests of a bucket are counted: it is no secret, but names of classes and keys have any length */
  bucketName(bucket: string, windowMs: number): string {
    return `${this.#buckets}:${short(`${windowMs} ${bucket}`)}`;
  }

  /** @returns the tag that makes `text` an entry of the name and of no other */
  macOf(name: string, text: string): string {
    return createHmac('sha256', this.#entry).update(name).update('\n').update(text).digest('base64url');
  }

  /** @returns the key of the token's encryption */
  revealTokenKey(): Buffer {
    return this.#token;
  }
}

function short(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 22);
}
