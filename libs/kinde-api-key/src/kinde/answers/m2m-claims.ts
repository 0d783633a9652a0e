import { isWireObject, ownField, parseObject, type WireObject } from './wire.js';

/** The scope that the M2M token needs (Kinde Management API, "Verify API key" and "Get API key"). */
export const REQUIRED_SCOPE = 'read:api_keys';

/**
 * Reads the claims of our own M2M token. The signature is not checked, because the token comes from Kinde's token endpoint. The claims only
 * tell why Kinde might reject it, and its lifetime.
 *
 * @returns the claims, or `undefined` if the token is not a readable JWT
 */
export function readClaims(token: string): WireObject | undefined {
  const [header, payload, signature, ...more] = token.split('.');
  if (!header || !payload || !signature || more.length > 0) return undefined;
  return parseObject(Buffer.from(payload, 'base64url').toString('utf8'));
}

/** What an M2M token lacks by its own claims. */
export type MissingPermission = 'audience' | 'scope';

/**
 * @param token the M2M token that Kinde rejected
 * @param audience the audience that it was requested for
 * @returns what it lacks by its own claims; `undefined` if it lacks nothing or cannot be read
 */
export function missingPermission(token: string, audience: string): MissingPermission | undefined {
  const claims = readClaims(token);
  if (claims === undefined) return undefined;
  if (!listOf(ownField(claims, 'aud')).includes(audience)) return 'audience';
  const granted = [...wordsOf(ownField(claims, 'scope')), ...wordsOf(ownField(claims, 'scp'))];
  return granted.includes(REQUIRED_SCOPE) ? undefined : 'scope';
}

/** Characters of an error answer that are searched: enough for any message, and cheap. */
const MESSAGE_LIMIT = 4_096;

/**
 * Whether the body of a 401 or 403 says that the token lacks a scope.
 *
 * @param body of any shape
 * @param rawKey removed from the body first: Kinde may echo the key, and its sender must not choose our diagnosis
 */
export function saysScopeIsMissing(body: string, rawKey: string): boolean {
  const text = body.slice(0, MESSAGE_LIMIT).replaceAll(rawKey, '').toLowerCase();
  const errors = ownField(parseObject(text) ?? {}, 'errors');
  const entries = (Array.isArray(errors) ? errors : [errors]).filter(isWireObject);
  if (entries.length === 0) return namesScopeAsMissing(text);
  return entries.some((entry) =>
    namesScopeAsMissing([ownField(entry, 'code'), ownField(entry, 'message')].filter(isString).join(' ')),
  );
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function namesScopeAsMissing(text: string): boolean {
  return text.includes('scope') && text.includes('missing');
}

function listOf(claim: unknown): unknown[] {
  return Array.isArray(claim) ? claim : [claim];
}

function wordsOf(claim: unknown): unknown[] {
  return typeof claim === 'string' ? claim.split(' ') : listOf(claim);
}
