import { isWireObject, ownField, parseObject, type WireObject } from './wire.js';

/** The scope that the M2M token needs (Kinde Management API, "Verify API key" and "Get API key"). */
export const REQUIRED_SCOPE = 'read:api_keys';

/**
 * Returns the claims of our own M2M token, or `undefined` if it is not a readable JWT. The signature is not checked, because the token comes
 * from Kinde's token endpoint. The claims only tell why Kinde might reject it, and its lifetime.
 */
export function readClaims(token: string): WireObject | undefined {
  const [header, payload, signature, ...more] = token.split('.');
  if (!header || !payload || !signature || more.length > 0) return undefined;
  return parseObject(Buffer.from(payload, 'base64url').toString('utf8'));
}

/** What an M2M token lacks by its own claims. */
export type MissingPermission = 'audience' | 'scope';

/**
 * Returns what an M2M token for `audience` lacks by its own claims; `undefined` if it lacks nothing or cannot be read.
 *
 * @param scope the scope that it needs. Default: the one for verifications
 */
export function missingPermission(
  token: string,
  audience: string,
  scope: string = REQUIRED_SCOPE,
): MissingPermission | undefined {
  const claims = readClaims(token);
  if (claims === undefined) return undefined;
  if (![ownField(claims, 'aud')].flat().includes(audience)) return 'audience';
  return scopesOf(claims).includes(scope) ? undefined : 'scope';
}

/** Returns the scopes of a token: `scope` is a text, `scp` a list, and Kinde sends one or both. */
export function scopesOf(claims: WireObject): string[] {
  const words = [ownField(claims, 'scope'), ownField(claims, 'scp')].flatMap((claim) =>
    typeof claim === 'string' ? claim.split(' ') : claim,
  );
  return [...new Set(words.filter((word) => typeof word === 'string'))];
}

/** Whether an M2M token has expired by its own `exp`. Only a hint, because the clock of this machine may be wrong. */
export function saysExpired(token: string, nowMs: number): boolean {
  const expiresAt = ownField(readClaims(token) ?? {}, 'exp');
  return typeof expiresAt === 'number' && expiresAt * 1_000 <= nowMs;
}

/** Characters of an error answer that are searched: enough for any message, and cheap. */
const MESSAGE_LIMIT = 4_096;

/**
 * Whether the body of a 401 or 403 says that the token lacks a scope.
 *
 * @param body of any shape
 * @param rawKey removed from the body first: Kinde may echo the key, and its sender must not choose our diagnosis. Unset: no key was sent
 */
export function saysScopeIsMissing(body: string, rawKey = ''): boolean {
  const text = body.slice(0, MESSAGE_LIMIT).replaceAll(rawKey, '').toLowerCase();
  const errors = ownField(parseObject(text) ?? {}, 'errors');
  const entries = [errors].flat().filter(isWireObject);
  if (entries.length === 0) return namesScopeAsMissing(text);
  return entries.some((entry) => {
    const texts = [ownField(entry, 'code'), ownField(entry, 'message')];
    return namesScopeAsMissing(texts.filter((value) => typeof value === 'string').join(' '));
  });
}

function namesScopeAsMissing(text: string): boolean {
  return text.includes('scope') && text.includes('missing');
}
