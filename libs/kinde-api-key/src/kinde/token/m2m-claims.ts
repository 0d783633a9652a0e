import { isWireObject, own, parseObject, type WireObject } from '../answers/wire.js';

/** The scope that a token needs for every call of this room (Kinde Management API, "Verify API key" and "Get API key"). */
export const REQUIRED_SCOPE = 'read:api_keys';

/**
 * What a token says about itself. The signature is not checked: the token comes from Kinde's own token endpoint, and is only asked
 * why Kinde might refuse it and how long it lives.
 *
 * @returns the claims, or `undefined` if it is not a JWT that can be read
 */
export function readClaims(token: string): WireObject | undefined {
  const [header, payload, signature, ...more] = token.split('.');
  if (!header || !payload || !signature || more.length > 0) return undefined;
  return parseObject(Buffer.from(payload, 'base64url').toString('utf8'));
}

/** What a token would need to have and says that it has not. */
export type MissingPermission = 'audience' | 'scope';

/**
 * @param token the M2M token that Kinde does not take
 * @param audience the audience that it was asked for
 * @returns what it lacks by its own claims; `undefined` if it lacks nothing, or if it cannot be read (then nobody can tell)
 */
export function missingPermission(token: string, audience: string): MissingPermission | undefined {
  const claims = readClaims(token);
  if (claims === undefined) return undefined;
  if (!listOf(own(claims, 'aud')).includes(audience)) return 'audience';
  const granted = [...wordsOf(own(claims, 'scope')), ...wordsOf(own(claims, 'scp'))];
  return granted.includes(REQUIRED_SCOPE) ? undefined : 'scope';
}

/** The parts of an error answer's text that are looked at: enough for any message, little enough to cost nothing. */
const MESSAGE_LIMIT = 4_096;

/**
 * Whether Kinde's answer to a 401 or 403 says that the token's scope is the trouble.
 *
 * @param body the answer's body, of any shape
 * @param rawKey taken out of the text first: Kinde may echo the key, and whoever chooses the key would else choose our diagnosis
 */
export function saysScopeIsMissing(body: string, rawKey: string): boolean {
  const text = body.slice(0, MESSAGE_LIMIT).replaceAll(rawKey, '').toLowerCase();
  const errors = own(parseObject(text) ?? {}, 'errors');
  const entries = (Array.isArray(errors) ? errors : [errors]).filter(isWireObject);
  if (entries.length === 0) return namesScopeAsMissing(text);
  return entries.some((entry) =>
    namesScopeAsMissing([own(entry, 'code'), own(entry, 'message')].filter(isText).join(' ')),
  );
}

function isText(value: unknown): value is string {
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
