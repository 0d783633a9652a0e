import type { KindeResponse } from '../http.js';
import { readClaims } from '../token/m2m-claims.js';
import {
  answerOfStatus,
  unusable,
  own,
  parseJsonAnswer,
  parseObject,
  type UnusableAnswer,
  type ThrottledAnswer,
} from './wire.js';

/** The OAuth errors that say that somebody has to change something in Kinde (RFC 6749, section 5.2; Kinde's M2M troubleshooting page). */
export type OAuthRefusal = 'invalid_client' | 'unauthorized_client' | 'invalid_scope' | 'invalid_request';

/** A token, with the length of its life. */
export interface TokenAnswer {
  readonly kind: 'token';
  /** The token itself: a secret. */
  readonly accessToken: string;
  /** From when the request for it was sent, in milliseconds; positive and finite. */
  readonly lifeMs: number;
}

/** The token endpoint refuses our credentials. */
export interface RefusedAnswer {
  readonly kind: 'refused';
  readonly error: OAuthRefusal;
}

/** Everything that an answer of the token endpoint can mean. */
export type MintAnswer = TokenAnswer | RefusedAnswer | ThrottledAnswer | UnusableAnswer;

/**
 * What an answer to `POST /oauth2/token` means. Pure, and never throws.
 *
 * @param response the answer, of any status and content
 * @param nowMs the time, only for a token that says when it ends and nothing else
 */
export function parseMintAnswer(response: KindeResponse, nowMs: number): MintAnswer {
  const { status } = response;
  if (status === 200) return parseToken(response, nowMs);
  if (status === 400 || status === 401 || status === 403) {
    const error = own(parseObject(response.body) ?? {}, 'error');
    if (isOAuthRefusal(error)) return { kind: 'refused', error };
  }
  return answerOfStatus(status);
}

function parseToken(response: KindeResponse, nowMs: number): TokenAnswer | UnusableAnswer {
  const answer = parseJsonAnswer(response);
  if (typeof answer === 'string') return unusable(answer);
  const accessToken = own(answer, 'access_token');
  const tokenType = own(answer, 'token_type') ?? 'bearer';
  // What is not visible ASCII cannot stand in a header.
  if (typeof accessToken !== 'string' || !/^[\x21-\x7e]+$/.test(accessToken))
    return unusable("'access_token' is not a token");
  if (typeof tokenType !== 'string' || tokenType.toLowerCase() !== 'bearer')
    return unusable("'token_type' is not bearer");
  const lifeMs = lifeSecondsOf(own(answer, 'expires_in') ?? undefined, accessToken, nowMs) * 1_000;
  if (!Number.isFinite(lifeMs) || lifeMs <= 0) return unusable('the M2M token does not say how long it lives');
  return { kind: 'token', accessToken, lifeMs };
}

/** `expires_in`; else the token's own `exp - iat`, which is right on a machine whose clock is not; else what is left until `exp`. */
function lifeSecondsOf(expiresIn: unknown, accessToken: string, nowMs: number): number {
  if (expiresIn !== undefined) return numberOf(expiresIn);
  const claims = readClaims(accessToken) ?? {};
  const expiresAt = numberOf(own(claims, 'exp'));
  const issuedAt = own(claims, 'iat');
  return expiresAt - (issuedAt === undefined ? nowMs / 1_000 : numberOf(issuedAt));
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : Number.NaN;
}

function isOAuthRefusal(error: unknown): error is OAuthRefusal {
  return (
    error === 'invalid_client' ||
    error === 'unauthorized_client' ||
    error === 'invalid_scope' ||
    error === 'invalid_request'
  );
}
