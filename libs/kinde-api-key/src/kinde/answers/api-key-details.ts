import type { KindeResponse } from '../http.js';
import {
  answerOfStatus,
  foreignAnswer,
  isKindeError,
  isStringArray,
  isWireObject,
  ownField,
  parseJsonAnswer,
  unusable,
} from './wire.js';
import type { NoAnswer } from './wire.js';

/** Whether the key belongs to the API that was asked about, or is unknown to Kinde. */
export interface MembershipAnswer {
  readonly kind: 'membership';
  readonly result: 'member' | 'other_api' | 'unknown';
}

/**
 * Parses an answer of any status and content to `GET /api/v1/api_keys/{key_id}`. Pure, and never throws.
 *
 * @param keyId the key that was asked about: an answer about another key is an outage
 * @param apiId the registered API that the key has to belong to
 */
export function parseMembership(response: KindeResponse, keyId: string, apiId: string): MembershipAnswer | NoAnswer {
  const { status } = response;
  if (status === 404) return isKindeError(response) ? { kind: 'membership', result: 'unknown' } : foreignAnswer(404);
  if (status !== 200) return answerOfStatus(status);
  const answer = parseJsonAnswer(response);
  if (typeof answer === 'string') return unusable(answer);
  const details = ownField(answer, 'api_key');
  if (!isWireObject(details)) return unusable("'api_key' is not an object");
  if ((ownField(details, 'id') ?? keyId) !== keyId) return unusable("'api_key' is another key than was asked for");
  const apiIds = ownField(details, 'api_ids');
  if (!isStringArray(apiIds)) return unusable("'api_ids' is not an array of strings");
  return { kind: 'membership', result: apiIds.includes(apiId) ? 'member' : 'other_api' };
}

/** Returns the URL of a key's details, or `undefined` for an id that would lead to another resource or cannot be encoded. */
export function apiKeyUrl(origin: string, keyId: string): string | undefined {
  const segment = pathSegment(keyId);
  return segment === undefined ? undefined : `${origin}/api/v1/api_keys/${segment}`;
}

/** Returns an id as one segment of a path, or `undefined` for an id that would lead to another resource or cannot be encoded. */
export function pathSegment(id: string): string | undefined {
  // '.' and '..' survive encodeURIComponent, and then walk up the path.
  if (/^\.{0,2}$/.test(id)) return undefined;
  try {
    return encodeURIComponent(id);
  } catch {
    return undefined;
  }
}
