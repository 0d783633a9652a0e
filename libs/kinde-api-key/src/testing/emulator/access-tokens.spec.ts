import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { KindeEmulator } from '../kinde-emulator.js';
import { TestClock } from '../test-clock.js';

const NOW_MS = Date.UTC(2031, 0, 1);
const API = 'https://api.example.com';

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;

let emulator: KindeEmulator;
beforeAll(async () => {
  emulator = await KindeEmulator.start({ clock: new TestClock(NOW_MS) });
});
afterAll(() => emulator.stop());

describe('issueToken()', () => {
  it("issues a user's token with the claims of Kinde's", () => {
    const token = emulator.issueToken({
      userId: 'kp_1',
      orgCode: 'org_a',
      scopes: ['read:users'],
      clientId: 'frontend',
      lifetimeSeconds: 60,
      claims: { permissions: ['read:reports'], v: undefined },
    });
    expect(claimsOf(token)).toEqual({
      aud: [API],
      azp: 'frontend',
      exp: NOW_MS / 1_000 + 60,
      iat: NOW_MS / 1_000,
      iss: emulator.domain,
      jti: expect.any(String) as string,
      org_code: 'org_a',
      permissions: ['read:reports'],
      scope: 'read:users',
      scp: ['read:users'],
      sub: 'kp_1',
    });
  });

  it("gives a user's token no scopes by default", () => {
    expect(claimsOf(emulator.issueToken({ userId: 'kp_1' }))).toMatchObject({ scp: [], aud: [API] });
  });

  it('takes an audience as a text or a list', () => {
    expect(claimsOf(emulator.issueToken({ audience: 'https://a.example' })).aud).toEqual(['https://a.example']);
    expect(claimsOf(emulator.issueToken({ audience: [] })).aud).toEqual([]);
  });

  it.each([
    ['unknown token option "user"', { user: 'kp_1' }],
    ['lifetimeSeconds must be an integer', { lifetimeSeconds: 0.5 }],
    ['userId must be a string', { userId: '' }],
    ['scopes must be an array', { scopes: 'read:users' }],
  ])('throws a TypeError that says "%s"', (message, options) => {
    expect(() => emulator.issueToken(options as object)).toThrow(message);
  });
});

describe('rotateSigningKey()', () => {
  const isSignedByPublishedKey = async (token: string): Promise<boolean> => {
    const response = await fetch(`${emulator.domain}/.well-known/jwks`);
    const { keys } = (await response.json()) as { keys: (JsonWebKey & { kid: string })[] };
    const [header = '', payload = '', signature = ''] = token.split('.');
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string };
    expect(keys).toHaveLength(1);
    const key = keys.find((jwk) => jwk.kid === kid);
    if (!key) return false;
    const publicKey = createPublicKey({ key, format: 'jwk' });
    return verify('RSA-SHA256', Buffer.from(`${header}.${payload}`), publicKey, Buffer.from(signature, 'base64url'));
  };

  it('publishes the new key alone and signs with it', async () => {
    const before = emulator.issueToken();
    expect(await isSignedByPublishedKey(before)).toBe(true);
    await emulator.rotateSigningKey();
    expect(await isSignedByPublishedKey(before)).toBe(false);
    expect(await isSignedByPublishedKey(emulator.issueToken())).toBe(true);
  });
});

describe('POST /oauth2/token with an API key as the bearer', () => {
  const exchange = (key: string, form: Record<string, string> = {}): Promise<Response> =>
    fetch(`${emulator.domain}/oauth2/token`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', ...form }),
    });

  it('issues an access token for the owner of the key, and counts it apart from M2M tokens', async () => {
    const { key, keyId } = emulator.createKey({ orgCode: 'org_a', scopes: ['read:users'] });
    const before = { ...emulator.counters };
    const response = await exchange(key, { scope: 'openid read:users' });
    expect(response.status).toBe(200);
    const { access_token: token, ...rest } = (await response.json()) as { access_token: string };
    expect(rest).toEqual({ expires_in: 3_600, scope: 'openid read:users', token_type: 'bearer' });
    expect(claimsOf(token)).toMatchObject({ aud: [API], azp: keyId, org_code: 'org_a', gty: ['client_credentials'] });
    expect(emulator.counters).toMatchObject({ exchanges: before.exchanges + 1, mints: before.mints });
  });

  it('names the user of a key that belongs to a user', async () => {
    const { key } = emulator.createKey({ userId: 'kp_1' });
    const { access_token: token } = (await (await exchange(key)).json()) as { access_token: string };
    expect(claimsOf(token)).toMatchObject({ sub: 'kp_1' });
  });

  it.each([
    ['invalid_client', 401, 'a revoked key', 'revoked', {}],
    ['invalid_scope', 400, 'a scope that the key does not have', 'active', { scope: 'write:users' }],
    ['unauthorized_client', 400, 'the audience of another API', 'active', { audience: 'https://other.example' }],
    ['unsupported_grant_type', 400, 'another grant', 'active', { grant_type: 'password' }],
  ])('answers %s (%i) to %s', async (error, status, _what, keyStatus, form: Record<string, string>) => {
    const { key } = emulator.createKey({ status: keyStatus });
    const response = await exchange(key, form);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error });
  });

  it('answers invalid_client to an unknown key', async () => {
    expect((await exchange('k_live_unknown_to_kinde_0')).status).toBe(401);
  });
});
