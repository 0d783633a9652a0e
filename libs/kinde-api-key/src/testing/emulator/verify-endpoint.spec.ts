import { KindeEmulator } from '../kinde-emulator.js';
import { TestClock } from '../test-clock.js';
import { INVALID_KEY_ANSWERS } from './options.js';

const UNKNOWN_KEY = 'k_live_ffffffffffffffffffffffffffffffff';
const INVALID = { code: 'API_KEY_INVALID', message: 'API key is not valid' };

describe('POST /api/v1/api_keys/verify', () => {
  const clock = new TestClock(Date.UTC(2031, 4, 6, 7, 8, 9, 999));
  let emulator: KindeEmulator;
  let token: string;

  beforeAll(async () => {
    emulator = await KindeEmulator.start({ clock });
    token = emulator.issueToken();
  });
  beforeEach(() => {
    emulator.invalidKeyAnswer = '200';
  });
  afterAll(() => emulator.stop());

  const post = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${emulator.domain}/api/v1/api_keys/verify`, {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    });
  const verify = async (key: unknown): Promise<{ status: number; body: unknown }> => {
    const response = await post(JSON.stringify({ api_key: key }));
    return { status: response.status, body: await response.json() };
  };

  it('answers with all fields of a valid key', async () => {
    const { keyId, key } = emulator.createKey({
      scopes: ['read:users', 'write:users'],
      orgCode: 'org_a',
      userId: 'kp_1',
    });
    expect(key).toMatch(/^k_live_[0-9a-f]{48}$/);
    expect(keyId).toMatch(/^api_key_[0-9a-f]{32}$/);
    expect(await verify(key)).toEqual({
      status: 200,
      body: {
        code: 'API_KEY_VERIFIED',
        message: 'API key verified',
        is_valid: true,
        key_id: keyId,
        status: 'active',
        scopes: ['read:users', 'write:users'],
        org_code: 'org_a',
        user_id: 'kp_1',
        last_verified_on: '2031-05-06T07:08:09+00',
        verification_count: 1,
      },
    });
  });

  it('counts the accepted verifications of each key, and not the refused ones', async () => {
    const { keyId, key } = emulator.createKey();
    expect(emulator.getKey(keyId)).toMatchObject({ verificationCount: 0, lastVerifiedAtMs: null });
    await verify(key);
    clock.advance(60_000);
    expect((await verify(key)).body).toMatchObject({
      verification_count: 2,
      last_verified_on: '2031-05-06T07:09:09+00',
    });
    emulator.setKeyStatus(keyId, 'inactive');
    await verify(key);
    expect(emulator.getKey(keyId)?.verificationCount).toBe(2);
  });

  it('answers null for a missing organization and user', async () => {
    const { key } = emulator.createKey();
    expect((await verify(key)).body).toMatchObject({ is_valid: true, org_code: null, user_id: null, scopes: [] });
  });

  it('accepts only the new secret of a rotated key, under the same id', async () => {
    const before = emulator.createKey({ scopes: ['read:users'] });
    const after = emulator.rotateKey(before.keyId);
    expect(after.keyId).toBe(before.keyId);
    expect(after.key).not.toBe(before.key);
    expect((await verify(after.key)).body).toMatchObject({
      is_valid: true,
      key_id: before.keyId,
      scopes: ['read:users'],
    });
    expect((await verify(before.key)).body).toEqual({ ...INVALID, is_valid: false });
  });

  it.each(['revoked', 'inactive', 'suspended'])(
    "answers the status %s when invalidKeyAnswer is '200'",
    async (status) => {
      const { keyId, key } = emulator.createKey({ status, orgCode: 'org_a' });
      expect(await verify(key)).toEqual({
        status: 200,
        body: {
          ...INVALID,
          is_valid: false,
          key_id: keyId,
          status,
          scopes: [],
          org_code: 'org_a',
          user_id: null,
          last_verified_on: null,
          verification_count: 0,
        },
      });
    },
  );

  it('accepts a key again after it becomes active again', async () => {
    const { keyId, key } = emulator.createKey();
    emulator.revokeKey(keyId);
    expect((await verify(key)).body).toMatchObject({ is_valid: false, status: 'revoked' });
    emulator.setKeyStatus(keyId, 'active');
    expect((await verify(key)).body).toMatchObject({ is_valid: true, status: 'active' });
  });

  const nulls = {
    key_id: null,
    status: null,
    scopes: null,
    org_code: null,
    user_id: null,
    last_verified_on: null,
    verification_count: null,
  };
  it.each([
    ['200', { status: 200, body: { ...INVALID, is_valid: false } }],
    ['200-nulls', { status: 200, body: { ...INVALID, is_valid: false, ...nulls } }],
    [400, { status: 400, body: { errors: [INVALID] } }],
    [401, { status: 401, body: { errors: [INVALID] } }],
    [403, { status: 403, body: { errors: [INVALID] } }],
    [404, { status: 404, body: { errors: INVALID } }],
  ] as const)('answers an unknown and a malformed key as set by invalidKeyAnswer %p', async (answerKind, answer) => {
    emulator.invalidKeyAnswer = answerKind;
    expect(emulator.invalidKeyAnswer).toBe(answerKind);
    expect(await verify(UNKNOWN_KEY)).toEqual(answer);
    expect(await verify('')).toEqual(answer);
    expect(await verify('näh \u0000')).toEqual(answer);
  });

  it.each(INVALID_KEY_ANSWERS.filter((answerKind) => answerKind !== '200'))(
    'answers a revoked and an inactive key like an unknown one when invalidKeyAnswer is %p',
    async (answerKind) => {
      emulator.invalidKeyAnswer = answerKind;
      const unknown = await verify(UNKNOWN_KEY);
      expect(await verify(emulator.createKey({ status: 'revoked' }).key)).toEqual(unknown);
      expect(await verify(emulator.createKey({ status: 'inactive' }).key)).toEqual(unknown);
    },
  );

  it('rejects an unknown invalidKeyAnswer', () => {
    expect(() => {
      emulator.invalidKeyAnswer = 500 as 400;
    }).toThrow("invalidKeyAnswer must be one of '200', '200-nulls', 400, 401, 403, 404, got 500");
    expect(emulator.invalidKeyAnswer).toBe('200');
  });

  it.each([
    ['no bearer', ''],
    ['another scheme', 'Basic abc'],
    ['a bearer that is not an M2M token', 'Bearer abc.def.ghi'],
  ])('answers 401 to %s', async (_what, authorization) => {
    const response = await post(JSON.stringify({ api_key: UNKNOWN_KEY }), { authorization });
    expect(response.status).toBe(401);
    const error = { code: 'INVALID_CREDENTIALS', message: 'Invalid credentials used to access API' };
    expect(await response.json()).toEqual({ errors: [error] });
  });

  it('answers 403 to a token without the scope read:api_keys', async () => {
    const scopes = ['create:api_keys', 'update:api_keys', 'delete:api_keys', 'read:apis', 'read:api_scopes'];
    const bearer = emulator.issueToken({ scopes });
    const response = await post(JSON.stringify({ api_key: UNKNOWN_KEY }), { authorization: `Bearer ${bearer}` });
    expect(response.status).toBe(403);
    const error = { code: 'SCOPE_MISSING', message: 'Scope missing: read:api_keys' };
    expect(await response.json()).toEqual({ errors: [error] });
  });

  it.each(['', 'x', '[]', 'null', '{}', '{"api_key":null}', '{"api_key":["k"]}'])(
    'answers 400 to the body %p',
    async (body) => {
      const response = await post(body);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ errors: [{ code: 'INVALID_REQUEST' }] });
    },
  );

  it('answers 400 to a form', async () => {
    const response = await post('api_key=x', { 'content-type': 'application/x-www-form-urlencoded' });
    expect(response.status).toBe(400);
  });

  it('accepts a body of 1 MiB and answers 413 to a longer one', async () => {
    const body = (bytes: number): string => JSON.stringify({ api_key: 'x'.repeat(bytes - '{"api_key":""}'.length) });
    expect((await post(body(1_048_576))).status).toBe(200);
    const response = await post(body(1_048_577));
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ errors: [{ code: 'PAYLOAD_TOO_LARGE' }] });
  });
});
