import fc from 'fast-check';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import { decideAccess as decide, decideOrganization, type AccessRule } from './access-decision.js';

function keyWith(fields: Partial<VerifiedApiKey> = {}): VerifiedApiKey {
  return {
    keyId: 'api_key_1',
    scopes: [],
    orgCode: null,
    userId: null,
    ownerType: 'environment',
    lastVerifiedOn: null,
    verificationCount: null,
    ...fields,
  };
}

function ruleWith(fields: Partial<AccessRule> = {}): AccessRule {
  return {
    requiredScopes: [],
    requiredAnyOf: [],
    needsOrganization: false,
    needsUser: false,
    needsKey: false,
    ...fields,
  };
}

/** Decides about a verified key. */
const decideAccess = (rule: AccessRule, key: VerifiedApiKey) => decide(rule, key, true);

const LACKS_REQUIRED = { code: 'INSUFFICIENT_SCOPE', lacks: 'required' };
const LACKS_ANY_OF = { code: 'INSUFFICIENT_SCOPE', lacks: 'any_of' };

const scope = fc.constantFrom('a', 'b', 'c', 'read:users', 'constructor', '__proto__', 'A', '');
const scopes = fc.uniqueArray(scope, { maxLength: 5 });
const someRule = fc.record<AccessRule>({
  requiredScopes: scopes,
  requiredAnyOf: fc.array(fc.uniqueArray(scope, { minLength: 1, maxLength: 3 }), { maxLength: 3 }),
  needsOrganization: fc.boolean(),
  needsUser: fc.boolean(),
  needsKey: fc.boolean(),
});
const someKey = fc
  .record({
    scopes,
    orgCode: fc.option(fc.constantFrom('org_a', 'org_b')),
    userId: fc.option(fc.constantFrom('kp_1', 'kp_2')),
  })
  .map(keyWith);

describe('decideAccess', () => {
  it('accepts any key if the rule demands nothing', () => {
    expect(decideAccess(ruleWith(), keyWith())).toBeNull();
  });

  it.each([
    ['refuses a key with one of two', ['a', 'b'], ['a'], LACKS_REQUIRED],
    ['refuses a key without scopes', ['a'], [], LACKS_REQUIRED],
    ['accepts a key with all of them among others', ['a', 'b'], ['c', 'b', 'a'], null],
    ['refuses a scope in another case', ['read:users'], ['Read:Users'], LACKS_REQUIRED],
    ['refuses a longer scope with the same beginning', ['read:users'], ['read:users:all'], LACKS_REQUIRED],
    ['refuses wildcards', ['read:users'], ['*', 'read:*'], LACKS_REQUIRED],
    ['refuses two scopes in one string', ['a', 'b'], ['a b'], LACKS_REQUIRED],
    ['refuses a key without the scope "constructor"', ['constructor'], [], LACKS_REQUIRED],
  ])('with required scopes: %s', (_case, requiredScopes, granted, expected) => {
    expect(decideAccess(ruleWith({ requiredScopes }), keyWith({ scopes: granted }))).toEqual(expected);
  });

  it.each([
    ['accepts one of a list', [['a', 'b']], ['b'], null],
    ['refuses none of a list', [['a', 'b']], ['c'], LACKS_ANY_OF],
    ['refuses a key that lacks one of two lists', [['a', 'b'], ['c']], ['a'], LACKS_ANY_OF],
    [
      'accepts one scope that is in two lists',
      [
        ['a', 'b'],
        ['a', 'c'],
      ],
      ['a'],
      null,
    ],
    ['refuses every key for an empty list', [[]], ['a'], LACKS_ANY_OF],
  ])('with any-of scopes: %s', (_case, requiredAnyOf, granted, expected) => {
    expect(decideAccess(ruleWith({ requiredAnyOf }), keyWith({ scopes: granted }))).toEqual(expected);
  });

  it('refuses a key without an organization, or without a user, if the rule needs one', () => {
    expect(decideAccess(ruleWith({ needsOrganization: true }), keyWith())).toEqual({ code: 'ORG_REQUIRED' });
    expect(decideAccess(ruleWith({ needsOrganization: true }), keyWith({ orgCode: 'org_a' }))).toBeNull();
    expect(decideAccess(ruleWith({ needsUser: true }), keyWith())).toEqual({ code: 'USER_REQUIRED' });
    expect(decideAccess(ruleWith({ needsUser: true }), keyWith({ userId: 'kp_1' }))).toBeNull();
  });

  it('refuses every caller but a key if the rule needs a key, before it looks at scopes', () => {
    const rule = ruleWith({ needsKey: true, requiredScopes: ['a'] });
    const session = { kind: 'session', scopes: ['a'], orgCode: null, userId: 'kp_1' };
    expect(decide(rule, session, false)).toEqual({ code: 'KEY_REQUIRED' });
    expect(decide(rule, { ...session, scopes: [] }, false)).toEqual({ code: 'KEY_REQUIRED' });
    expect(decide(rule, keyWith({ scopes: ['a'] }), true)).toBeNull();
  });

  it('ignores what a principal says about its kind', () => {
    const pretender = { ...keyWith(), kind: 'api_key' };
    expect(decide(ruleWith({ needsKey: true }), pretender, false)).toEqual({ code: 'KEY_REQUIRED' });
  });

  it('checks scopes first, then the organization, then the user', () => {
    const demanding = ruleWith({
      requiredScopes: ['a'],
      requiredAnyOf: [['b']],
      needsOrganization: true,
      needsUser: true,
    });
    expect(decideAccess(demanding, keyWith())).toEqual(LACKS_REQUIRED);
    expect(decideAccess(demanding, keyWith({ scopes: ['a'] }))).toEqual(LACKS_ANY_OF);
    expect(decideAccess(demanding, keyWith({ scopes: ['a', 'b'] }))).toEqual({ code: 'ORG_REQUIRED' });
    expect(decideAccess(demanding, keyWith({ scopes: ['a', 'b'], orgCode: 'org_a' }))).toEqual({
      code: 'USER_REQUIRED',
    });
    expect(decideAccess(demanding, keyWith({ scopes: ['a', 'b'], orgCode: 'org_a', userId: 'kp_1' }))).toBeNull();
  });

  it('accepts exactly the keys that meet every demand', () => {
    fc.assert(
      fc.property(someRule, someKey, (rule, key) => {
        const granted = new Set(key.scopes);
        const meetsAll =
          rule.requiredScopes.every((one) => granted.has(one)) &&
          rule.requiredAnyOf.every((list) => list.some((one) => granted.has(one))) &&
          (!rule.needsOrganization || key.orgCode !== null) &&
          (!rule.needsUser || key.userId !== null);
        expect(decideAccess(rule, key) === null).toBe(meetsAll);
      }),
      { numRuns: 2_000 },
    );
  });

  it('never accepts a refused key because of a further demand', () => {
    fc.assert(
      fc.property(someRule, someKey, scope, (rule, key, further) => {
        fc.pre(decideAccess(rule, key) !== null);
        expect(decideAccess({ ...rule, requiredScopes: [...rule.requiredScopes, further] }, key)).not.toBeNull();
        expect(decideAccess({ ...rule, requiredAnyOf: [...rule.requiredAnyOf, [further]] }, key)).not.toBeNull();
      }),
    );
  });
});

