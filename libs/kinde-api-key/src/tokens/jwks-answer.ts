import { createPublicKey, type KeyObject } from 'node:crypto';
import {
  answerOfStatus,
  isWireObject,
  ownField,
  parseJsonAnswer,
  unusable,
  type NoAnswer,
} from '../kinde/answers/wire.js';
import type { KindeResponse } from '../kinde/http.js';

/** Maximum number of keys in a JWKS. Kinde publishes one or two. */
const MAX_KEYS = 50;
/** Minimum length of an RSA key in bits (RFC 7518 §3.3). */
const MIN_RSA_BITS = 2_048;

/** Every meaning of an answer of `GET /.well-known/jwks`. `keys` are public keys for RS256 by key id, at least one. */
export type JwksAnswer = { readonly kind: 'keys'; readonly keys: ReadonlyMap<string, KeyObject> } | NoAnswer;

/**
 * Parses an answer of any status and content to `GET /.well-known/jwks` (RFC 7517 §5). Keys that are not for RS256 signatures are left out.
 * A set that does not say which keys are good is no answer at all: it must not replace a good one. Never throws.
 */
export function parseJwksAnswer(response: KindeResponse): JwksAnswer {
  if (response.status !== 200) return answerOfStatus(response.status);
  const answer = parseJsonAnswer(response);
  if (typeof answer === 'string') return unusable(answer);
  const given = ownField(answer, 'keys');
  if (!Array.isArray(given) || given.length > MAX_KEYS || !given.every(isWireObject))
    return unusable(`'keys' is not a list of at most ${MAX_KEYS} keys`);
  const keys = new Map<string, KeyObject>();
  for (const jwk of given) {
    if (!isForSignatures(jwk)) continue;
    const kid = ownField(jwk, 'kid');
    const key = publicKeyOf(ownField(jwk, 'n'), ownField(jwk, 'e'));
    if (typeof kid !== 'string' || kid === '' || !key) return unusable('a key for signatures cannot be read');
    if (keys.has(kid)) return unusable('two keys have the same id');
    keys.set(kid, key);
  }
  return keys.size > 0 ? { kind: 'keys', keys } : unusable('it has no key for RS256 signatures');
}

function isForSignatures(jwk: Readonly<Record<string, unknown>>): boolean {
  const isFor = (field: string, value: string): boolean => [undefined, value].includes(ownField(jwk, field) as string);
  return ownField(jwk, 'kty') === 'RSA' && isFor('use', 'sig') && isFor('alg', 'RS256');
}

/** Takes the two numbers of a public key and nothing else: what else a JWK says does not reach the crypto library. */
function publicKeyOf(n: unknown, e: unknown): KeyObject | undefined {
  if (typeof n !== 'string' || typeof e !== 'string') return undefined;
  try {
    const key = createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' });
    return (key.asymmetricKeyDetails?.modulusLength ?? 0) >= MIN_RSA_BITS ? key : undefined;
  } catch {
    return undefined;
  }
}
