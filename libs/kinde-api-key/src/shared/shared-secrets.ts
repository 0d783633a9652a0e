import { createHmac, hash, hkdfSync } from 'node:crypto';
import type { ResolvedOptions } from '../config/resolved-options.js';

/** What a registration is known by: instances share verdicts, tokens and limits if these are equal. */
export type SharedIdentity = Pick<
  ResolvedOptions['kinde'],
  'origin' | 'clientId' | 'clientSecret' | 'audience' | 'apiId'
>;

/**
 * Names and secrets of one registration in the shared store. The secrets are derived from the client secret (HKDF-SHA256, RFC 5869),
 * which the store never holds. So write access to the store is not enough to read a token or to forge a verdict.
 */
export class SharedSecrets {
  readonly #nameSecret: Buffer;
  readonly #macSecret: Buffer;
  readonly #tokenSecret: Buffer;
  readonly #verdicts: string;
  readonly #buckets: string;
  /** Name of the invalidations of the Kinde domain. Needs no secret. */
  readonly invalidations: string;
  /** Name of the M2M token. */
  readonly tokenName: string;
  /** Name of the instances that count limits together. */
  readonly instancesName: string;
  /** Name of the lock of the instance that fetches the token. */
  readonly tokenLockName: string;

  constructor({ origin, clientId, clientSecret, audience, apiId }: SharedIdentity) {
    const derive = (purpose: string): Buffer =>
      Buffer.from(hkdfSync('sha256', clientSecret, `nkak:v1:${origin}:${clientId}`, purpose, 32));
    this.#nameSecret = derive('index');
    this.#macSecret = derive('entry');
    this.#tokenSecret = derive('token');
    const domain = `nkak:v1:${short(origin)}`;
    const client = `${domain}:${short(clientId)}`;
    this.invalidations = `${domain}:gone`;
    this.tokenName = `${client}:token:${short(audience)}`;
    this.tokenLockName = `${this.tokenName}:lock`;
    this.instancesName = `${client}:instances`;
    this.#buckets = `${client}:rate`;
    this.#verdicts = `${client}:key:${apiId === null ? 'any' : short(apiId)}`;
  }

  /** Returns the name of a key's verdict. It does not reveal the digest, and differs between registrations for different APIs. */
  verdictName(digest: string): string {
    return `${this.#verdicts}:${createHmac('sha256', this.#nameSecret).update(digest, 'latin1').digest('base64url')}`;
  }

  /** Returns the name of a rate limit bucket, hashed because paths and key ids have any length. */
  bucketName(bucket: string, windowMs: number): string {
    return `${this.#buckets}:${short(`${windowMs} ${bucket}`)}`;
  }

  /** Returns the HMAC that authenticates `text` under this name and no other. */
  macOf(name: string, text: string): string {
    return createHmac('sha256', this.#macSecret).update(name).update('\n').update(text).digest('base64url');
  }

  /** Returns the secret that encrypts the M2M token. */
  revealTokenSecret(): Buffer {
    return this.#tokenSecret;
  }
}

function short(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 22);
}
