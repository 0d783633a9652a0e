import type { ApiKeyOwnerType, VerifiedApiKey } from '../../api-key/verified-api-key.js';
import type { KindeResponse } from '../http.js';
import type { RefusalReason, Verdict } from '../../api-key/verdict.js';
import {
  answerOfStatus,
  isStringArray,
  unusable,
  own,
  parseJsonAnswer,
  type UnusableAnswer,
  type ThrottledAnswer,
  type WireObject,
} from './wire.js';

/** Kinde has said what it thinks of the key. */
export interface VerdictAnswer {
  readonly kind: 'verdict';
  readonly verdict: Verdict;
  /** The key is said to be valid with a status that the library does not know: it is refused, and somebody should be told. */
  readonly unknownStatus: boolean;
}

/** 401 or 403: Kinde does not take our M2M token, or it does not take the key. The status alone does not tell which. */
export interface TokenRejectedAnswer {
  readonly kind: 'token_rejected';
}

/** Everything that an answer to the verify call can mean. */
export type VerifyAnswer = VerdictAnswer | TokenRejectedAnswer | ThrottledAnswer | UnusableAnswer;

/**
 * What Kinde's answer to `POST /api/v1/api_keys/verify` means. Pure, and never throws. Whatever is not exactly what the documentation
 * of the endpoint shows is a refusal if it refuses, and else an outage: `"true"` is not `true`.
 *
 * @param response the answer, of any status and content
 */
export function parseVerifyAnswer(response: KindeResponse): VerifyAnswer {
  const { status } = response;
  if (status === 200) return parseVerification(response);
  if (status === 400 || status === 404) return refusal('unknown');
  if (status === 401 || status === 403) return { kind: 'token_rejected' };
  return answerOfStatus(status);
}

function parseVerification(response: KindeResponse): VerifyAnswer {
  const answer = parseJsonAnswer(response);
  if (typeof answer === 'string') return unusable(answer);
  const isValid = own(answer, 'is_valid');
  const status = own(answer, 'status');
  if (isValid === false) return refusal(status === 'revoked' || status === 'inactive' ? status : 'unknown');
  if (isValid !== true) return unusable("'is_valid' is not a boolean");
  if (typeof status !== 'string') return unusable("'status' is not a string");
  if (status === 'revoked' || status === 'inactive') return refusal(status);
  if (status !== 'active') return { ...refusal('inactive'), unknownStatus: true };
  return parseKey(answer);
}

function parseKey(answer: WireObject): VerdictAnswer | UnusableAnswer {
  const keyId = own(answer, 'key_id');
  const scopes = own(answer, 'scopes');
  const orgCode = own(answer, 'org_code') ?? null;
  const userId = own(answer, 'user_id') ?? null;
  const lastVerifiedOn = own(answer, 'last_verified_on') ?? null;
  const verificationCount = own(answer, 'verification_count') ?? null;
  if (typeof keyId !== 'string' || keyId === '') return unusable("'key_id' is not a string");
  if (!isStringArray(scopes)) return unusable("'scopes' is not an array of strings");
  if (!isStringOrNull(orgCode)) return unusable("'org_code' is not a string or null");
  if (!isStringOrNull(userId)) return unusable("'user_id' is not a string or null");
  if (!isStringOrNull(lastVerifiedOn)) return unusable("'last_verified_on' is not a string or null");
  if (!isCountOrNull(verificationCount)) return unusable("'verification_count' is not a count or null");
  const apiKey: VerifiedApiKey = Object.freeze({
    keyId,
    scopes: Object.freeze([...scopes]),
    // An empty code must never match an empty route parameter.
    orgCode: orgCode || null,
    userId: userId || null,
    ownerType: ownerTypeOf(orgCode, userId),
    lastVerifiedOn,
    verificationCount,
  });
  return { kind: 'verdict', verdict: Object.freeze({ accepted: true, apiKey }), unknownStatus: false };
}

function ownerTypeOf(orgCode: string | null, userId: string | null): ApiKeyOwnerType {
  if (userId) return 'user';
  return orgCode ? 'organization' : 'environment';
}

function refusal(reason: RefusalReason): VerdictAnswer {
  return { kind: 'verdict', verdict: Object.freeze({ accepted: false, reason }), unknownStatus: false };
}

function isStringOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}

function isCountOrNull(value: unknown): value is number | null {
  return value === null || (Number.isSafeInteger(value) && (value as number) >= 0);
}
