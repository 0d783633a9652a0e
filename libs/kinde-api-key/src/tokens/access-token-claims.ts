import type { Principal } from '../api-key/principal.js';
import { KindeAccessTokenError } from '../kinde-api-key.errors.js';
import { isStringArray, isWireObject, ownField, parseObject, type WireObject } from '../kinde/answers/wire.js';

/** An access token of Kinde that was accepted. Frozen, `claims` at every depth. */
export interface KindeAccessTokenPrincipal extends Principal {
  readonly kind: 'access_token';
  /** The user id, or the client id for a token without a user. Rate limits count by it. */
  readonly id: string;
  /** What the claims `scope` (a text) and `scp` (a list) grant, together. */
  readonly scopes: readonly string[];
  /** The claim `org_code`, or `null`. */
  readonly orgCode: string | null;
  /** The claim `sub`, or `null` for an M2M token: that one belongs to an application. */
  readonly userId: string | null;
  /** The claim `azp`: the application that the token was issued to, or `null`. Always set for an M2M token. */
  readonly clientId: string | null;
  /** Every claim as Kinde signed it, e.g. `permissions` and `feature_flags`. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** What the claims must say. */
export interface ClaimRules {
  readonly issuer: string;
  /** `aud` must contain one of them. */
  readonly audiences: readonly string[];
  /** How far the clocks of Kinde and this machine may differ. */
  readonly toleranceSeconds: number;
}

/**
 * Reads the payload of an access token whose signature was checked. A claim of another type than Kinde documents is refused and not guessed.
 * Pure.
 *
 * @throws {KindeAccessTokenError} INVALID_TOKEN; TOKEN_EXPIRED if nothing but the time is wrong
 */
export function readAccessToken(payload: Uint8Array, rules: ClaimRules, nowMs: number): KindeAccessTokenPrincipal {
  const claims = claimsOf(payload);
  checkAudience(claims, rules);
  const principal = principalOf(claims);
  checkTimes(claims, rules.toleranceSeconds, nowMs / 1_000);
  return principal;
}

function claimsOf(payload: Uint8Array): WireObject {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload);
  } catch {
    throw invalid('its payload is not UTF-8');
  }
  return parseObject(text) ?? invalidNow('its payload is not a JSON object');
}

function checkAudience(claims: WireObject, { issuer, audiences }: ClaimRules): void {
  if (ownField(claims, 'iss') !== issuer) throw invalid('another issuer issued it');
  // An ID token is signed with the same key. It is for the application that the user signed in to (OpenID Connect Core §3.1.3.6).
  if (ownField(claims, 'at_hash') !== undefined) throw invalid('it is an ID token');
  const given = ownField(claims, 'aud');
  const named = typeof given === 'string' ? [given] : given;
  if (!isStringArray(named) || !named.some((audience) => audiences.includes(audience)))
    throw invalid('it is for another audience');
}

function principalOf(claims: WireObject): KindeAccessTokenPrincipal {
  const clientId = textOf(claims, 'azp');
  const subject = textOf(claims, 'sub');
  const userId = subject === clientId || isM2m(claims) ? null : subject;
  const id = userId ?? clientId;
  if (id === null) throw invalid('it names neither a user nor an application');
  const scopes = [...wordsOf(claims, 'scope'), ...listOf(claims, 'scp')];
  return Object.freeze({
    kind: 'access_token',
    id,
    scopes: Object.freeze([...new Set(scopes)]),
    orgCode: textOf(claims, 'org_code'),
    userId,
    clientId,
    claims: deepFrozen(claims),
  });
}

/** Checked last: a client renews a token because it has expired, and any other fault would stay. */
function checkTimes(claims: WireObject, toleranceSeconds: number, now: number): void {
  const [expiresAt, notBefore, issuedAt] = ['exp', 'nbf', 'iat'].map((name) => secondsOf(claims, name));
  if (expiresAt === undefined) throw invalid('it has no end');
  if (Math.max(notBefore ?? 0, issuedAt ?? 0) > now + toleranceSeconds) throw invalid('it is not valid yet');
  if (expiresAt <= now - toleranceSeconds)
    throw new KindeAccessTokenError('TOKEN_EXPIRED', 'The access token has expired');
}

function isM2m(claims: WireObject): boolean {
  const given = ownField(claims, 'gty') ?? [];
  const grants = typeof given === 'string' ? [given] : given;
  if (!isStringArray(grants)) throw wrongType('gty');
  return grants.includes('client_credentials');
}

/** Returns `null` for a claim that is absent, null or empty. */
function textOf(claims: WireObject, name: string): string | null {
  const value = ownField(claims, name) ?? null;
  if (value !== null && typeof value !== 'string') throw wrongType(name);
  return value === '' ? null : value;
}

function wordsOf(claims: WireObject, name: string): string[] {
  return (textOf(claims, name) ?? '').split(' ').filter((word) => word !== '');
}

function listOf(claims: WireObject, name: string): readonly string[] {
  const value = ownField(claims, name) ?? [];
  if (!isStringArray(value)) throw wrongType(name);
  return value;
}

function secondsOf(claims: WireObject, name: string): number | undefined {
  const value = ownField(claims, name);
  if (value !== undefined && !(typeof value === 'number' && Number.isFinite(value))) throw wrongType(name);
  return value;
}

function wrongType(name: string): KindeAccessTokenError {
  return invalid(`its claim '${name}' has a wrong type`);
}

/** @param why without any part of the token */
export function invalid(why: string): KindeAccessTokenError {
  return new KindeAccessTokenError('INVALID_TOKEN', `The access token is not valid here: ${why}`);
}

function invalidNow(why: string): never {
  throw invalid(why);
}

/** Freezes a JSON value at every depth. */
function deepFrozen<Value>(value: Value): Value {
  if (Array.isArray(value) || isWireObject(value)) for (const inner of Object.values(value)) deepFrozen(inner);
  return Object.freeze(value);
}
