import { inspect } from 'node:util';
import { allOf, failureOf, startKeysService } from '../../../../test/support/keys-service.js';

const DAY_MS = 86_400_000;
const INPUT = { name: 'CI', scopes: ['read:users'], owner: { orgCode: 'org_a' } } as const;
const ERROR_404 = { errors: { code: 'ROUTE_NOT_FOUND', message: 'x' } };

type Started = Awaited<ReturnType<typeof startKeysService>>;
let started: Started;
beforeEach(async () => {
  started = await startKeysService();
});
afterEach(() => started.stop());

/** Ends the service of the test and starts another one. */
async function restart(...args: Parameters<typeof startKeysService>): Promise<Started> {
  await started.stop();
  started = await startKeysService(...args);
  return started;
}

describe('ApiKeysService', () => {
  it('refuses wrong arguments without a call', async () => {
    const { keys, kinde } = started;
    const calls = [
      allOf(keys.list({ status: 'deleted' as never })),
      allOf(keys.idleSince(0)),
      keys.get(''),
      keys.rotate('..'),
      keys.revoke(undefined as never),
      ...['../apis', 'a/b', 'a?page_size=1', 'a#b', 'a%2Fb', 'é', 'a b', 'a\n', 'x'.repeat(256)].flatMap((keyId) => [
        keys.get(keyId),
        keys.rotate(keyId),
        keys.revoke(keyId),
        keys.create({ ...INPUT, apiId: keyId }),
      ]),
      keys.create({ ...INPUT, name: '' }),
    ];
    for (const failure of await Promise.all(calls.map(failureOf)))
      expect(failure).toMatchObject({ code: 'INVALID_INPUT', isOutcomeUnknown: false, retryAfterSeconds: null });
    expect(kinde.counters.requests).toBe(0);
  });
});

describe('ApiKeysService.list', () => {
  it.each(['../apis', 'a&org_code=org_b', 'x'.repeat(256)])(
    'does not ask for the page after an id like %j',
    async (id) => {
      const { kinde, keys } = started;
      const key = { id, name: 'n', status: 'active', api_ids: [], scopes: [] };
      kinde.failNext({ status: 200, body: { code: 'OK', has_more: true, api_keys: [key] } }, 'keys');
      expect(await failureOf(allOf(keys.list()))).toMatchObject({ code: 'UNAVAILABLE' });
      expect(kinde.counters.lists).toBe(1);
    },
  );

  it('lists every key, over several pages, oldest first', async () => {
    const { kinde, keys } = started;
    const created = Array.from({ length: 201 }, (_, index) => kinde.createKey({ name: `key ${index}` }).keyId);
    expect((await allOf(keys.list())).map(({ keyId }) => keyId)).toEqual(created);
    expect(kinde.counters.lists).toBe(3);
  });

  it('asks for the next page only when it is needed', async () => {
    const { kinde, keys } = started;
    for (let index = 0; index < 101; index += 1) kinde.createKey();
    for await (const { keyId } of keys.list()) if (keyId) break;
    expect(kinde.counters.lists).toBe(1);
  });

  it.each([
    [{ orgCode: 'org_a' }, ['a', 'a user', 'a revoked']],
    [{ userId: 'kp_1' }, ['a user']],
    [{ status: 'revoked' }, ['a revoked']],
    [{ type: 'user' }, ['a user']],
    [{ orgCode: 'org_a', status: 'active' }, ['a', 'a user']],
    [{ orgCode: 'org&key_type=user' }, []],
    [{ status: undefined, type: undefined }, ['a', 'a user', 'a revoked', 'b', 'environment']],
  ] as const)('lists the keys that match %j', async (filter, names) => {
    const { kinde, keys } = started;
    kinde.createKey({ name: 'a', orgCode: 'org_a' });
    kinde.createKey({ name: 'a user', orgCode: 'org_a', userId: 'kp_1' });
    kinde.createKey({ name: 'a revoked', orgCode: 'org_a', status: 'revoked' });
    kinde.createKey({ name: 'b', orgCode: 'org_b' });
    kinde.createKey({ name: 'environment' });
    expect((await allOf(keys.list(filter))).map(({ name }) => name)).toEqual(names);
  });

  it.each([
    ['an empty page with more to come', [], true],
    ['the same page again and again', ['api_key_1'], true],
  ])('ends with UNAVAILABLE after %s', async (_what, ids, has_more) => {
    const { kinde, keys } = started;
    const body = { code: 'OK', has_more, api_keys: ids.map((id) => ({ id, status: 'active' })) };
    kinde.failUntilCleared({ status: 200, body }, 'keys');
    await expect(failureOf(allOf(keys.list()))).resolves.toMatchObject({ code: 'UNAVAILABLE' });
    expect(kinde.counters.lists).toBeLessThanOrEqual(2);
  });

  it('ends with UNAVAILABLE for pages that lead in a circle', async () => {
    const { kinde, keys } = started;
    for (const id of ['api_key_1', 'api_key_2', 'api_key_1', 'api_key_2']) {
      const body = { code: 'OK', has_more: true, api_keys: [{ id, status: 'active' }] };
      kinde.failNext({ status: 200, body }, 'keys');
    }
    await expect(failureOf(allOf(keys.list()))).resolves.toMatchObject({ code: 'UNAVAILABLE' });
    expect(kinde.counters.lists).toBe(3);
  });

  it('reads a page of keys with many scopes, which is larger than any other answer', async () => {
    const { kinde, keys } = started;
    const scopes = Array.from({ length: 100 }, (_, index) => `read:something-with-a-long-name-${index}`);
    for (let index = 0; index < 100; index += 1) kinde.createKey({ scopes });
    expect(await allOf(keys.list())).toHaveLength(100);
  });
});

