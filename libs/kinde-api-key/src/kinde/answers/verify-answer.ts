import type { ApiKeyOwnerType, VerifiedApiKey } from '../../api-key/verified-api-key.js';
import type { KindeResponse } from '../http.js';
import type { RefusalReason, RefusedVerdict, Verdict } from '../../api-key/verdict.js';
import {
  answerOfStatus,
  foreignAnswer,
  isKindeError,
  isStringArray,
  ownField,
  parseJsonAnswer,
  unusable,
} from './wire.js';
import type { NoAnswer, WireObject } from './wire.js';

/** Kinde's verdict on the key. */
export interface VerdictAnswer {
  readonly kind: 'verdict';
  readonly verdict: Verdict;
  /** Kinde calls the key valid, with a status that the library does not know: it is refused, and logged. */
  readonly unknownStatus: boolean;
}

/**
 * Every meaning of an answer to the verify call. `token_rejected` is Kinde's 401 or 403: it rejects our M2M token, or the key. The status
 * alone does not tell which.
 */
export type VerifyAnswer = VerdictAnswer | { readonly kind: 'token_rejected' } | NoAnswer;

/**
 * Parses an answer of any status and content to `POST /api/v1/api_keys/verify`. Pure, and never throws. An answer that differs from the
 * documentation of the endpoint is a refusal if Kinde itself refuses, and an outage otherwise: `"true"` is not `true`, and a firewall's 403 is
 * not Kinde's.
 */
export function parseVerifyAnswer(response: KindeResponse): VerifyAnswer {
  const { status } = response;
  if (status === 200) return parseVerification(response);
  if (![400, 401, 403, 404].includes(status)) return answerOfStatus(status);
  if (!isKindeError(response)) return foreignAnswer(status);
  return status === 400 || status === 404 ? verdictAnswer(refused('unknown')) : { kind: 'token_rejected' };
}

function parseVerification(response: KindeResponse): VerifyAnswer {
  const answer = parseJsonAnswer(response);
  if (typeof answer === 'string') return unusable(answer);
  const isValid = ownField(answer, 'is_valid');
  const status = ownField(answer, 'status');
  if (isValid === false) return verdictAnswer(refused(isRefusal(status) ? status : 'unknown'));
  if (isValid !== true) return unusable("'is_valid' is not a boolean");
  if (typeof status !== 'string') return unusable("'status' is not a string");
  if (isRefusal(status)) return verdictAnswer(refused(status));
  if (status !== 'active') return verdictAnswer(refused('inactive'), true);
  return parseKey(answer);
}

function parseKey(answer: WireObject): VerifyAnswer {
  const keyId = ownField(answer, 'key_id');
  const scopes = ownField(answer, 'scopes') ?? [];
  const orgCode = ownField(answer, 'org_code') ?? null;
  const userId = ownField(answer, 'user_id') ?? null;
  const lastVerifiedOn = ownField(answer, 'last_verified_on');
  const verificationCount = ownField(answer, 'verification_count');
  if (typeof keyId !== 'string' || keyId === '') return unusable("'key_id' is not a string");
  if (!isStringArray(scopes)) return unusable("'scopes' is not an array of strings");
  if (!isStringOrNull(orgCode)) return unusable("'org_code' is not a string or null");
  if (!isStringOrNull(userId)) return unusable("'user_id' is not a string or null");
  const apiKey: VerifiedApiKey = Object.freeze({
    keyId,
    scopes: Object.freeze([...scopes]),
    // An empty code must never match an empty route parameter.
    orgCode: orgCode || null,
    userId: userId || null,
    ownerType: ownerTypeOf(orgCode, userId),
    // These two decide nothing, so that an unreadable one must not refuse a customer.
    lastVerifiedOn: typeof lastVerifiedOn === 'string' ? lastVerifiedOn : null,
    verificationCount: isCount(verificationCount) ? verificationCount : null,
  });
  return verdictAnswer(Object.freeze({ accepted: true, apiKey }));
}

/** Returns what a key belongs to. */
export function ownerTypeOf(orgCode: string | null, userId: string | null): ApiKeyOwnerType {
  if (userId) return 'user';
  return orgCode ? 'organization' : 'environment';
}

function verdictAnswer(verdict: Verdict, unknownStatus = false): VerdictAnswer {
  return { kind: 'verdict', verdict, unknownStatus };
}

/** Returns the verdict on a refused key. */
export function refused(reason: RefusalReason): RefusedVerdict {
  return Object.freeze({ accepted: false, reason });
}

function isRefusal(status: unknown): status is 'revoked' | 'inactive' {
  return status === 'revoked' || status === 'inactive';
}

function isStringOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
