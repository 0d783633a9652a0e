import fc from 'fast-check';
import { missingPermission, readClaims, saysScopeIsMissing, saysExpired } from './m2m-claims.js';

const AUDIENCE = 'https://acme.kinde.com/api';
const encoded = (text: string) => Buffer.from(text).toString('base64url');
const jwt = (claims: unknown) => `${encoded('{"alg":"RS256"}')}.${encoded(JSON.stringify(claims))}.c2ln`;
const errors = (...entries: unknown[]) => JSON.stringify({ errors: entries });

describe('readClaims', () => {
  it('reads the claims of a JWT', () => {
    expect(readClaims(jwt({ exp: 7, aud: ['é'] }))).toEqual({ exp: 7, aud: ['é'] });
  });

  it.each([
    'opaque',
    'a.b',
    'a..c',
    '.b.c',
    'a.b.',
    'a.b.c.d',
    `a.${encoded('[]')}.c`,
    `a.${encoded('{')}.c`,
    'a.%%%.c',
  ])('reads nothing from %j', (token) => {
    expect(readClaims(token)).toBeUndefined();
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (token) => void readClaims(`a.${token}.c`)));
    expect(readClaims('')).toBeUndefined();
  });
});

describe('missingPermission', () => {
  it.each([
    ['nothing, by its scope text', { aud: [AUDIENCE], scope: 'read:apis read:api_keys' }, undefined],
    ['nothing, by its scp list', { aud: AUDIENCE, scp: ['read:api_keys'] }, undefined],
    ['nothing, by its scp text', { aud: AUDIENCE, scp: 'read:apis read:api_keys' }, undefined],
    ['nothing, if one of the two lists has the scope', { aud: AUDIENCE, scope: '', scp: ['read:api_keys'] }, undefined],
    ['the scope, if it has others', { aud: [AUDIENCE], scope: 'read:apis', scp: ['read:apis'] }, 'scope'],
    ['the scope, if it has none', { aud: [AUDIENCE], scope: '', scp: [] }, 'scope'],
    ['the scope, if it names none', { aud: [AUDIENCE] }, 'scope'],
    ['the scope, if only a longer one begins like it', { aud: [AUDIENCE], scope: 'read:api_keys_all' }, 'scope'],
    ['the audience, if it is for others', { aud: ['https://other.kinde.com/api'], scope: 'read:api_keys' }, 'audience'],
    ['the audience, if the claim is absent', { scope: 'read:api_keys' }, 'audience'],
    ['the audience, if the claim is not a string', { aud: 7, scope: 'read:api_keys' }, 'audience'],
  ])('finds that a token lacks %s', (_what, claims, missing) => {
    expect(missingPermission(jwt(claims), AUDIENCE)).toBe(missing);
  });

  it('returns undefined for an unreadable token', () => {
    expect(missingPermission('opaque', AUDIENCE)).toBeUndefined();
  });
});

describe('saysScopeIsMissing', () => {
  const KEY = 'k_live_scope_missing';

  it.each([
    ['a message', errors({ code: 'FORBIDDEN', message: 'Scope missing: read:api_keys' })],
    ['a code', errors({ code: 'SCOPE_MISSING' })],
    ['a code and a message together', errors({ code: 'MISSING', message: 'a Scope' })],
    ['the second error', errors({ code: 'A', message: 'b' }, { code: 'SCOPE_MISSING', message: 1 })],
    ['an object instead of a list', JSON.stringify({ errors: { code: 'SCOPE_MISSING' } })],
    ['plain text', 'Missing scope'],
    ['a JSON string', '"scope missing"'],
  ])('finds it in %s', (_where, body) => {
    expect(saysScopeIsMissing(body, KEY)).toBe(true);
  });

  it.each([
    ['another error', errors({ code: 'INVALID_CREDENTIALS', message: 'Invalid credentials used to access API' })],
    ['half of the words', errors({ code: 'SCOPE', message: 'read' })],
    ['words in two errors', errors({ code: 'SCOPE' }, { code: 'MISSING' })],
    ['an empty body', ''],
    ['words beyond the first 4,096 characters', `${' '.repeat(4_096)}scope missing`],
    ['the key, echoed', errors({ code: 'INVALID_KEY', message: `no such key: ${KEY}` })],
    ['the key, echoed in plain text', `no such key: ${KEY}`],
    ['words that are not strings', errors({ code: ['scope', 'missing'], message: { scope: 'missing' } })],
  ])('does not find it in %s', (_where, body) => {
    expect(saysScopeIsMissing(body, KEY)).toBe(false);
  });
});

describe('saysExpired', () => {
  const token = (claims: unknown) => `a.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c`;

  it('compares exp with the time, and says nothing of a token without a readable one', () => {
    expect([59_999, 60_000].map((nowMs) => saysExpired(token({ exp: 60 }), nowMs))).toEqual([false, true]);
    for (const unreadable of ['opaque', token({}), token({ exp: '60' }), token({ exp: null })])
      expect(saysExpired(unreadable, 1e15)).toBe(false);
  });
});
