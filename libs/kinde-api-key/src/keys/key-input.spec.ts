import { inspect } from 'node:util';
import { KindeApiKeyManagementError } from '../kinde-api-key.errors.js';
import { checkDays, checkFilter, checkInput, checkKeyId } from './key-input.js';

const INPUT = { name: 'CI', scopes: ['read:users'], owner: { orgCode: 'org_a' } } as const;
/** Given where something else belongs. */
const RAW_KEY = 'k_live_secret0123456789';

/** Returns the error that a check must throw. */
function refusalOf(check: () => unknown): KindeApiKeyManagementError {
  try {
    check();
  } catch (error) {
    if (error instanceof KindeApiKeyManagementError) return error;
  }
  throw new Error('it was not refused');
}

describe('checkInput', () => {
  it('returns the input, with its owner as Kinde wants it and each scope once', () => {
    expect(checkInput({ ...INPUT, scopes: ['b', 'a', 'b'] })).toEqual({
      name: 'CI',
      apiId: undefined,
      scopes: ['b', 'a'],
      owner: { type: 'organization', org_code: 'org_a' },
    });
    expect(checkInput({ name: 'n', apiId: 'api_1', owner: { userId: 'kp_1' } })).toEqual({
      name: 'n',
      apiId: 'api_1',
      scopes: [],
      owner: { type: 'user', user_id: 'kp_1' },
    });
    expect(checkInput({ name: 'n', scopes: undefined, owner: 'environment' }).owner).toEqual({ type: 'environment' });
  });

  const inherited: unknown = Object.create({ name: 'n', owner: 'environment' });
  it.each([
    [undefined, 'takes an object'],
    ['environment', 'takes an object'],
    [{ ...INPUT, name: undefined }, 'name'],
    [{ ...INPUT, name: '  ' }, 'name'],
    [{ ...INPUT, name: 'x'.repeat(256) }, 'name'],
    [{ ...INPUT, name: ['n'] }, 'name'],
    [{ ...INPUT, scopes: 'read:users' }, 'array'],
    [{ ...INPUT, scopes: ['read:users write:users'] }, 'one name per element'],
    [{ ...INPUT, scopes: ['read:users', ''] }, 'scopes[1]'],
    [{ ...INPUT, scopes: ['read:"users"'] }, 'scopes[0]'],
    [{ ...INPUT, scopes: ['x'.repeat(256)] }, 'scopes[0]'],
    [{ ...INPUT, scopes: [['read:users']] }, 'scopes[0]'],
    // A hole must not pass as a name.
    [{ ...INPUT, scopes: Object.assign<string[], object>([], { length: 1 }) }, 'scopes[0]'],
    [{ ...INPUT, scopes: Array.from({ length: 101 }, () => 'a') }, 'at most 100'],
    [{ ...INPUT, scope: ['read:users'] }, 'no other fields'],
    [{ ...INPUT, apiId: '' }, 'apiId'],
    [{ ...INPUT, apiId: 5 }, 'apiId'],
    [{ ...INPUT, owner: undefined }, 'owner'],
    [{ ...INPUT, owner: null }, 'owner'],
    [{ ...INPUT, owner: 'org_a' }, 'owner'],
    [{ ...INPUT, owner: {} }, 'owner'],
    [{ ...INPUT, owner: { orgCode: '' } }, 'orgCode'],
    [{ ...INPUT, owner: { userId: 7 } }, 'userId'],
    [{ ...INPUT, owner: { orgCode: undefined } }, 'owner'],
    [{ ...INPUT, owner: { orgCode: 'org_a', userId: 'kp_1' } }, 'owner'],
    [{ ...INPUT, owner: { orgcode: 'org_a' } }, 'owner'],
    [{ ...INPUT, owner: Object.create({ orgCode: 'org_a' }) as unknown }, 'owner'],
    [inherited, 'name'],
  ])('refuses %j, and says what is wrong', (input, cure) => {
    const refusal = refusalOf(() => checkInput(input));
    expect(refusal).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining(cure) as unknown });
  });

  it.each([
    ['a name of a field', { ...INPUT, [RAW_KEY]: 1 }],
    ['an owner', { ...INPUT, owner: RAW_KEY }],
    ['the scopes', { ...INPUT, scopes: RAW_KEY }],
    ['a scope among others', { ...INPUT, scopes: [`${RAW_KEY} `] }],
  ])('does not repeat a raw key that was given as %s', (_what, input) => {
    expect(inspect(refusalOf(() => checkInput(input)))).not.toContain('secret');
  });
});

describe('checkFilter', () => {
  it('returns the query of the fields that are set', () => {
    expect(checkFilter({ orgCode: 'org_a', userId: 'kp_1', status: 'active', type: 'user' })).toEqual({
      org_code: 'org_a',
      user_id: 'kp_1',
      status: 'active',
      key_type: 'user',
    });
    expect(checkFilter({ status: undefined })).toEqual({});
  });

  it('refuses a field that is not its own, which would not count', () => {
    class OfOrganization {
      get orgCode() {
        return 'org_a';
      }
    }
    for (const filter of [new OfOrganization(), Object.create({ userId: 'kp_1' })])
      expect(() => checkFilter(filter)).toThrow(/^(orgCode|userId) is undefined/);
  });

  it.each(['orgCode', 'userId'])('refuses an absent %s, which would list the keys of every customer', (name) => {
    const message = `${name} is undefined. To list the keys of every owner, leave it out`;
    expect(() => checkFilter({ [name]: undefined })).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', message }),
    );
  });

  it.each([
    [{ org: 'org_a' }, 'no other fields'],
    [{ orgCode: '' }, 'orgCode'],
    [{ orgCode: null }, 'orgCode'],
    [{ userId: ['kp_1'] }, 'userId'],
    [{ status: 'deleted' }, "'revoked'"],
    [{ type: 'environment' }, "'organization', 'user'"],
    [null, 'takes an object'],
    [[], 'takes an object'],
  ])('refuses %j, and says what is wrong', (filter, cure) => {
    const refusal = refusalOf(() => checkFilter(filter));
    expect(refusal).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining(cure) as unknown });
  });
});

describe('checkKeyId', () => {
  it('returns an id, which needs no encoding in a path', () => {
    for (const id of ['api_key_1', 'a-b.c~d', 'x'.repeat(255)]) expect(checkKeyId(id)).toBe(id);
  });

  it.each([
    '',
    '.',
    '..',
    '...',
    '/',
    'a/b',
    '..%2Fa',
    'a?b',
    'a#b',
    'a\\b',
    'a b',
    'a\n',
    'é',
    '\ud800',
    'x'.repeat(256),
    1,
    null,
    undefined,
    ['api_key_1'],
  ])('refuses %j', (keyId) => {
    expect(refusalOf(() => checkKeyId(keyId))).toMatchObject({ code: 'INVALID_INPUT' });
  });
});

describe('checkDays', () => {
  it.each([0.5, 30, 36_500])('takes %d', (days) => {
    expect(checkDays(days)).toBe(days);
  });

  it.each([0, -1, NaN, Infinity, '30', undefined, null, 36_501])('refuses %p', (days) => {
    expect(refusalOf(() => checkDays(days))).toMatchObject({ code: 'INVALID_INPUT' });
  });
});
