import { generateKeyPair, type KeyObject, randomUUID, sign, verify } from 'node:crypto';
import { promisify } from 'node:util';
import type { Clock } from '../../clock.js';

/** Contents of a token. */
export interface TokenContents {
  readonly clientId: string;
  readonly audience: readonly string[];
  readonly scopes: readonly string[];
  readonly lifetimeSeconds: number;
  readonly orgCode?: string | null | undefined;
  /** A user's token. Otherwise it is an M2M token. */
  readonly userId?: string | null | undefined;
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
}

/** Claims of an M2M token that the Management API checks. */
export interface TokenClaims {
  readonly clientId: string;
  readonly scopes: readonly string[];
}

interface RawClaims {
  readonly iss: string;
  readonly aud: readonly string[];
  readonly azp: string;
  readonly exp: number;
  readonly jti: string;
  readonly scp: readonly string[];
}

const generateRsaKeyPair = promisify(generateKeyPair);

/** Issues and checks the emulator's tokens: JWTs signed with RS256, by one key at a time. */
export class TokenIssuer {
  readonly #issuer: string;
  readonly #clock: Clock;
  #keys: SigningKeys;
  #keyId = randomUUID();
  #generation = 0;

  /** @param issuer The `iss` claim: the emulator's origin. */
  constructor(issuer: string, clock: Clock, keys: SigningKeys) {
    this.#issuer = issuer;
    this.#clock = clock;
    this.#keys = keys;
  }

  /** Returns a signed token in Kinde's shape: `scope` and `scp`, `aud` as an array, `v: "2"`. */
  issue(contents: TokenContents): string {
    const issuedAt = Math.floor(this.#clock.now() / 1000);
    const claims = {
      aud: contents.audience,
      azp: contents.clientId,
      exp: issuedAt + contents.lifetimeSeconds,
      ...(contents.userId ? { sub: contents.userId } : { gty: ['client_credentials'] }),
      iat: issuedAt,
      iss: this.#issuer,
      jti: `${this.#generation}-${randomUUID()}`,
      ...(contents.orgCode ? { org_code: contents.orgCode } : {}),
      scope: contents.scopes.join(' '),
      scp: contents.scopes,
      v: '2',
      ...contents.claims,
    };
    const content = `${encodePart({ alg: 'RS256', kid: this.#keyId, typ: 'JWT' })}.${encodePart(claims)}`;
    return `${content}.${sign('RSA-SHA256', Buffer.from(content), this.#keys.privateKey).toString('base64url')}`;
  }

  /**
   * Checks signature, issuer, audience, expiry (by the emulator's clock) and revocation.
   *
   * @param audience The token must have one of these audiences.
   * @returns The claims, or `undefined` if the token is not valid.
   */
  check(token: string, audience: readonly string[]): TokenClaims | undefined {
    const parts = token.split('.');
    const [header, payload, signature] = parts;
    if (parts.length !== 3 || !header || !payload || !signature) return undefined;
    const content = Buffer.from(`${header}.${payload}`);
    if (!verify('RSA-SHA256', content, this.#keys.publicKey, Buffer.from(signature, 'base64url'))) return undefined;
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as RawClaims;
    if (claims.iss !== this.#issuer || this.#clock.now() >= claims.exp * 1000) return undefined;
    if (!claims.jti.startsWith(`${this.#generation}-`)) return undefined;
    if (!claims.aud.some((name) => audience.includes(name))) return undefined;
    return { clientId: claims.azp, scopes: claims.scp };
  }

  /** Revokes all tokens issued so far. */
  revokeAll(): void {
    this.#generation += 1;
  }

  /** Signs with another key from now on. Tokens of the key before are no longer valid. */
  rotate(keys: SigningKeys): void {
    this.#keys = keys;
    this.#keyId = randomUUID();
  }

  /** Returns the public key as a JSON Web Key Set. */
  jwks(): { readonly keys: readonly object[] } {
    const jwk = this.#keys.publicKey.export({ format: 'jwk' });
    return { keys: [{ ...jwk, alg: 'RS256', kid: this.#keyId, use: 'sig' }] };
  }
}

/** RSA key pair of an issuer. */
export interface SigningKeys {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** Generates a 2048-bit RSA key pair: about 0.1 s, off the main thread. */
export function generateSigningKeys(): Promise<SigningKeys> {
  return generateRsaKeyPair('rsa', { modulusLength: 2048 });
}

function encodePart(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
