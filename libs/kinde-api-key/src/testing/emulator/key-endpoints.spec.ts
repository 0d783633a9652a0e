import { KindeEmulator } from '../kinde-emulator.js';
import { TestClock } from '../test-clock.js';

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

describe('key endpoints of the emulator', () => {
  let emulator: KindeEmulator;
  let token: string;

  beforeEach(async () => {
    const apis = [
      { id: 'api_first', name: 'First', audience: 'https://first.example', scopes: ['read:users', 'write:users'] },
      { id: 'api_second', name: 'Second', scopes: ['read:orders'] },
    ];
    emulator = await KindeEmulator.start({ clock: new TestClock(Date.UTC(2031, 0, 2, 3, 4, 5)), apis });
    token = emulator.issueToken();
  });
  afterEach(() => emulator.stop());

  const call = async (method: string, path: string, body?: unknown, bearer = token): Promise<Answer> => {
    const response = await fetch(`${emulator.domain}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const verify = async (key: string): Promise<Record<string, unknown>> =>
    (await call('POST', '/api_keys/verify', { api_key: key })).body;
  const idsOf = ({ body }: Answer): readonly string[] => (body['api_keys'] as { id: string }[]).map(({ id }) => id);
  const scopeIdOf = (name: string): string =>
    emulator.apis.flatMap((api) => api.scopes).find((scope) => scope.key === name)?.id ?? '';

  describe('GET /api_keys', () => {
    it('lists keys with all fields but the secret', async () => {
      const { keyId, key } = emulator.createKey({ name: 'CI', scopes: ['read:users'], orgCode: 'org_a' });
      await verify(key);
      const { status, body } = await call('GET', '/api_keys');
      expect({ status, ...body }).toEqual({
        status: 200,
        code: 'OK',
        message: 'Success',
        has_more: false,
        api_keys: [
          {
            id: keyId,
            name: 'CI',
            type: 'organization',
            status: 'active',
            key_prefix: 'k_live',
            key_suffix: key.slice(-4),
            created_on: '2031-01-02T03:04:05+00',
            last_verified_on: '2031-01-02T03:04:05+00',
            last_verified_ip: '127.0.0.1',
            created_by: 'emulator',
            api_ids: ['api_first'],
            scopes: ['read:users'],
          },
        ],
      });
      expect(JSON.stringify(body)).not.toContain(key);
    });

    it('pages through all keys, by default fifty at a time', async () => {
      const ids = Array.from({ length: 51 }, () => emulator.createKey().keyId);
      const first = await call('GET', '/api_keys');
      expect(idsOf(first)).toEqual(ids.slice(0, 50));
      expect(first.body['has_more']).toBe(true);
      const second = await call('GET', `/api_keys?starting_after=${ids[49]}`);
      expect(idsOf(second)).toEqual(ids.slice(50));
      expect(second.body['has_more']).toBe(false);
      const exact = await call('GET', '/api_keys?page_size=51');
      expect(idsOf(exact)).toEqual(ids);
      expect(exact.body['has_more']).toBe(false);
    });

    it('continues after a key that no longer matches the filter', async () => {
      const ids = Array.from({ length: 4 }, () => emulator.createKey().keyId);
      expect(idsOf(await call('GET', '/api_keys?status=active&page_size=2'))).toEqual(ids.slice(0, 2));
      emulator.revokeKey(ids[1] ?? '');
      const rest = await call('GET', `/api_keys?status=active&page_size=2&starting_after=${ids[1]}`);
      expect(idsOf(rest)).toEqual(ids.slice(2));
      expect(rest.body['has_more']).toBe(false);
    });

    it.each([
      ['key_type=user', 'user'],
      ['key_type=organization', 'organization'],
      ['status=active', 'user organization environment'],
      ['status=inactive', 'inactive'],
      ['status=revoked', 'revoked'],
      ['user_id=kp_1', 'user'],
      ['org_code=org_a', 'organization inactive'],
      ['org_code=org_a&status=active', 'organization'],
      ['org_code=unknown', ''],
    ])('filters by %s', async (query, expected) => {
      emulator.createKey({ keyId: 'user', userId: 'kp_1' });
      emulator.createKey({ keyId: 'organization', orgCode: 'org_a' });
      emulator.createKey({ keyId: 'environment' });
      emulator.createKey({ keyId: 'inactive', orgCode: 'org_a', type: 'environment', status: 'inactive' });
      emulator.createKey({ keyId: 'revoked', status: 'revoked' });
      expect(idsOf(await call('GET', `/api_keys?${query}`)).join(' ')).toBe(expected);
    });

    it.each([
      'page_size=0',
      'page_size=501',
      'page_size=x',
      'page_size=1.5',
      'key_type=environment',
      'status=gone',
      'starting_after=unknown',
    ])('answers 400 to %s', async (query) => {
      const { status, body } = await call('GET', `/api_keys?${query}`);
      expect(status).toBe(400);
      const name = query.split('=')[0];
      expect(body).toEqual({ errors: [{ code: 'INVALID_REQUEST', message: `${name} is missing or not valid` }] });
    });
  });

  describe('POST /api_keys', () => {
    const wanted = { name: 'CI', api_id: 'api_first', type: 'organization', org_code: 'org_a' };

    it('creates a key that verifies with the scopes of its scope ids', async () => {
      const { status, body } = await call('POST', '/api_keys', { ...wanted, scope_ids: [scopeIdOf('write:users')] });
      expect(status).toBe(201);
      const { id, key } = body['api_key'] as { id: string; key: string };
      expect(body).toEqual({ message: 'API key created', code: 'API_KEY_CREATED', api_key: { id, key } });
      expect(await verify(key)).toMatchObject({
        is_valid: true,
        key_id: id,
        org_code: 'org_a',
        scopes: ['write:users'],
      });
      expect(emulator.getKey(id)).toMatchObject({ createdBy: emulator.credentials.clientId, apiIds: ['api_first'] });
    });

    it.each([
      ['user', { user_id: 'kp_1' }],
      ['environment', {}],
    ])('creates a key of type %s', async (type, more) => {
      const { status } = await call('POST', '/api_keys', { name: 'CI', api_id: 'api_second', type, ...more });
      expect(status).toBe(201);
    });

    it.each([
      ['name', { ...wanted, name: '' }],
      ['name', { ...wanted, name: 5 }],
      ['api_id', { ...wanted, api_id: 'api_unknown' }],
      ['api_id', { ...wanted, api_id: undefined }],
      ['type', { ...wanted, type: 'robot' }],
      ['org_code', { ...wanted, org_code: null }],
      ['org_code', { ...wanted, org_code: 5 }],
      ['user_id', { ...wanted, type: 'user' }],
      ['scope_ids', { ...wanted, scope_ids: 'all' }],
      ['scope_ids', { ...wanted, scope_ids: ['unknown'] }],
      ['body', []],
    ])('answers 400 when %s is missing or wrong', async (name, body) => {
      const answer = await call('POST', '/api_keys', body);
      expect(answer).toEqual({
        status: 400,
        body: { errors: [{ code: 'INVALID_REQUEST', message: `${name} is missing or not valid` }] },
      });
    });

    it('does not grant a scope of another API', async () => {
      const { status } = await call('POST', '/api_keys', { ...wanted, scope_ids: [scopeIdOf('read:orders')] });
      expect(status).toBe(400);
    });
  });

  it('reads one key with its API, its organization and its user', async () => {
    const { keyId } = emulator.createKey({ orgCode: 'org_a', userId: 'kp_1', apiId: 'api_other' });
    const { status, body } = await call('GET', `/api_keys/${keyId}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      code: 'OK',
      api_key: { id: keyId, api_ids: ['api_other'], organization_id: 'org_a', user_id: 'kp_1', verification_count: 0 },
    });
  });

  it('rotates a key: same id, new secret', async () => {
    const { keyId, key } = emulator.createKey();
    const { status, body } = await call('PUT', `/api_keys/${keyId}`);
    const rotated = body['api_key'] as { id: string; key: string };
    expect(status).toBe(201);
    expect(body).toMatchObject({ code: 'API_KEY_ROTATED', message: 'API key rotated successfully' });
    expect(rotated.id).toBe(keyId);
    expect(await verify(key)).toMatchObject({ is_valid: false });
    expect(await verify(rotated.key)).toMatchObject({ is_valid: true, key_id: keyId });
  });

  it('revokes a key, also repeatedly, and refuses to rotate it afterwards', async () => {
    const { keyId, key } = emulator.createKey();
    const done = { status: 200, body: { message: 'Success', code: 'OK' } };
    expect(await call('DELETE', `/api_keys/${keyId}`)).toEqual(done);
    expect(await call('DELETE', `/api_keys/${keyId}`)).toEqual(done);
    expect(await verify(key)).toMatchObject({ is_valid: false, status: 'revoked' });
    expect((await call('PUT', `/api_keys/${keyId}`)).status).toBe(400);
  });

  it.each(['GET', 'PUT', 'DELETE'])('answers %s of an unknown key with 404 and one error object', async (method) => {
    expect(await call(method, '/api_keys/unknown%zz')).toEqual({
      status: 404,
      body: { errors: { code: 'API_KEY_NOT_FOUND', message: 'There is no API key with this id' } },
    });
  });

  it('lists the registered APIs, with scopes only for expand=scopes', async () => {
    const { body } = await call('GET', '/apis?expand=scopes');
    const apis = body['apis'] as { id: string; scopes: { id: string; key: string }[] }[];
    expect(body).toMatchObject({ code: 'OK', message: 'Success', next_token: null });
    expect(apis[0]).toMatchObject({ audience: `${emulator.domain}/api`, is_management_api: true });
    expect(apis.slice(1)).toEqual([
      {
        id: 'api_first',
        name: 'First',
        audience: 'https://first.example',
        is_management_api: false,
        scopes: [
          { id: scopeIdOf('read:users'), key: 'read:users' },
          { id: scopeIdOf('write:users'), key: 'write:users' },
        ],
      },
      {
        id: 'api_second',
        name: 'Second',
        audience: 'https://api_second',
        is_management_api: false,
        scopes: [{ id: scopeIdOf('read:orders'), key: 'read:orders' }],
      },
    ]);
    const plain = await call('GET', '/apis');
    expect(JSON.stringify(plain.body)).not.toContain('scopes');
  });

  it('lists the scopes of one API', async () => {
    expect(await call('GET', '/apis/api_second/scopes')).toEqual({
      status: 200,
      body: {
        code: 'OK',
        message: 'Success',
        scopes: [{ id: scopeIdOf('read:orders'), key: 'read:orders', description: 'read:orders' }],
      },
    });
    expect((await call('GET', '/apis/unknown/scopes')).body).toMatchObject({ errors: { code: 'API_NOT_FOUND' } });
  });

  it.each([
    ['read:api_keys', 'GET', '/api_keys'],
    ['read:api_keys', 'GET', '/api_keys/unknown'],
    ['create:api_keys', 'POST', '/api_keys'],
    ['update:api_keys', 'PUT', '/api_keys/unknown'],
    ['delete:api_keys', 'DELETE', '/api_keys/unknown'],
    ['read:apis', 'GET', '/apis'],
    ['read:api_scopes', 'GET', '/apis/api_first/scopes'],
  ])('requires the scope %s for %s %s', async (scope, method, path) => {
    const all = [
      'read:api_keys',
      'create:api_keys',
      'update:api_keys',
      'delete:api_keys',
      'read:apis',
      'read:api_scopes',
    ];
    const without = emulator.issueToken({ scopes: all.filter((name) => name !== scope) });
    expect(await call(method, path, undefined, without)).toEqual({
      status: 403,
      body: { errors: [{ code: 'SCOPE_MISSING', message: `Scope missing: ${scope}` }] },
    });
    expect((await call(method, path, undefined, emulator.issueToken({ scopes: [scope] }))).status).not.toBe(403);
    expect((await call(method, path, undefined, 'none')).status).toBe(401);
  });
});
