import { timingSafeEqual } from 'node:crypto';
import { parseVerifyAnswer } from '../kinde/answers/verify-answer.js';
import { MAX_VALUE_BYTES } from './shared-store.js';
import type { SharedVerdict } from '../verification/shared-verdicts.js';
import type { SharedSecrets } from './shared-secrets.js';

/** Version, time, tag (HMAC-SHA256 as base64url) and what Kinde had said, in Kinde's own shape. */
const SEALED = /^1\.(\d{1,16})\.([\w-]{43})\.(\{.*\})$/s;

/**
 * @param keys of the registration
 * @param name where it will be kept: it is part of what is authenticated
 * @returns the entry, or `undefined` if it would be too long to be believed
 */
export function sealVerdict(keys: SharedSecrets, name: string, shared: SharedVerdict): string | undefined {
  const { apiKey } = shared.verdict;
  const sentAtMs = Math.floor(shared.sentAtMs);
  const answer = JSON.stringify({
    is_valid: true,
    status: 'active',
    key_id: apiKey.keyId,
    scopes: apiKey.scopes,
    org_code: apiKey.orgCode,
    user_id: apiKey.userId,
    last_verified_on: apiKey.lastVerifiedOn,
    verification_count: apiKey.verificationCount,
  });
  const sealed = `1.${sentAtMs}.${keys.macOf(name, `1.${sentAtMs}.${answer}`)}.${answer}`;
  return Buffer.byteLength(sealed) <= MAX_VALUE_BYTES ? sealed : undefined;
}

/**
 * Reads an entry that anybody may have written. First the tag, in constant time; then the same strict parser as for Kinde's answer.
 *
 * @param name where it was found: an entry of another name is no entry
 * @returns what was sealed, however old; `undefined` for anything else
 */
export function openVerdict(keys: SharedSecrets, name: string, sealed: string): SharedVerdict | undefined {
  const [, time = '', tag = '', answer = ''] = SEALED.exec(sealed) ?? [];
  if (answer === '' || !isEqual(tag, keys.macOf(name, `1.${time}.${answer}`))) return undefined;
  const parsed = parseVerifyAnswer({ status: 200, headers: { 'content-type': 'application/json' }, body: answer });
  if (parsed.kind !== 'verdict' || !parsed.verdict.accepted) return undefined;
  return { verdict: parsed.verdict, sentAtMs: Number(time) };
}

function isEqual(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