describe('ApiKeysService.get', () => {
  it('returns owner, scopes and use of a key', async () => {
    const { kinde, keys, clock, verify } = started;
    const { keyId, key } = kinde.createKey({ name: 'n', orgCode: 'org_a', userId: 'kp_1', scopes: ['read:users'] });
    clock.set(Date.parse('2026-02-01T12:00:00.900Z'));
    await verify(key);
    expect(await keys.get(keyId)).toMatchObject({
      keyId,
      name: 'n',
      ownerType: 'user',
      status: 'active',
      keySuffix: key.slice(-4),
      lastVerifiedOn: '2026-02-01T12:00:00.000Z',
      apiIds: [kinde.apiId],
      scopes: ['read:users'],
      orgCode: 'org_a',
      userId: 'kp_1',
      verificationCount: 1,
    });
  });

  it('rejects with NOT_FOUND for an unknown id', async () => {
    await expect(failureOf(started.keys.get('api_key_unknown'))).resolves.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('rejects with UNAVAILABLE when the route does not exist', async () => {
    started.kinde.failNext({ status: 404, body: ERROR_404 }, 'keys');
    await expect(failureOf(started.keys.get('api_key_1'))).resolves.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('does not let an id lead to another resource', async () => {
    const { kinde, keys } = started;
    const { keyId } = kinde.createKey();
    for (const id of [`../api_keys/${keyId}`, `${keyId}?x`, `${keyId}/`, `${keyId}#`, `%2e%2e/api_keys/${keyId}`])
      expect(await failureOf(keys.revoke(id))).toMatchObject({ code: 'INVALID_INPUT' });
    expect(kinde.getKey(keyId)).toMatchObject({ status: 'active' });
  });
});

describe('ApiKeysService.create', () => {
  it.each([
    [{ orgCode: 'org_a' }, { type: 'organization', orgCode: 'org_a', userId: null }],
    [{ userId: 'kp_1' }, { type: 'user', orgCode: null, userId: 'kp_1' }],
    ['environment', { type: 'environment', orgCode: null, userId: null }],
  ] as const)('creates a key of %j', async (owner, record) => {
    const { keyId, key } = await started.keys.create({ name: 'n', owner });
    expect(started.kinde.getKey(keyId)).toMatchObject({ ...record, scopes: [] });
    await expect(started.verify(key)).resolves.toMatchObject({ verdict: { accepted: true } });
  });

  it('turns scope names into ids, each once', async () => {
    const scopes = ['write:users', 'read:users', 'write:users'];
    const { keyId } = await started.keys.create({ ...INPUT, scopes });
    expect(started.kinde.getKey(keyId)?.scopes).toEqual(['write:users', 'read:users']);
  });

  it('asks for the scopes of the only API once a minute, and again for a name that it does not know', async () => {
    const { kinde, keys, clock } = started;
    await keys.create(INPUT);
    await keys.create(INPUT);
    expect(kinde.counters.apiReads).toBe(1);
    clock.advance(60_000);
    await keys.create(INPUT);
    expect(kinde.counters.apiReads).toBe(2);
    await failureOf(keys.create({ ...INPUT, scopes: ['read:more'] }));
    expect(kinde.counters.apiReads).toBe(3);
  });

  it('keeps the scopes of twenty APIs, and asks again for the one that was evicted', async () => {
    const ids = Array.from({ length: 21 }, (_, index) => `api_${index}`);
    const { kinde, keys } = await restart({}, { apis: ids.map((id) => ({ id, name: id, scopes: ['a:read'] })) });
    const create = (apiId = '') => keys.create({ name: 'n', apiId, scopes: ['a:read'], owner: 'environment' });
    for (const id of ids) await create(id);
    await create(ids[20]);
    expect(kinde.counters.apiReads).toBe(21);
    await create(ids[0]);
    expect(kinde.counters.apiReads).toBe(22);
  });

  it('asks Kinde for nothing else when the API is given and there are no scopes', async () => {
    const { kinde, keys } = started;
    await keys.create({ name: 'n', apiId: kinde.apiId, owner: 'environment' });
    expect(kinde.counters).toMatchObject({ apiReads: 0, changes: 1 });
  });

  it('needs the scope read:api_scopes and not read:apis when the API is given', async () => {
    const { kinde, keys } = await restart({}, { scopes: ['create:api_keys', 'read:api_scopes'] });
    await keys.create({ ...INPUT, apiId: kinde.apiId });
    expect((await failureOf(keys.create(INPUT))).message).toContain('read:apis');
  });

  it('takes the API of the option apiId, unless the input names another', async () => {
    const apis = [
      { id: 'api_a', name: 'A' },
      { id: 'api_b', name: 'B', scopes: ['b:read'] },
    ];
    const { kinde, keys } = await restart({ apiId: 'api_b' }, { apis });
    const byOption = await keys.create({ name: 'n', scopes: ['b:read'], owner: 'environment' });
    const byInput = await keys.create({ name: 'n', apiId: 'api_a', owner: 'environment' });
    expect(kinde.getKey(byOption.keyId)?.apiIds).toEqual(['api_b']);
    expect(kinde.getKey(byInput.keyId)?.apiIds).toEqual(['api_a']);
  });

  it('says that the API must be named where the environment has several', async () => {
    const { kinde, keys } = await restart({}, { apis: [{ name: 'A' }, { name: 'B' }] });
    const failure = await failureOf(keys.create(INPUT));
    expect(failure).toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining('option apiId') as unknown,
    });
    expect(kinde.counters.changes).toBe(0);
  });

  it('says so where the environment has no API, and where Kinde lists only some of them', async () => {
    const { kinde, keys } = started;
    const api = { id: 'api_1', is_management_api: false, scopes: [] };
    kinde.failNext({ status: 200, body: { apis: [{ ...api, is_management_api: true }], next_token: null } }, 'apis');
    expect((await failureOf(keys.create(INPUT))).message).toContain('register it in Kinde');
    kinde.failNext({ status: 200, body: { apis: [api], next_token: 'Njo5' } }, 'apis');
    expect((await failureOf(keys.create(INPUT))).message).toContain('several APIs');
  });

  it('names the nearest scope for one that does not exist, and not the wrong one', async () => {
    const failure = await failureOf(started.keys.create({ ...INPUT, scopes: ['read:users', 'wrte:users'] }));
    expect(failure).toMatchObject({ code: 'INVALID_INPUT', isOutcomeUnknown: false });
    expect(failure.message).toBe("scopes[1] is not a scope of the API. Did you mean 'write:users'?");
    expect(started.kinde.counters.changes).toBe(0);
  });

  it('says where the scopes are when no name is near', async () => {
    const failure = await failureOf(started.keys.create({ ...INPUT, scopes: ['billing'] }));
    expect(failure.message).toContain('Kinde > Settings > APIs');
  });

  it.each(['api_unknown', '..', '\ud800'])('refuses %j as apiId', async (apiId) => {
    const failure = await failureOf(started.keys.create({ ...INPUT, apiId }));
    expect(failure).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining('apiId') as unknown });
  });

  it('rejects with INVALID_INPUT, and says what to check, when Kinde answers 400', async () => {
    const failure = await failureOf(started.keys.create({ name: 'n', apiId: 'api_unknown', owner: 'environment' }));
    expect(failure).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining('must exist') as unknown });
  });
});

