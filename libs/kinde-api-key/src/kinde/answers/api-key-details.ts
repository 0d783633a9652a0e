import type { KindeResponse } from '../http.js';
import {
  answerOfStatus,
  isStringArray,
  isWireObject,
  unusable,
  own,
  parseJsonAnswer,
  type UnusableAnswer,
  type ThrottledAnswer,
} from './wire.js';

/** Whether the key belongs to the API that was asked about, or is not known (any more). */
export interface MembershipAnswer {
  readonly kind: 'membership';
  readonly result: 'member' | 'other_api' | 'unknown';
}

/**
 * What an answer to `GET /api/v1/api_keys/{key_id}` says about the API that the key belongs to. Pure, and never throws.
 *
 * @param response the answer, of any status and content
 * @param keyId the key that was asked about: an answer about another one is an outage
 * @param apiId the registered API that the key has to belong to
 */
export function parseMembership(
  response: KindeResponse,
  keyId: string,
  apiId: string,
): MembershipAnswer | ThrottledAnswer | UnusableAnswer {
  if (response.status === 404) return { kind: 'membership', result: 'unknown' };
  if (response.status !== 200) return answerOfStatus(response.status);
  const answer = parseJsonAnswer(response);
  if (typeof answer === 'string') return unusable(answer);
  const details = own(answer, 'api_key');
  if (!isWireObject(details)) return unusable("'api_key' is not an object");
  if ((own(details, 'id') ?? keyId) !== keyId) return unusable("'api_key' is another one than was asked for");
  const apiIds = own(details, 'api_ids');
  if (!isStringArray(apiIds)) return unusable("'api_ids' is not an array of strings");
  return { kind: 'membership', result: apiIds.includes(apiId) ? 'member' : 'other_api' };
}

/**
 * @param origin Kinde's
 * @param keyId from Kinde's answer
 * @returns the address of a key's details, or `undefined` for an id that would name another resource, or none
 */
export function apiKeyUrl(origin: string, keyId: string): string | undefined {
  // '.' and '..' survive encodeURIComponent, and then walk up the path.
  if (/^\.{1,2}$/.test(keyId)) return undefined;
  try {
    return `${origin}/api/v1/api_keys/${encodeURIComponent(keyId)}`;
  } catch {
    return undefined;
  }
}
