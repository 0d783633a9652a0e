import type { KindeResponse } from '../http.js';
import { readClaims } from './m2m-claims.js';
import { answerOfStatus, ownField, parseJsonAnswer, parseObject, unusable, type NoAnswer } from './wire.js';

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
}

/**
 * Every meaning of an answer of the token endpoint.
 * - `refused`: it rejects our credentials
 * - `unusable`: it issued a token, which Kinde bills, and the token cannot be used
 */
export type MintAnswer =
  | TokenAnswer
  | { readonly kind: 'refused'; readonly error: OAuthRefusal }
  | { readonly kind: 'unusable'; readonly problem: string }
  | NoAnswer;

/**
 * Parses an answer of any status and content to `POST /oauth2/token`. Pure, and never throws.
 *
 * @param nowMs the time, in milliseconds since the epoch; used for a token that carries `exp` alone
 * @param unstatedLifeMs lifetime of a token that states none, in milliseconds. Default: such a token is unusable
 */
export function parseMintAnswer(response: KindeResponse, nowMs: number, unstatedLifeMs?: number): MintAnswer {
  const { status } = response;
  if (status === 200) return parseToken(response, nowMs, unstatedLifeMs);
  if (status === 400 || status === 401 || status === 403) {
    const sent = ownField(parseObject(response.body) ?? {}, 'error');
    const error = OAUTH_REFUSALS.find((refusal) => refusal === sent);
    if (error) return { kind: 'refused', error };
  }
  return answerOfStatus(status);
}

function parseToken(response: KindeResponse, nowMs: number, unstatedLifeMs = Number.NaN): MintAnswer {
  const answer = parseJsonAnswer(response);
  if (typeof answer === 'string') return unusable(answer);
  const accessToken = ownField(answer, 'access_token');
  const tokenType = ownField(answer, 'token_type') ?? 'bearer';
  // Only visible ASCII fits into a header.
  if (typeof accessToken !== 'string' || !/^[\x21-\x7e]+$/.test(accessToken))
    return unusableMint("'access_token' is not a token");
  if (typeof tokenType !== 'string' || tokenType.toLowerCase() !== 'bearer')
    return unusableMint("'token_type' is not bearer");
  const expiresIn = ownField(answer, 'expires_in') ?? undefined;
  const statedMs = lifeSecondsOf(expiresIn, accessToken, nowMs) * 1_000;
  const lifeMs = Number.isNaN(statedMs) && expiresIn === undefined ? unstatedLifeMs : statedMs;
  if (!isLife(lifeMs)) return unusableMint('the M2M token has no lifetime');
  return { kind: 'token', accessToken, lifeMs };
}

function unusableMint(problem: string): MintAnswer {
  return { kind: 'unusable', problem: unusable(problem).problem };
}

/**
 * The shorter of `expires_in`, which may be digits in a string, and the token's own `exp - iat`: neither depends on our clock. If neither can
 * be read, the time until `exp`.
 */
function lifeSecondsOf(expiresIn: unknown, accessToken: string, nowMs: number): number {
  const claims = readClaims(accessToken) ?? {};
  const expiresAt = numberOf(ownField(claims, 'exp'));
  const stated = typeof expiresIn === 'string' && /^\d+$/.test(expiresIn) ? Number(expiresIn) : numberOf(expiresIn);
  const lives = [stated, expiresAt - numberOf(ownField(claims, 'iat'))].filter(isLife);
  return lives.length > 0 ? Math.min(...lives) : expiresAt - nowMs / 1_000;
}

function isLife(life: number): boolean {
  return Number.isFinite(life) && life > 0;
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : Number.NaN;
}