describe('ApiKeysService.rotate and revoke', () => {
  it('invalidate the key before they resolve', async () => {
    const { kinde, keys, invalidated } = started;
    const { keyId } = kinde.createKey();
    await keys.rotate(keyId);
    expect(invalidated).toEqual([{ keyId }]);
    await keys.revoke(keyId);
    expect(invalidated).toEqual([{ keyId }, { keyId }]);
  });

  it('give the id a new secret, and end it', async () => {
    const { kinde, keys, verify } = started;
    const { keyId, key } = kinde.createKey();
    const rotated = await keys.rotate(keyId);
    expect(rotated.keyId).toBe(keyId);
    await expect(verify(key)).resolves.toMatchObject({ verdict: { accepted: false } });
    await expect(verify(rotated.key)).resolves.toMatchObject({ verdict: { accepted: true } });
    await keys.revoke(keyId);
    await expect(verify(rotated.key)).resolves.toMatchObject({ verdict: { reason: 'revoked' } });
  });

  it('invalidate the key again if that failed once', async () => {
    const { kinde, keys, invalidated, errors, failInvalidations } = started;
    const { keyId } = kinde.createKey();
    for (const change of [() => keys.rotate(keyId), () => keys.revoke(keyId)]) {
      failInvalidations(1);
      await change();
    }
    expect([invalidated, errors]).toEqual([[{ keyId }, { keyId }], []]);
  });

  it('return a new secret although the key cannot be invalidated, and log that without the secret', async () => {
    const { kinde, keys, errors, verify, failInvalidations } = started;
    const { keyId } = kinde.createKey();
    failInvalidations(2);
    const rotated = await keys.rotate(keyId);
    await expect(verify(rotated.key)).resolves.toMatchObject({ verdict: { accepted: true } });
    expect(errors).toEqual([
      `The key ${keyId} was rotated, but the cached verdicts about it could not be dropped, and are used until they expire (cache.ttlMs). ` +
        'Call invalidate({ keyId })',
    ]);
  });

  it('reject a revocation with UNAVAILABLE if the key cannot be invalidated, so that it is done again', async () => {
    const { kinde, keys, invalidated, failInvalidations } = started;
    const { keyId } = kinde.createKey();
    failInvalidations(2);
    expect(await failureOf(keys.revoke(keyId))).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/^Kinde revoked the key, but .* Revoke it again$/) as unknown,
    });
    await keys.revoke(keyId);
    expect(invalidated).toEqual([{ keyId }]);
  });

  it('reject with the reason of Kinde although the key cannot be invalidated', async () => {
    const { keys, failInvalidations } = started;
    failInvalidations(2);
    expect(await failureOf(keys.rotate('api_key_unknown'))).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('reject with NOT_FOUND for an unknown id, and invalidate it: another program may have deleted the key', async () => {
    const { keys, invalidated } = started;
    for (const change of [keys.rotate('api_key_unknown'), keys.revoke('api_key_unknown')].map(failureOf))
      expect(await change).toMatchObject({ code: 'NOT_FOUND', isOutcomeUnknown: false });
    expect(invalidated).toHaveLength(2);
  });

  it('reject with INVALID_INPUT for the rotation of a revoked key', async () => {
    const { kinde, keys, invalidated } = started;
    const failure = await failureOf(keys.rotate(kinde.createKey({ status: 'revoked' }).keyId));
    expect(failure).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining('revoked') as unknown });
    expect(invalidated).toEqual([]);
  });

  it.each([{ reset: true } as const, 503, { malformed: true } as const, { truncated: true } as const])(
    'invalidate the key after %j, because the change may have been made',
    async (fault) => {
      const { kinde, keys, invalidated } = started;
      const { keyId } = kinde.createKey();
      kinde.failUntilCleared(fault, 'keys');
      for (const change of [keys.rotate(keyId), keys.revoke(keyId)].map(failureOf))
        expect(await change).toMatchObject({ code: 'UNAVAILABLE', isOutcomeUnknown: true });
      expect(invalidated).toEqual([{ keyId }, { keyId }]);
    },
  );

  it('leave the key cached when Kinde certainly changed nothing', async () => {
    const { kinde, keys, invalidated } = started;
    const { keyId } = kinde.createKey();
    kinde.failNext(429, 'keys');
    expect(await failureOf(keys.revoke(keyId))).toMatchObject({ code: 'THROTTLED', isOutcomeUnknown: false });
    expect(await failureOf(keys.rotate(keyId))).toMatchObject({ code: 'THROTTLED', isOutcomeUnknown: false });
    expect(invalidated).toEqual([]);
    expect(kinde.counters.changes).toBe(1);
  });

  it('take an answer about another key for a lost one', async () => {
    const { kinde, keys, invalidated } = started;
    const { keyId } = kinde.createKey();
    const body = { code: 'API_KEY_ROTATED', api_key: { id: 'api_key_other', key: 'k_live_secret0123456789' } };
    kinde.failNext({ status: 201, body }, 'keys');
    const failure = await failureOf(keys.rotate(keyId));
    expect(failure).toMatchObject({ code: 'UNAVAILABLE', isOutcomeUnknown: true });
    expect(inspect(failure)).not.toContain('k_live_secret');
    expect(invalidated).toEqual([{ keyId }]);
  });
});

