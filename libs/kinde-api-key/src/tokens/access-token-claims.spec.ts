import fc from 'fast-check';
import { KindeAccessTokenError } from '../kinde-api-key.errors.js';
import { readAccessToken, type KindeAccessTokenPrincipal } from './access-token-claims.js';

const NOW_MS = Date.UTC(2031, 0, 1);
const NOW = NOW_MS / 1_000;
const RULES = { issuer: 'https://acme.kinde.com', audiences: ['https://api.example.com'], toleranceSeconds: 5 };
const GOOD = { iss: RULES.issuer, aud: RULES.audiences, exp: NOW + 60, sub: 'kp_1', azp: 'app' };

const read = (claims: unknown): KindeAccessTokenPrincipal =>
  readAccessToken(Buffer.from(JSON.stringify(claims)), RULES, NOW_MS);

function attempt(claims: unknown): KindeAccessTokenPrincipal | string {
  try {
    return read(claims);
  } catch (error) {
    if (!(error instanceof KindeAccessTokenError)) throw error;
    return error.code;
  }
}

const absentIn = (value: unknown): boolean => value === undefined || value === null;

describe('readAccessToken()', () => {
  it.each([
    [{ scope: 'read:users write:users' }, ['read:users', 'write:users']],
    [{ scp: ['read:users'] }, ['read:users']],
    [{ scope: 'a  b', scp: ['b', 'c'] }, ['a', 'b', 'c']],
    [{ scope: '', scp: [] }, []],
    [{ scope: null, scp: null }, []],
    [{}, []],
  ])('reads the scopes of %j', (claims, scopes) => {
    expect(read({ ...GOOD, ...claims }).scopes).toEqual(scopes);
  });

  it.each([
    [
      { sub: 'kp_1', azp: 'app' },
      { id: 'kp_1', userId: 'kp_1', clientId: 'app' },
    ],
    [
      { sub: 'kp_1', azp: undefined },
      { id: 'kp_1', userId: 'kp_1', clientId: null },
    ],
    [
      { sub: undefined, azp: 'app' },
      { id: 'app', userId: null, clientId: 'app' },
    ],
    [
      { sub: 'app', azp: 'app' },
      { id: 'app', userId: null, clientId: 'app' },
    ],
    [{ gty: ['client_credentials'] }, { id: 'app', userId: null, clientId: 'app' }],
    [{ gty: 'client_credentials' }, { id: 'app', userId: null, clientId: 'app' }],
    [{ gty: ['authorization_code'] }, { id: 'kp_1', userId: 'kp_1', clientId: 'app' }],
    [{ org_code: 'org_a' }, { orgCode: 'org_a' }],
    [{ org_code: '' }, { orgCode: null }],
    [{ org_code: null }, { orgCode: null }],
  ])('reads the caller of %j', (claims, caller) => {
    expect(read({ ...GOOD, ...claims })).toMatchObject(caller);
  });

  it('refuses an M2M token without an application, whatever its subject', () => {
    expect(attempt({ ...GOOD, gty: ['client_credentials'], azp: null })).toBe('INVALID_TOKEN');
  });

  it('refuses a payload that is not UTF-8, and one with a byte order mark', () => {
    const good = Buffer.from(JSON.stringify({ ...GOOD, name: 'é' }), 'latin1');
    expect(() => readAccessToken(good, RULES, NOW_MS)).toThrow('not UTF-8');
    const marked = Buffer.from(`\uFEFF${JSON.stringify(GOOD)}`);
    expect(() => readAccessToken(marked, RULES, NOW_MS)).toThrow('not a JSON object');
  });

  it('takes no claim from a prototype', () => {
    const claims = JSON.stringify({ iss: RULES.issuer, aud: RULES.audiences, exp: NOW + 60, sub: 'kp_1' });
    const polluted = claims.replace('{', '{"__proto__":{"org_code":"org_a","scp":["admin"],"azp":"app"},');
    const principal = readAccessToken(Buffer.from(polluted), RULES, NOW_MS);
    expect(principal).toMatchObject({ orgCode: null, scopes: [], clientId: null });
    expect(({} as { org_code?: unknown }).org_code).toBeUndefined();
  });

  it('accepts or refuses by the right code, and throws nothing else, for claims of any type', () => {
    const names = [
      'iss',
      'aud',
      'exp',
      'nbf',
      'iat',
      'sub',
      'azp',
      'gty',
      'scope',
      'scp',
      'org_code',
      'at_hash',
    ] as const;
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom(null, NOW, NOW + 60, 'kp_1', [], ['a'], ['a', 1]));
    const claims = fc.record(Object.fromEntries(names.map((name) => [name, value])), { requiredKeys: [] });
    fc.assert(
      fc.property(claims, (given) => {
        const result = attempt({ ...GOOD, ...given });
        if (typeof result === 'string') return ['INVALID_TOKEN', 'TOKEN_EXPIRED'].includes(result);
        const {
          scope,
          scp,
          org_code: orgCode,
          sub,
          exp,
          nbf,
          at_hash: hash,
        } = { exp: GOOD.exp, ...given } as Record<string, unknown>;
        return (
          (absentIn(scope) || typeof scope === 'string') &&
          (absentIn(scp) || Array.isArray(scp)) &&
          (absentIn(orgCode) || typeof orgCode === 'string') &&
          (absentIn(sub) || typeof sub === 'string') &&
          (nbf === undefined || (nbf as number) <= NOW + 5) &&
          (exp as number) > NOW - 5 &&
          hash === undefined &&
          result.scopes.every((one) => typeof one === 'string')
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it('accepts a token exactly from its beginning to its end, give or take the tolerance', () => {
    const offset = fc.integer({ min: -20, max: 20 });
    fc.assert(
      fc.property(offset, offset, offset, (exp, nbf, iat) => {
        const result = attempt({ ...GOOD, exp: NOW + exp, nbf: NOW + nbf, iat: NOW + iat });
        if (nbf > 5 || iat > 5) return result === 'INVALID_TOKEN';
        return exp > -5 ? typeof result === 'object' : result === 'TOKEN_EXPIRED';
      }),
    );
  });
});
