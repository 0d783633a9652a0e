import type { KindeResponse } from '../http.js';
import { readClaims } from './m2m-claims.js';
import { answerOfStatus, ownField, parseJsonAnswer, parseObject, type NoAnswer, type WireObject } from './wire.js';

const OAUTH_REFUSALS = ['invalid_client', 'unauthorized_client', 'invalid_scope', 'invalid_request'] as const;

/** OAuth errors that need a change in Kinde (RFC 6749, section 5.2; Kinde's M2M troubleshooting page). */
export type OAuthRefusal = (typeof OAUTH_REFUSALS)[number];

/** A token and its lifetime. */
export interface TokenAnswer {
  readonly kind: 'token';
  /** The token itself: a secret. */
  readonly accessToken: string;
  /** Counted from when the request for it was sent, in milliseconds; positive and finite. */
  readonly lifeMs: number;
  /** Its `exp`, in milliseconds since the epoch by Kinde's clock; infinite if it cannot be read. */
  readonly expiresAtMs: number;
}

/**
 * Every meaning of an answer of the token endpoint. `refused`: it rejects our credentials. `useless`: Kinde answered 200, without a token
 * that can be used.
 */
export type MintAnswer =
  | TokenAnswer
  | { readonly kind: 'refused'; readonly error: OAuthRefusal }
  | { readonly kind: 'useless'; readonly problem: string }
  | NoAnswer;

/**
 * Parses an answer of any status and content to `POST /oauth2/token`. Pure, and never throws.
 *
 * @param nowMs the time, in milliseconds since the epoch; used for a token that carries `exp` alone
 */
export function parseMintAnswer(response: KindeResponse, nowMs: number): MintAnswer {
  const { status } = response;
  if (status === 200) return parseToken(response, nowMs);
  if (status === 400 || status === 401 || status === 403) {
    const sent = ownField(parseObject(response.body) ?? {}, 'error');
    const error = OAUTH_REFUSALS.find((refusal) => refusal === sent);
    if (error) return { kind: 'refused', error };
  }
  return answerOfStatus(status);
}

function parseToken(response: KindeResponse, nowMs: number): MintAnswer {
  const answer = parseJsonAnswer(response);
  if (typeof answer === 'string') return useless(answer);
  const accessToken = ownField(answer, 'access_token');
  const tokenType = ownField(answer, 'token_type') ?? 'bearer';
  // Only visible ASCII fits into a header.
  if (typeof accessToken !== 'string' || !/^[\x21-\x7e]+$/.test(accessToken))
    return useless("'access_token' is not a token");
  if (typeof tokenType !== 'string' || tokenType.toLowerCase() !== 'bearer')
    return useless("'token_type' is not bearer");
  const claims = readClaims(accessToken) ?? {};
  const expiresAt = secondsOf(ownField(claims, 'exp'));
  const lifeMs = lifeSecondsOf(ownField(answer, 'expires_in'), claims, nowMs) * 1_000;
  if (!Number.isFinite(lifeMs) || lifeMs <= 0) return useless('the M2M token has no lifetime');
  return { kind: 'token', accessToken, lifeMs, expiresAtMs: (expiresAt ?? Number.POSITIVE_INFINITY) * 1_000 };
}

function useless(problem: string): MintAnswer {
  return { kind: 'useless', problem: `Kinde's answer is not usable (${problem})` };
}

/**
 * The shorter of `expires_in` and the token's own `exp - iat`, which do not depend on our clock; else the time until `exp`. What cannot be
 * read counts as absent.
 */
function lifeSecondsOf(expiresIn: unknown, claims: WireObject, nowMs: number): number {
  const expiresAt = secondsOf(ownField(claims, 'exp'));
  const issuedAt = secondsOf(ownField(claims, 'iat'));
  const own = expiresAt === undefined || issuedAt === undefined ? undefined : expiresAt - issuedAt;
  const lives = [secondsOf(expiresIn), own].filter((life) => life !== undefined);
  if (lives.length > 0) return Math.min(...lives);
  return expiresAt === undefined ? Number.NaN : expiresAt - nowMs / 1_000;
}

/** A finite number, or one in decimal digits: some gateways turn numbers into texts. */
function secondsOf(value: unknown): number | undefined {
  if (typeof value === 'string' && /^\d{1,15}$/.test(value)) return Number(value);
  return typeof value === 'number' && Number.isFinite(value * 1_000) ? value : undefined;
}
