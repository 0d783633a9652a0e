import { type EmulatedKinde, jsonObjectOf, withScope } from './emulated-kinde.js';
import { type EmulatorAnswer, type EmulatorRequest, jsonAnswer } from './exchange.js';
import { parseKeyCreation } from './key-creation.js';
import type { KindeEmulatorKeyRecord } from './key-store.js';
import { errorAnswer, kindeTimestamp } from './kinde-answers.js';

/** Answers `GET /api/v1/api_keys`: one page of keys, oldest first. */
export function answerKeyList(kinde: EmulatedKinde, request: EmulatorRequest): EmulatorAnswer {
  return withScope(kinde, request, 'read:api_keys', () => {
    const { query } = request;
    const pageSize = Number(query.get('page_size') ?? 50);
    if (!Number.isSafeInteger(pageSize) || pageSize < 1 || pageSize > 500) return badParameter('page_size');
    const type = query.get('key_type');
    if (type !== null && !['organization', 'user'].includes(type)) return badParameter('key_type');
    const status = query.get('status');
    if (status !== null && !['active', 'inactive', 'revoked'].includes(status)) return badParameter('status');
    const userId = query.get('user_id');
    const orgCode = query.get('org_code');

    const all = kinde.keys.all();
    const startingAfter = query.get('starting_after');
    const last = startingAfter === null ? -1 : all.findIndex((record) => record.keyId === startingAfter);
    if (startingAfter !== null && last < 0) return badParameter('starting_after');
    // Before the filters: a key that was revoked between two pages still marks where the next page starts.
    const rest = all
      .slice(last + 1)
      .filter((record) => type === null || record.type === type)
      .filter((record) => status === null || record.status === status)
      .filter((record) => userId === null || record.userId === userId)
      .filter((record) => orgCode === null || record.orgCode === orgCode);
    return jsonAnswer(200, {
      code: 'OK',
      message: 'Success',
      has_more: rest.length > pageSize,
      api_keys: rest.slice(0, pageSize).map(listedKey),
    });
  });
}

/** Answers `POST /api/v1/api_keys`: a new key, shown only here. */
export function answerKeyCreation(kinde: EmulatedKinde, request: EmulatorRequest): EmulatorAnswer {
  return withScope(kinde, request, 'create:api_keys', (caller) => {
    const creation = parseKeyCreation(kinde.apis, jsonObjectOf(request));
    if ('wrong' in creation) return badParameter(creation.wrong);
    const { keyId, key } = kinde.keys.create(creation.options, caller.clientId);
    return jsonAnswer(201, { message: 'API key created', code: 'API_KEY_CREATED', api_key: { id: keyId, key } });
  });
}

/** Answers `GET /api/v1/api_keys/{id}`. */
export function answerKeyRead(kinde: EmulatedKinde, request: EmulatorRequest, keyId: string): EmulatorAnswer {
  return withScope(kinde, request, 'read:api_keys', () => {
    const record = kinde.keys.get(keyId);
    if (!record) return unknownKey();
    const apiKey = {
      ...listedKey(record),
      verification_count: record.verificationCount,
      organization_id: record.orgCode,
      user_id: record.userId,
    };
    return jsonAnswer(200, { code: 'OK', message: 'Success', api_key: apiKey });
  });
}

/** Answers `PUT /api/v1/api_keys/{id}`: the same id with a new secret. */
export function answerKeyRotation(kinde: EmulatedKinde, request: EmulatorRequest, keyId: string): EmulatorAnswer {
  return withScope(kinde, request, 'update:api_keys', () => {
    const record = kinde.keys.get(keyId);
    if (!record) return unknownKey();
    if (record.status === 'revoked') return errorAnswer(400, 'API_KEY_REVOKED', 'A revoked API key can not be rotated');
    const { key } = kinde.keys.rotate(keyId);
    const message = 'API key rotated successfully';
    return jsonAnswer(201, { code: 'API_KEY_ROTATED', message, api_key: { id: keyId, key } });
  });
}

/** Answers `DELETE /api/v1/api_keys/{id}`: revokes the key. A second call changes nothing. */
export function answerKeyRevocation(kinde: EmulatedKinde, request: EmulatorRequest, keyId: string): EmulatorAnswer {
  return withScope(kinde, request, 'delete:api_keys', () => {
    if (!kinde.keys.get(keyId)) return unknownKey();
    kinde.keys.setStatus(keyId, 'revoked');
    return jsonAnswer(200, { message: 'Success', code: 'OK' });
  });
}

function listedKey(record: KindeEmulatorKeyRecord): Readonly<Record<string, unknown>> {
  return {
    id: record.keyId,
    name: record.name,
    type: record.type,
    status: record.status,
    key_prefix: record.keyPrefix,
    key_suffix: record.keySuffix,
    created_on: kindeTimestamp(record.createdAtMs),
    last_verified_on: record.lastVerifiedAtMs === null ? null : kindeTimestamp(record.lastVerifiedAtMs),
    last_verified_ip: record.lastVerifiedAtMs === null ? null : '127.0.0.1',
    created_by: record.createdBy,
    api_ids: record.apiIds,
    scopes: record.scopes,
  };
}

function unknownKey(): EmulatorAnswer {
  return errorAnswer(404, 'API_KEY_NOT_FOUND', 'There is no API key with this id');
}

function badParameter(name: string): EmulatorAnswer {
  return errorAnswer(400, 'INVALID_REQUEST', `${name} is missing or not valid`);
}