describe('decideOrganization', () => {
  const key = keyWith({ orgCode: 'org_é' });
  const mismatch = { code: 'ORG_MISMATCH' };

  it('accepts the same string', () => {
    expect(decideOrganization(key, 'org_é')).toBeNull();
  });

  it.each([
    ['another organization', 'org_b'],
    ['another normal form of the same letters', 'org_é'.normalize('NFD')],
    ['another case', 'ORG_É'],
    ['a trailing space', 'org_é '],
    ['a prefix', 'org_'],
    ['nothing', undefined],
    ['null', null],
    ['an empty string', ''],
    ['an array with the right value', ['org_é']],
    ['a String object', Object('org_é')],
    ['an object that converts to the right value', { toString: () => 'org_é', valueOf: () => 'org_é' }],
    ['an object with the right value in a field', { orgCode: 'org_é' }],
    ['true', true],
    ['a number', 1],
    ['the name of an inherited property', 'constructor'],
    ['a symbol', Symbol('org_é')],
  ])('refuses %s as a mismatch', (_case, claimed: unknown) => {
    expect(decideOrganization(key, claimed)).toEqual(mismatch);
  });

  it('answers ORG_REQUIRED for a key without an organization, whatever the request names', () => {
    for (const claimed of [null, undefined, '', 'null', 'org_a']) {
      expect(decideOrganization(keyWith(), claimed)).toEqual({ code: 'ORG_REQUIRED' });
    }
  });

  it('refuses two empty strings as a mismatch', () => {
    expect(decideOrganization(keyWith({ orgCode: '' }), '')).toEqual(mismatch);
  });

  it('accepts exactly the non-empty strings with the same code units', () => {
    const text = fc.oneof(
      fc.constantFrom('', 'org_a', 'ORG_A', 'é', 'é'.normalize('NFD'), '__proto__', 'toString', '\u{1F600}', '\uD83D'),
      fc.string({ unit: 'binary', maxLength: 4 }),
    );
    fc.assert(
      fc.property(text, fc.oneof(text, fc.anything()), (orgCode, claimed) => {
        const isSame =
          typeof claimed === 'string' &&
          claimed.length > 0 &&
          claimed.length === orgCode.length &&
          orgCode.split('').every((unit, index) => unit.charCodeAt(0) === claimed.charCodeAt(index));
        expect(decideOrganization(keyWith({ orgCode }), claimed)).toEqual(isSame ? null : mismatch);
      }),
      { numRuns: 2_000 },
    );
  });
});
