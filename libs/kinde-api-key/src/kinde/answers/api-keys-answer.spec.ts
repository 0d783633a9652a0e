import { readApiKeyDetails, readApiKeyPage, readNewApiKey, readRevocation } from './api-keys-answer.js';

/** A key as Kinde's documentation shows it. */
const KEY = {
  id: 'api_key_1',
  name: 'My API Key',
  type: 'organization',
  status: 'active',
  key_prefix: 'k_live',
  key_suffix: 'abcd',
  created_on: '2024-11-18T13:32:03+11',
  last_verified_on: '2024-11-19T13:32:03+11',
  last_verified_ip: '192.168.1.1',
  created_by: 'John Doe',
  api_ids: ['api_123'],
  scopes: ['read:users'],
};
const SUMMARY = {
  keyId: 'api_key_1',
  name: 'My API Key',
  ownerType: 'organization',
  status: 'active',
  keyPrefix: 'k_live',
  keySuffix: 'abcd',
  createdOn: '2024-11-18T02:32:03.000Z',
  lastVerifiedOn: '2024-11-19T02:32:03.000Z',
  lastVerifiedIp: '192.168.1.1',
  createdBy: 'John Doe',
  apiIds: ['api_123'],
  scopes: ['read:users'],
};
const EMPTY = {
  name: null,
  ownerType: null,
  keyPrefix: null,
  keySuffix: null,
  createdOn: null,
  lastVerifiedOn: null,
  lastVerifiedIp: null,
  createdBy: null,
  apiIds: [],
  scopes: [],
};

const page = (keys: unknown, hasMore: unknown = false) => readApiKeyPage({ has_more: hasMore, api_keys: keys });
const details = (key: unknown) => readApiKeyDetails('api_key_1')({ api_key: key });

describe('readApiKeyPage', () => {
  it('reads the example of the documentation', () => {
    expect(page([KEY], true)).toEqual({ kind: 'result', result: { keys: [SUMMARY], hasMore: true } });
  });

  it('reads a key of which Kinde sends nothing but id and status, and one with every other field null', () => {
    const bare = { id: 'api_key_2', status: 'inactive' };
    const nulls = Object.fromEntries(Object.keys(KEY).map((name) => [name, null]));
    const expected = { ...EMPTY, keyId: 'api_key_2', status: 'inactive' };
    expect(page([bare, { ...nulls, ...bare }])).toMatchObject({ result: { keys: [expected, expected] } });
  });

  it('freezes each key and its lists', () => {
    const answer = page([KEY]);
    const key = answer.kind === 'result' ? answer.result.keys[0] : undefined;
    expect([key, key?.scopes, key?.apiIds].every(Object.isFrozen)).toBe(true);
  });

  it('makes null of a field that decides nothing and has the wrong type', () => {
    const odd = {
      ...KEY,
      name: 1,
      type: 'team',
      key_prefix: [],
      key_suffix: {},
      last_verified_ip: 4,
      created_by: true,
    };
    expect(page([odd])).toMatchObject({
      result: { keys: [{ name: null, ownerType: null, keyPrefix: null, keySuffix: null, createdBy: null }] },
    });
  });

  it('keeps a time that it cannot read as it is, so that the key does not look unused', () => {
    expect(page([{ ...KEY, last_verified_on: 'yesterday' }])).toMatchObject({
      result: { keys: [{ lastVerifiedOn: 'yesterday' }] },
    });
  });

  it.each([
    [[{ ...KEY, id: 1 }]],
    [[{ ...KEY, id: '' }]],
    [[{ ...KEY, status: null }]],
    [[{ ...KEY, scopes: 'read:users' }]],
    [[{ ...KEY, scopes: [1] }]],
    [[{ ...KEY, api_ids: {} }]],
    [[{ ...KEY, created_on: 1_731_936_723 }]],
    [[{ ...KEY, last_verified_on: false }]],
    [[KEY, null]],
    [['api_key_1']],
    [{}],
    [null],
  ])('cannot use %j as the list', (keys) => {
    expect(page(keys)).toMatchObject({ kind: 'outage' });
  });

  it.each([undefined, null, 'true', 1])('cannot use %j as has_more', (hasMore) => {
    expect(readApiKeyPage({ has_more: hasMore, api_keys: [] })).toMatchObject({ kind: 'outage' });
  });

  it('ignores inherited fields', () => {
    expect(readApiKeyPage(Object.create({ has_more: false, api_keys: [] }) as Record<string, unknown>)).toMatchObject({
      kind: 'outage',
    });
  });
});

describe('readApiKeyDetails', () => {
  it('reads the owner and the number of verifications', () => {
    const answer = details({ ...KEY, organization_id: 'org_a', user_id: null, verification_count: 42 });
    expect(answer).toEqual({
      kind: 'result',
      result: { ...SUMMARY, orgCode: 'org_a', userId: null, verificationCount: 42 },
    });
  });

  it('makes null of an empty owner and of a number that is not a count', () => {
    const answer = details({ ...KEY, organization_id: '', user_id: '', verification_count: -1 });
    expect(answer).toMatchObject({ result: { orgCode: null, userId: null, verificationCount: null } });
  });

  it.each([
    [{ ...KEY, id: 'api_key_2' }],
    [{ ...KEY, organization_id: 1 }],
    [{ ...KEY, user_id: [] }],
    [{ ...KEY, status: 1 }],
    [undefined],
    [[KEY]],
  ])('cannot use %j', (key) => {
    expect(details(key)).toMatchObject({ kind: 'outage' });
  });
});

describe('readNewApiKey', () => {
  it('reads the id and the raw key', () => {
    const api_key = { id: 'api_key_1', key: 'k_live_1' };
    expect(readNewApiKey()({ api_key })).toEqual({ kind: 'result', result: { keyId: 'api_key_1', key: 'k_live_1' } });
    expect(readNewApiKey('api_key_1')({ api_key })).toMatchObject({ kind: 'result' });
  });

  it.each([
    [{ key: 'k_live_1' }],
    [{ id: 'api_key_1' }],
    [{ id: 'api_key_1', key: '' }],
    [{ id: 'api_key_1', key: ['k_live_1'] }],
    [{ id: 'api_key_2', key: 'k_live_1' }],
    [null],
  ])('cannot use %j for a rotated key, and does not repeat the raw key', (api_key) => {
    const answer = readNewApiKey('api_key_1')({ api_key });
    expect(answer).toMatchObject({ kind: 'outage' });
    expect(JSON.stringify(answer)).not.toContain('k_live_1');
  });
});

describe('readRevocation', () => {
  it('takes an answer with a code as a success, and no other', () => {
    expect(readRevocation({ message: 'Success', code: 'OK' })).toEqual({ kind: 'result', result: true });
    expect(readRevocation({ success: true })).toMatchObject({ kind: 'outage' });
  });
});
