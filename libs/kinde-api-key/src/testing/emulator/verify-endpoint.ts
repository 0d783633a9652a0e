import { type EmulatedKinde, jsonObjectOf, withScope } from './emulated-kinde.js';
import { type EmulatorAnswer, type EmulatorRequest, jsonAnswer, mediaTypeOf } from './exchange.js';
import type { KindeEmulatorKeyRecord } from './key-store.js';
import { errorAnswer, kindeTimestamp } from './kinde-answers.js';

/** The part of Kinde that an answer about a key depends on. */
type KnownKeys = Pick<EmulatedKinde, 'keys' | 'invalidKeyAnswer'>;

const INVALID_CODE = 'API_KEY_INVALID';
const INVALID_MESSAGE = 'API key is not valid';

/** Answers `POST /api/v1/api_keys/verify`: the key's fields, or a refusal as set by `invalidKeyAnswer`. */
export function answerVerify(kinde: EmulatedKinde, request: EmulatorRequest): EmulatorAnswer {
  return withScope(kinde, request, 'read:api_keys', () => {
    if (mediaTypeOf(request.headers) !== 'application/json') {
      return errorAnswer(400, 'INVALID_REQUEST', 'The content type must be application/json');
    }
    const key = jsonObjectOf(request)?.['api_key'];
    if (typeof key !== 'string') return errorAnswer(400, 'INVALID_REQUEST', 'The body must have a string api_key');
    return verificationAnswer(kinde, key);
  });
}

/** Returns the answer about a key to a caller who may ask. Counts the verification of a valid key. */
export function verificationAnswer(kinde: KnownKeys, key: string): EmulatorAnswer {
  const record = kinde.keys.find(key);
  if (record?.status !== 'active') return refusal(kinde, record);
  const verified = kinde.keys.countVerification(record.keyId);
  return jsonAnswer(200, {
    code: 'API_KEY_VERIFIED',
    message: 'API key verified',
    is_valid: true,
    ...fieldsOf(verified),
  });
}

/** Only `'200'` distinguishes a revoked or inactive key from an unknown one. */
function refusal(kinde: KnownKeys, record: KindeEmulatorKeyRecord | undefined): EmulatorAnswer {
  const answer = kinde.invalidKeyAnswer;
  if (typeof answer === 'number') return errorAnswer(answer, INVALID_CODE, INVALID_MESSAGE);
  const refused = { code: INVALID_CODE, message: INVALID_MESSAGE, is_valid: false };
  if (answer === '200-nulls') return jsonAnswer(200, { ...refused, ...NO_FIELDS });
  return jsonAnswer(200, record ? { ...refused, ...fieldsOf(record) } : refused);
}

const NO_FIELDS = {
  key_id: null,
  status: null,
  scopes: null,
  org_code: null,
  user_id: null,
  last_verified_on: null,
  verification_count: null,
};

function fieldsOf(record: KindeEmulatorKeyRecord): Readonly<Record<keyof typeof NO_FIELDS, unknown>> {
  return {
    key_id: record.keyId,
    status: record.status,
    scopes: record.scopes,
    org_code: record.orgCode,
    user_id: record.userId,
    last_verified_on: record.lastVerifiedAtMs === null ? null : kindeTimestamp(record.lastVerifiedAtMs),
    verification_count: record.verificationCount,
  };
}
