import { timingSafeEqual } from 'node:crypto';
import { parseVerifyAnswer } from '../kinde/answers/verify-answer.js';
import { MAX_VALUE_BYTES } from './shared-store.js';
import type { SharedVerdict } from '../verification/shared-verdicts.js';
import type { SharedSecrets } from './shared-secrets.js';

/** Format version, time, HMAC-SHA256 (base64url), and Kinde's answer in its own shape. */
const SEALED = /^1\.(\d{1,16})\.([\w-]{43})\.(\{.*\})$/s;

/** Returns the verdict, authenticated and bound to its name in the store, or `undefined` if it is too long. */
export function sealVerdict(secrets: SharedSecrets, name: string, shared: SharedVerdict): string | undefined {
  const { apiKey } = shared.verdict;
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
  const sentAtMs = Math.floor(shared.sentAtMs);
  const sealed = `1.${sentAtMs}.${secrets.macOf(name, `1.${sentAtMs}.${answer}`)}.${answer}`;
  return Buffer.byteLength(sealed) <= MAX_VALUE_BYTES ? sealed : undefined;
}

/** Returns the verdict, of any age, or `undefined` if it was not sealed with these secrets under this name. */
export function openVerdict(secrets: SharedSecrets, name: string, sealed: string): SharedVerdict | undefined {
  const [, time = '', mac = '', answer = ''] = SEALED.exec(sealed) ?? [];
  if (answer === '') return undefined;
  // The pattern admits only texts of the length of an HMAC.
  if (!timingSafeEqual(Buffer.from(mac), Buffer.from(secrets.macOf(name, `1.${time}.${answer}`)))) return undefined;
  const parsed = parseVerifyAnswer({ status: 200, headers: { 'content-type': 'application/json' }, body: answer });
  if (parsed.kind !== 'verdict' || !parsed.verdict.accepted) return undefined;
  return { verdict: parsed.verdict, sentAtMs: Number(time) };
}
