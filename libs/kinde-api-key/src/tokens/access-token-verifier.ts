import type { KeyObject } from 'node:crypto';
import { compactVerify, errors } from 'jose';
import type { Clock } from '../clock.js';
import { invalid, readAccessToken, type ClaimRules, type KindeAccessTokenPrincipal } from './access-token-claims.js';
import type { SigningKeys } from './signing-keys.js';

/** Maximum number of characters of a token. A longer one is refused before anything is parsed. */
const LONGEST_TOKEN = 16_384;
/** Maximum number of characters of a key id. */
const LONGEST_KEY_ID = 256;
/** `typ` of an access token: Kinde's, and those of RFC 9068 §2.1. Other tokens that Kinde signs have others. */
const TYPES = ['jwt', 'at+jwt', 'application/at+jwt'];
/** Parameters with which a header names a key of its own (RFC 7515 §4.1), and the one that changes what the others mean. */
const REFUSED_PARAMETERS = ['jwk', 'jku', 'x5u', 'x5c', 'crit', 'b64'];

interface Header {
  readonly kid?: unknown;
  readonly typ?: unknown;
}

/** Verifies access tokens: the signature with `jose` and Kinde's keys, then the claims. Caches nothing but the keys. */
export class AccessTokenVerifier {
  readonly #keys: Pick<SigningKeys, 'find'>;
  readonly #rules: ClaimRules;
  readonly #clock: Clock;

  constructor(keys: Pick<SigningKeys, 'find'>, rules: ClaimRules, clock: Clock) {
    this.#keys = keys;
    this.#rules = rules;
    this.#clock = clock;
  }

  /**
   * @param token of three parts, not checked yet
   * @throws {KindeAccessTokenError} INVALID_TOKEN or TOKEN_EXPIRED
   * @throws {KindeApiKeyUnavailableError} VERIFICATION_UNAVAILABLE if it is signed with an unknown key, and Kinde does not answer
   */
  async verify(token: string): Promise<KindeAccessTokenPrincipal> {
    if (token.length > LONGEST_TOKEN) throw invalid(`it is longer than ${LONGEST_TOKEN} characters`);
    const payload = await this.#signedPayload(token);
    return readAccessToken(payload, this.#rules, this.#clock.now());
  }

  async #signedPayload(token: string): Promise<Uint8Array> {
    try {
      const { payload } = await compactVerify(token, (header) => this.#keyOf(header), { algorithms: ['RS256'] });
      return payload;
    } catch (error) {
      // Its message may repeat a part of the header.
      if (error instanceof errors.JOSEError) throw invalid('its header or its signature is not acceptable');
      throw error;
    }
  }

  /** @param header of a token whose signature is not checked yet */
  async #keyOf(header: Header): Promise<KeyObject> {
    const { kid, typ = 'JWT' } = header;
    if (typeof typ !== 'string' || !TYPES.includes(typ.toLowerCase())) throw invalid('it is not an access token');
    if (REFUSED_PARAMETERS.some((name) => Object.hasOwn(header, name)))
      throw invalid('its header has a parameter that is not accepted');
    if (typeof kid !== 'string' || kid === '' || kid.length > LONGEST_KEY_ID) throw invalid('it names no key');
    return (await this.#keys.find(kid)) ?? invalidKey();
  }
}

function invalidKey(): never {
  throw invalid('Kinde does not know the key that it names');
}
