import fc from 'fast-check';
import {
  AUDIENCE,
  connect,
  connectionTo,
  contextOf,
  Signer,
  signWithSecret,
} from '../../../../test/support/access-tokens.js';
import { canariesIn, everythingOf } from '../../../../test/support/canary.js';
import { CONNECT } from '../api-key/principal.js';
import { KindeEmulator, TestClock } from '../testing/index.js';
import type * as Tokens from './index.js';

const NOW_MS = Date.UTC(2031, 0, 1);
const NOW = NOW_MS / 1_000;

const decoded = (token: string): string =>
  token
    .split('.')
    .map((part) => Buffer.from(part, 'base64url').toString('hex'))
    .join('.');

const INVALID = { name: 'KindeAccessTokenError', code: 'INVALID_TOKEN' };

/** Loads the subpath with one of the versions of jose that its peer range names. */
async function tokensWith(jose: string): Promise<typeof Tokens> {
  let loaded: typeof Tokens | undefined;
  await jest.isolateModulesAsync(async () => {
    jest.doMock('jose', () => jest.requireActual<object>(jose));
    loaded = await import('./index.js');
  });
  return loaded as typeof Tokens;
}

describe.each(['jose', 'jose5'])('kindeAccessTokens() with %s', (jose) => {
  const clock = new TestClock(NOW_MS);
  let tokens: typeof Tokens;
  let emulator: KindeEmulator;
  let connection: ReturnType<typeof connectionTo>;
  let authenticate: ReturnType<typeof connect>;

  beforeAll(async () => {
    tokens = await tokensWith(jose);
    emulator = await KindeEmulator.start({ clock });
    connection = connectionTo(emulator, clock);
    authenticate = connect(tokens.kindeAccessTokens({ audience: AUDIENCE }), connection);
  });
  afterEach(() => clock.set(NOW_MS));
  afterAll(async () => {
    connection.http.close();
    await emulator.stop();
  });

  const issue: KindeEmulator['issueToken'] = (options) => emulator.issueToken({ userId: 'kp_1', ...options });

  describe('accepts', () => {
    it("a user's token, with its scopes, organization, user, application and claims", async () => {
      const claims = { permissions: ['read:reports'], feature_flags: { beta: { t: 'b', v: true } } };
      const token = issue({ orgCode: 'org_a', scopes: ['read:users'], clientId: 'frontend', claims });
      const principal = await authenticate(token);
      expect(principal).toEqual({
        kind: 'access_token',
        id: 'kp_1',
        scopes: ['read:users'],
        orgCode: 'org_a',
        userId: 'kp_1',
        clientId: 'frontend',
        claims: expect.objectContaining({ ...claims, iss: emulator.domain, sub: 'kp_1' }) as object,
      });
      for (const part of [principal, principal?.scopes, principal?.claims, principal?.claims.feature_flags])
        expect(Object.isFrozen(part)).toBe(true);
    });

    it('an M2M token for the API, whose caller is the application and not a user', async () => {
      const token = emulator.issueToken({ audience: AUDIENCE, scopes: ['read:users'], clientId: 'backend' });
      expect(await authenticate(token)).toMatchObject({ id: 'backend', userId: null, clientId: 'backend' });
      const withSubject = emulator.issueToken({ audience: AUDIENCE, clientId: 'backend', claims: { sub: 'kp_1' } });
      expect(await authenticate(withSubject)).toMatchObject({ id: 'backend', userId: null });
    });

    it('one of several audiences, in a token with several', async () => {
      const both = connect(tokens.kindeAccessTokens({ audience: ['https://b.example', AUDIENCE] }), connection);
      expect(await both(issue({ audience: ['https://c.example', 'https://b.example'] }))).toMatchObject({ id: 'kp_1' });
    });

    it('a token of a custom domain, if the option issuer names it', async () => {
      const issuer = 'https://auth.example.com';
      const custom = connect(tokens.kindeAccessTokens({ audience: AUDIENCE, issuer }), connection);
      expect(await custom(issue({ claims: { iss: issuer } }))).toMatchObject({ id: 'kp_1' });
      await expect(custom(issue())).rejects.toMatchObject(INVALID);
    });

    it('a scheme in any case, and several blanks after it', async () => {
      const source = tokens.kindeAccessTokens({ audience: AUDIENCE })[CONNECT](connection);
      const context = contextOf(['authorization', `bEARER   ${issue()}`]);
      expect(await source.authenticate(context)).toMatchObject({ userId: 'kp_1' });
    });

    it('a token until its end and the tolerance of five seconds', async () => {
      const token = issue({ lifetimeSeconds: 60 });
      clock.set(NOW_MS + 64_999);
      expect(await authenticate(token)).toMatchObject({ id: 'kp_1' });
      clock.set(NOW_MS + 65_000);
      await expect(authenticate(token)).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' });
    });

    it('no expired token for longer than the option says', async () => {
      const exact = connect(tokens.kindeAccessTokens({ audience: AUDIENCE, clockToleranceSeconds: 0 }), connection);
      const token = issue({ lifetimeSeconds: 60 });
      clock.set(NOW_MS + 59_999);
      expect(await exact(token)).toMatchObject({ id: 'kp_1' });
      clock.set(NOW_MS + 60_000);
      await expect(exact(token)).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' });
    });
  });

  describe('declines', () => {
    it.each([
      ['no Authorization header', []],
      ['an API key', ['authorization', 'Bearer k_live_00000000000000000000000000000001']],
      ['a key with two dots', ['authorization', 'Bearer k_live.0000000000000000.0000']],
      ['another scheme', ['authorization', 'Basic eyJhbGciOiJSUzI1NiJ9.e30.AAAA']],
      ['a JWE', ['authorization', 'Bearer eyJhbGciOiJSUzI1NiJ9.e.e.e.AAAA']],
      ['a token of two parts', ['authorization', 'Bearer eyJhbGciOiJSUzI1NiJ9.e30']],
      ['a token in another header', ['x-token', 'Bearer eyJhbGciOiJSUzI1NiJ9.e30.AAAA']],
    ])('%s', async (_what, headers) => {
      const source = tokens.kindeAccessTokens({ audience: AUDIENCE })[CONNECT](connection);
      expect(await source.authenticate(contextOf(headers))).toBeNull();
    });

    it('what is not HTTP', () => {
      const source = tokens.kindeAccessTokens({ audience: AUDIENCE })[CONNECT](connection);
      expect(source.authenticate(contextOf(['authorization', `Bearer ${issue()}`], 'rpc'))).toBeNull();
    });
  });

  describe('refuses', () => {
    it('two Authorization headers, also if both are good', () => {
      const source = tokens.kindeAccessTokens({ audience: AUDIENCE })[CONNECT](connection);
      const header = ['Authorization', `Bearer ${issue()}`];
      expect(() => source.authenticate(contextOf([...header, ...header]))).toThrow('two Authorization headers');
    });

    it.each([
      ['another audience', { audience: 'https://other.example' }],
      ['no audience', { audience: [] }],
      ['an audience that only begins like ours', { audience: `${AUDIENCE}/admin` }],
      ['another issuer', { claims: { iss: 'https://evil.example' } }],
      ['an issuer with a slash', { claims: { iss: 'http://127.0.0.1:1/' } }],
      ['an ID token', { claims: { at_hash: 'VZ6cU0Ay0RKB5EosbWuTCQ' } }],
      ['no end', { claims: { exp: undefined } }],
      ['an end that is a text', { claims: { exp: String(NOW + 60) } }],
      ['a beginning that lies ahead', { claims: { nbf: NOW + 6 } }],
      ['an issue that lies ahead', { claims: { iat: NOW + 6 } }],
      ['scopes in a wrong type', { claims: { scp: 'read:users' } }],
      ['a scope that is a list', { claims: { scope: ['read:users'] } }],
      ['an organization in a wrong type', { claims: { org_code: ['org_a'] } }],
      ['a user in a wrong type', { claims: { sub: 1 } }],
      ['neither a user nor an application', { claims: { sub: '', azp: null } }],
      ['a grant in a wrong type', { claims: { gty: { 0: 'client_credentials' } } }],
    ])('a signed token with %s', async (_what, options) => {
      await expect(authenticate(issue(options))).rejects.toMatchObject(INVALID);
    });

    it('with TOKEN_EXPIRED only a token that is wrong in nothing else', async () => {
      const expired = { lifetimeSeconds: -60 };
      await expect(authenticate(issue(expired))).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' });
      const [header, payload, signature = ''] = issue(expired).split('.');
      const forged = `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
      await expect(authenticate(forged)).rejects.toMatchObject(INVALID);
      const elsewhere = issue({ ...expired, audience: 'https://other.example' });
      await expect(authenticate(elsewhere)).rejects.toMatchObject(INVALID);
    });

    describe('a token with a forged header', () => {
      const signer = new Signer('ours');
      const evil = new Signer('ours');
      let trusting: ReturnType<typeof connect>;
      const claims = () => ({ iss: emulator.domain, aud: [AUDIENCE], sub: 'kp_1', exp: NOW + 60 });

      beforeAll(() => {
        emulator.failUntilCleared({ status: 200, body: { keys: [signer.jwk] } }, 'jwks');
        trusting = connect(tokens.kindeAccessTokens({ audience: AUDIENCE }), connection);
      });
      afterAll(() => emulator.clearFaults());

      const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
      const cases: readonly (readonly [string, () => string])[] = [
        ['alg none and no signature', () => `${part({ alg: 'none', kid: 'ours' })}.${part(claims())}.`],
        ['alg none and a signature', () => signer.sign(claims(), { alg: 'none' })],
        ['alg NONE', () => `${part({ alg: 'NONE', kid: 'ours' })}.${part(claims())}.`],
        ['no alg', () => signer.sign(claims(), { alg: undefined })],
        [
          'HS256 and the public key as the secret',
          () =>
            signWithSecret(
              signer.publicKey.export({ type: 'spki', format: 'pem' }),
              { alg: 'HS256', typ: 'JWT', kid: 'ours' },
              claims(),
            ),
        ],
        ['RS512 over an RS256 signature', () => signer.sign(claims(), { alg: 'RS512' })],
        ['PS256', () => signer.sign(claims(), { alg: 'PS256' })],
        ['another key under the same id', () => evil.sign(claims())],
        ['an embedded jwk', () => evil.sign(claims(), { jwk: evil.jwk })],
        ['an embedded jwk over a good signature', () => signer.sign(claims(), { jwk: signer.jwk })],
        ['a jku', () => signer.sign(claims(), { jku: 'https://evil.example/jwks' })],
        ['an x5u', () => signer.sign(claims(), { x5u: 'https://evil.example/x5u' })],
        ['an x5c', () => signer.sign(claims(), { x5c: ['MIIB'] })],
        ['a crit', () => signer.sign(claims(), { crit: ['exp'], exp: NOW })],
        ['an empty crit', () => signer.sign(claims(), { crit: [] })],
        ['b64 false with its crit', () => signer.sign(claims(), { crit: ['b64'], b64: false })],
        ['b64 false without a crit', () => signer.sign(claims(), { b64: false })],
        ['no kid', () => signer.sign(claims(), { kid: undefined })],
        ['an empty kid', () => signer.sign(claims(), { kid: '' })],
        ['a kid that is not a text', () => signer.sign(claims(), { kid: ['ours'] })],
        ['a kid of 257 characters', () => signer.sign(claims(), { kid: 'k'.repeat(257) })],
        ['a kid of Object.prototype', () => signer.sign(claims(), { kid: 'constructor' })],
        ['the typ of a logout token', () => signer.sign(claims(), { typ: 'logout+jwt' })],
        ['a typ that is not a text', () => signer.sign(claims(), { typ: ['JWT'] })],
        ['a payload that is not JSON', () => signer.sign('no claims')],
        ['a payload that is a list', () => signer.sign([claims()])],
        [
          'an end that JSON reads as infinite',
          () => signer.sign(JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":1e999')),
        ],
        ['a header that is not JSON', () => `eyJ.${part(claims())}.${'never-a-signature'.repeat(3)}`],
      ];
      it.each(cases)('%s', async (_what, token) => {
        const error: unknown = await trusting(token()).catch((reason: unknown) => reason);
        expect(error).toMatchObject(INVALID);
        const [, payload = '', signature = ''] = token().split('.');
        const shown = { payload: payload || 'unused canary', signature: signature || 'unused canary' };
        expect(canariesIn(everythingOf(error), shown)).toEqual([]);
      });

      it.each([undefined, 'JWT', 'jwt', 'at+jwt', 'application/at+jwt'])('but not the typ %s', async (typ) => {
        expect(await trusting(signer.sign(claims(), { typ }))).toMatchObject({ id: 'kp_1' });
      });

      it('of any shape, and with any of its bytes changed', async () => {
        const token = signer.sign(claims());
        const text = fc
          .oneof(fc.base64String(), fc.json(), fc.string())
          .map((one) => Buffer.from(one).toString('base64url'));
        const ofParts = fc.tuple(text, text, text).map(([header, payload, end]) => `ey${header}.${payload}.${end}`);
        const changed = fc
          .tuple(fc.nat(token.length - 1), fc.constantFrom('A', 'Q', 'g', 'w', '_', '-', 'z', '9'))
          .map(([at, letter]) => token.slice(0, at) + letter + token.slice(at + 1));
        await fc.assert(
          fc.asyncProperty(fc.oneof(ofParts, changed), async (given) => {
            const source = tokens.kindeAccessTokens({ audience: AUDIENCE })[CONNECT](connection);
            const outcome: unknown = await Promise.resolve(
              source.authenticate(contextOf(['authorization', `Bearer ${given}`])),
            ).catch((error: unknown) => error);
            // The last letter of a signature has bits that do not count.
            if (outcome === null || given === token || decoded(given) === decoded(token)) return;
            expect(outcome).toMatchObject(INVALID);
          }),
        );
      });

      it('longer than 16,384 characters, before any of it is parsed', async () => {
        const long = signer.sign({ ...claims(), padding: 'x'.repeat(13_000) });
        expect(long.length).toBeGreaterThan(16_384);
        await expect(trusting(long)).rejects.toThrow('it is longer than 16384 characters');
        const notEvenParsed = `ey${'A'.repeat(20_000)}.e30.AAAA`;
        await expect(trusting(notEvenParsed)).rejects.toThrow('it is longer than 16384 characters');
      });
    });
  });
});

describe('kindeAccessTokens()', () => {
  const { kindeAccessTokens } = jest.requireActual<typeof Tokens>('./index.js');

  it.each([
    [undefined, 'kindeAccessTokens() needs an object'],
    [{}, 'kindeAccessTokens({ audience }) is missing: name the audience of your API'],
    [{ audience: '' }, 'kindeAccessTokens({ audience }) must be a text or a list'],
    [{ audience: [] }, 'must be a text or a list of at least one'],
    [{ audience: [' https://api.example.com'] }, 'without blanks around it'],
    [{ audience: AUDIENCE, clockToleranceSeconds: -1 }, 'must be a whole number from 0 to 300'],
    [{ audience: AUDIENCE, clockToleranceSeconds: Infinity }, 'must be a whole number from 0 to 300'],
    [{ audience: AUDIENCE, issuer: 'https://auth.example.com/' }, 'must be an https URL without a path'],
    [{ audience: AUDIENCE, audiences: [] }, 'audiences }) is not an option'],
  ])('throws a TypeError for %j that says what to write', (options, message) => {
    const call = (): unknown => kindeAccessTokens(options as never);
    expect(call).toThrow(TypeError);
    expect(call).toThrow(message);
    expect(call).toThrow("e.g. kindeAccessTokens({ audience: 'https://api.example.com' })");
  });
});