describe('ApiKeysService.idleSince', () => {
  it('lists active keys that were not verified for so long, and counts from the creation of those never verified', async () => {
    const { kinde, keys, clock, verify } = started;
    const used = kinde.createKey({ name: 'used lately' });
    const unused = kinde.createKey({ name: 'used once' });
    kinde.createKey({ name: 'never used' });
    kinde.createKey({ name: 'revoked', status: 'revoked' });
    kinde.createKey({ name: 'inactive', status: 'inactive' });
    await verify(unused.key);
    clock.advance(29 * DAY_MS);
    kinde.createKey({ name: 'new' });
    await verify(used.key);
    clock.advance(DAY_MS);
    expect((await allOf(keys.idleSince(30))).map(({ name }) => name)).toEqual(['used once', 'never used']);
    expect((await allOf(keys.idleSince(31))).map(({ name }) => name)).toEqual([]);
    expect(await allOf(keys.idleSince(0.5))).toHaveLength(4);
  });

  it('does not list a key whose times it cannot read, nor one without any', async () => {
    const { kinde, keys } = started;
    const old = { id: 'api_key_1', status: 'active', created_on: '2020-01-01T00:00:00+11' };
    const unreadable = { ...old, id: 'api_key_2', last_verified_on: 'yesterday' };
    const bare = { id: 'api_key_3', status: 'active' };
    kinde.failNext({ status: 200, body: { has_more: false, api_keys: [old, unreadable, bare] } }, 'keys');
    expect((await allOf(keys.idleSince(1))).map(({ keyId }) => keyId)).toEqual(['api_key_1']);
  });

  it('lists no key that is not active, even if Kinde ignores the filter', async () => {
    const { kinde, keys } = started;
    const old = { id: 'api_key_1', status: 'revoked', created_on: '2020-01-01T00:00:00+11' };
    kinde.failNext({ status: 200, body: { has_more: false, api_keys: [old] } }, 'keys');
    expect(await allOf(keys.idleSince(1))).toEqual([]);
  });
});
