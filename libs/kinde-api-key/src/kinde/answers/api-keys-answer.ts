import type { ApiKeyDetails, ApiKeySummary, NewApiKey } from '../../api-key/api-key-summary.js';
import type { ApiKeyOwnerType } from '../../api-key/verified-api-key.js';
import { resultOf, type ReadResult } from './management-answer.js';
import { parseTimestamp } from './timestamp.js';
import { isStringArray, isWireObject, ownField, unusable } from './wire.js';
import type { UnusableAnswer, WireObject } from './wire.js';

/** One page of a list of keys. */
export interface ApiKeyPage {
  readonly keys: readonly ApiKeySummary[];
  readonly hasMore: boolean;
}

/** Reads an answer to `GET /api/v1/api_keys`. */
export const readApiKeyPage: ReadResult<ApiKeyPage> = (answer) => {
  const hasMore = ownField(answer, 'has_more');
  const listed = ownField(answer, 'api_keys');
  if (typeof hasMore !== 'boolean') return unusable("'has_more' is not a boolean");
  if (!Array.isArray(listed)) return unusable("'api_keys' is not an array");
  const keys: ApiKeySummary[] = [];
  for (const wire of listed as unknown[]) {
    const key = summaryOf(wire);
    if (isUnusable(key)) return key;
    keys.push(key);
  }
  return resultOf({ keys, hasMore });
};

/**
 * Returns what reads an answer to `GET /api/v1/api_keys/{key_id}`.
 *
 * @param keyId the key that was asked about: an answer about another key is not usable
 */
export function readApiKeyDetails(keyId: string): ReadResult<ApiKeyDetails> {
  return (answer) => {
    const wire = ownField(answer, 'api_key');
    if (!isWireObject(wire)) return unusable("'api_key' is not an object");
    const summary = summaryOf(wire);
    if (isUnusable(summary)) return summary;
    if (summary.keyId !== keyId) return unusable("'api_key' is another key than was asked for");
    const orgCode = ownField(wire, 'organization_id') ?? null;
    const userId = ownField(wire, 'user_id') ?? null;
    const count = ownField(wire, 'verification_count');
    if (!isStringOrNull(orgCode)) return unusable("'organization_id' is not a string or null");
    if (!isStringOrNull(userId)) return unusable("'user_id' is not a string or null");
    const verificationCount = typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 ? count : null;
    return resultOf(Object.freeze({ ...summary, orgCode: orgCode || null, userId: userId || null, verificationCount }));
  };
}

/**
 * Returns what reads the secret of a key, which Kinde shows once: an answer to `POST /api/v1/api_keys` or `PUT /api/v1/api_keys/{key_id}`.
 *
 * @param keyId the key that was rotated; unset for a new one
 */
export function readNewApiKey(keyId?: string): ReadResult<NewApiKey> {
  return (answer) => {
    const wire = ownField(answer, 'api_key');
    if (!isWireObject(wire)) return unusable("'api_key' is not an object");
    const id = ownField(wire, 'id');
    const key = ownField(wire, 'key');
    if (!isText(id)) return unusable("'id' is not a string");
    if (keyId !== undefined && id !== keyId) return unusable("'api_key' is another key than was rotated");
    if (!isText(key)) return unusable("'key' is not a string");
    return resultOf(Object.freeze({ keyId: id, key }));
  };
}

/** Reads an answer to `DELETE /api/v1/api_keys/{key_id}`. */
export const readRevocation: ReadResult<true> = (answer) =>
  isText(ownField(answer, 'code')) ? resultOf(true) : unusable("'code' is not a string");

function summaryOf(wire: unknown): ApiKeySummary | UnusableAnswer {
  if (!isWireObject(wire)) return unusable('a key is not an object');
  const keyId = ownField(wire, 'id');
  const status = ownField(wire, 'status');
  const apiIds = ownField(wire, 'api_ids') ?? [];
  const scopes = ownField(wire, 'scopes') ?? [];
  const createdOn = ownField(wire, 'created_on') ?? null;
  const lastVerifiedOn = ownField(wire, 'last_verified_on') ?? null;
  if (!isText(keyId)) return unusable("'id' of a key is not a string");
  if (!isText(status)) return unusable("'status' of a key is not a string");
  if (!isStringArray(apiIds)) return unusable("'api_ids' is not an array of strings");
  if (!isStringArray(scopes)) return unusable("'scopes' is not an array of strings");
  // Whether a key is idle depends on these two.
  if (!isStringOrNull(createdOn)) return unusable("'created_on' is not a string or null");
  if (!isStringOrNull(lastVerifiedOn)) return unusable("'last_verified_on' is not a string or null");
  return Object.freeze({
    keyId,
    name: textOrNull(wire, 'name'),
    ownerType: ownerTypeOf(ownField(wire, 'type')),
    status,
    keyPrefix: textOrNull(wire, 'key_prefix'),
    keySuffix: textOrNull(wire, 'key_suffix'),
    createdOn: isoTime(createdOn),
    lastVerifiedOn: isoTime(lastVerifiedOn),
    lastVerifiedIp: textOrNull(wire, 'last_verified_ip'),
    createdBy: textOrNull(wire, 'created_by'),
    apiIds: Object.freeze([...apiIds]),
    scopes: Object.freeze([...scopes]),
  });
}

function isUnusable(value: ApiKeySummary | UnusableAnswer): value is UnusableAnswer {
  return 'kind' in value;
}

function ownerTypeOf(type: unknown): ApiKeyOwnerType | null {
  return type === 'user' || type === 'organization' || type === 'environment' ? type : null;
}

function isoTime(text: string | null): string | null {
  const ms = text === null ? undefined : parseTimestamp(text);
  return ms === undefined ? text || null : new Date(ms).toISOString();
}

function textOrNull(wire: WireObject, field: string): string | null {
  const value = ownField(wire, field);
  return isText(value) ? value : null;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isStringOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}
