import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { KindeEmulator } from '../kinde-emulator.js';
import { TestClock } from '../test-clock.js';

const NOW_MS = Date.UTC(2031, 0, 1);

interface TokenAnswer {
  readonly access_token: string;
  readonly expires_in?: number;
  readonly scope: string;
  readonly token_type: string;
}

describe('POST /oauth2/token', () => {
  const clock = new TestClock(NOW_MS);
  let emulator: KindeEmulator;

  beforeAll(async () => {
    emulator = await KindeEmulator.start({ clock });
  });
  afterAll(() => emulator.stop());

  const form = (overrides: Record<string, string | undefined> = {}): URLSearchParams => {
    const { clientId, clientSecret } = emulator.credentials;
    const usual = {
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      audience: `${emulator.domain}/api`,
    };
    const entries = Object.entries({ ...usual, ...overrides });
    return new URLSearchParams(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
  };
  const request = (body: URLSearchParams | string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${emulator.domain}/oauth2/token`, { method: 'POST', body, headers });
  const mint = async (overrides: Record<string, string | undefined> = {}): Promise<TokenAnswer> => {
    const response = await request(form(overrides));
    expect(response.status).toBe(200);
    return (await response.json()) as TokenAnswer;
  };
  const claimsOf = (token: string): Record<string, unknown> =>
    JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
  const readKeys = async (token: string): Promise<number> => {
    const response = await fetch(`${emulator.domain}/api/v1/api_keys`, {
      headers: { authorization: `Bearer ${token}` },
    });
    await response.arrayBuffer();
    return response.status;
  };

  it('issues a token with its scopes, audience and expiry', async () => {
    const { access_token: token, ...rest } = await mint();
    const scope = 'read:api_keys create:api_keys update:api_keys delete:api_keys read:apis read:api_scopes';
    expect(rest).toEqual({ expires_in: 86_400, scope, token_type: 'bearer' });
    expect(claimsOf(token)).toEqual({
      aud: [`${emulator.domain}/api`],
      azp: emulator.credentials.clientId,
      exp: NOW_MS / 1000 + 86_400,
      gty: ['client_credentials'],
      iat: NOW_MS / 1000,
      iss: emulator.domain,
      jti: expect.any(String) as string,
      scope,
      scp: scope.split(' '),
      v: '2',
    });
    expect(await readKeys(token)).toBe(200);
  });

  it.each(['/.well-known/jwks', '/.well-known/jwks.json'])('signs with the RS256 key published at %s', async (path) => {
    const { access_token: token } = await mint();
    const [header = '', payload = '', signature = ''] = token.split('.');
    const { keys } = (await (await fetch(`${emulator.domain}${path}`)).json()) as {
      keys: (JsonWebKey & { kid: string })[];
    };
    const { kid, alg } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string; alg: string };
    const jwk = keys.find((key) => key.kid === kid);
    expect(alg).toBe('RS256');
    expect(jwk).toMatchObject({ kty: 'RSA', alg: 'RS256', use: 'sig' });
    expect(jwk).not.toHaveProperty('d');
    const publicKey = createPublicKey({ key: jwk ?? {}, format: 'jwk' });
    const valid = (content: string): boolean =>
      verify('RSA-SHA256', Buffer.from(content), publicKey, Buffer.from(signature, 'base64url'));
    expect(valid(`${header}.${payload}`)).toBe(true);
    expect(valid(`${header}.${payload}x`)).toBe(false);
  });

  it('grants only the requested scopes', async () => {
    const { access_token: token, scope } = await mint({ scope: 'read:apis' });
    expect(scope).toBe('read:apis');
    expect(claimsOf(token)).toMatchObject({ scope: 'read:apis', scp: ['read:apis'] });
    expect(await readKeys(token)).toBe(403);
  });

  it('accepts the audience of the Management API with the host localhost', async () => {
    const audience = `${emulator.domain.replace('127.0.0.1', 'localhost')}/api`;
    expect(await readKeys((await mint({ audience })).access_token)).toBe(200);
  });

  it.each([
    ['invalid_client', 401, 'a wrong secret', { client_secret: 'wrong' }],
    ['invalid_client', 401, 'an unknown client', { client_id: 'unknown' }],
    ['unauthorized_client', 400, 'an audience that is not authorized', { audience: 'https://other.example/api' }],
    ['invalid_scope', 400, 'a scope that is not granted', { scope: 'read:api_keys read:users' }],
    ['invalid_request', 400, 'no audience', { audience: undefined }],
    ['invalid_request', 400, 'no client id', { client_id: undefined }],
    ['invalid_request', 400, 'no secret', { client_secret: undefined }],
    ['invalid_request', 400, 'no grant type', { grant_type: undefined }],
    ['unsupported_grant_type', 400, 'another grant type', { grant_type: 'password' }],
  ])('answers %s (%i) to %s', async (error, status, _what, overrides) => {
    const mintsBefore = emulator.counters.mints;
    const response = await request(form(overrides));
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ error, error_description: expect.any(String) as string });
    expect(emulator.counters.mints).toBe(mintsBefore);
  });

  it('answers invalid_request to a repeated parameter', async () => {
    const body = form();
    body.append('audience', `${emulator.domain}/api`);
    expect(await (await request(body)).json()).toMatchObject({ error: 'invalid_request' });
  });

  it.each(['application/json', 'text/plain'])('answers invalid_request to the content type %s', async (type) => {
    const response = await request(form().toString(), { 'content-type': type });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: 'invalid_request' });
  });

  it('accepts the form content type with a charset', async () => {
    const response = await request(form().toString(), {
      'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
    });
    expect(response.status).toBe(200);
  });

  it('rejects a token from the second of its expiry, by the clock of the emulator', async () => {
    const { access_token: token } = await mint();
    clock.advance(86_400_000 - 1);
    expect(await readKeys(token)).toBe(200);
    clock.advance(1);
    expect(await readKeys(token)).toBe(401);
    expect(await readKeys((await mint()).access_token)).toBe(200);
  });

  it('rejects tokens issued before revokeTokens() and accepts later ones', async () => {
    const { access_token: before } = await mint();
    emulator.revokeTokens();
    expect(await readKeys(before)).toBe(401);
    expect(await readKeys((await mint()).access_token)).toBe(200);
  });

  it('rejects a token with a changed claim, a token of another emulator, and text that is not a token', async () => {
    const { access_token: token } = await mint();
    const [header, , signature] = token.split('.');
    const forged = Buffer.from(JSON.stringify({ ...claimsOf(token), exp: 9_999_999_999 })).toString('base64url');
    expect(await readKeys(`${header}.${forged}.${signature}`)).toBe(401);
    expect(await readKeys(`${token}.`)).toBe(401);
    expect(await readKeys('k_live_00000000000000000000000000000001')).toBe(401);
    await using other = await KindeEmulator.start({ clock });
    expect(await readKeys(other.issueToken({ audience: [`${emulator.domain}/api`] }))).toBe(401);
  });

  it('issueToken() returns tokens with any scopes, audience and lifetime, without a request', async () => {
    const mintsBefore = emulator.counters.mints;
    expect(await readKeys(emulator.issueToken())).toBe(200);
    expect(await readKeys(emulator.issueToken({ scopes: [] }))).toBe(403);
    expect(await readKeys(emulator.issueToken({ audience: ['https://other.example'] }))).toBe(401);
    expect(await readKeys(emulator.issueToken({ lifetimeSeconds: -1 }))).toBe(401);
    expect(emulator.counters.mints).toBe(mintsBefore);
  });

  describe('after changeApplication()', () => {
    it('rejects the old secret and accepts the new one', async () => {
      const old = emulator.credentials;
      const changed = emulator.changeApplication({ clientSecret: 'rotated' });
      expect(changed).toEqual({ clientId: old.clientId, clientSecret: 'rotated' });
      expect(emulator.credentials).toEqual(changed);
      expect((await request(form({ client_secret: old.clientSecret }))).status).toBe(401);
      expect((await request(form())).status).toBe(200);
    });

    it('issues tokens without expires_in, with another audience, lifetime and organization', async () => {
      emulator.changeApplication({
        omitExpiresIn: true,
        issuedAudience: ['https://other.example'],
        tokenLifetimeSeconds: 60,
        orgCode: 'org_m2m',
      });
      const answer = await mint();
      expect(answer).not.toHaveProperty('expires_in');
      expect(claimsOf(answer.access_token)).toMatchObject({ aud: ['https://other.example'], org_code: 'org_m2m' });
      const { iat, exp } = claimsOf(answer.access_token) as { iat: number; exp: number };
      expect(exp - iat).toBe(60);
      expect(await readKeys(answer.access_token)).toBe(401);
      emulator.changeApplication({
        omitExpiresIn: false,
        issuedAudience: null,
        tokenLifetimeSeconds: 86_400,
        orgCode: null,
      });
      expect(claimsOf((await mint()).access_token)).not.toHaveProperty('org_code');
    });

    it('issues tokens without a removed scope', async () => {
      const { clientId } = emulator.registerApplication({ clientId: 'second', clientSecret: 'secret' });
      const credentials = { client_id: clientId, client_secret: 'secret' };
      expect(await readKeys((await mint(credentials)).access_token)).toBe(200);
      emulator.changeApplication({ scopes: ['read:apis'] }, clientId);
      expect(await readKeys((await mint(credentials)).access_token)).toBe(403);
      expect((await request(form({ ...credentials, scope: 'read:api_keys' }))).status).toBe(400);
      emulator.changeApplication({ audiences: ['https://api.example.com'] }, clientId);
      expect(await (await request(form(credentials))).json()).toMatchObject({ error: 'unauthorized_client' });
      expect(emulator.removeApplication(clientId)).toBe(true);
      expect(await (await request(form(credentials))).json()).toMatchObject({ error: 'invalid_client' });
      expect(emulator.removeApplication(clientId)).toBe(false);
    });

    it('throws a TypeError with the reason for an invalid change', () => {
      expect(() => emulator.changeApplication({}, 'unknown')).toThrow(
        'there is no application with the client id "unknown"',
      );
      expect(() => emulator.changeApplication({ tokenLifetimeSeconds: 0 })).toThrow('an integer of at least 1');
      expect(() => emulator.changeApplication({ scope: [] } as object)).toThrow('unknown application option "scope"');
      expect(() => emulator.changeApplication({ scopes: ['a b'] })).toThrow('scopes must be an array of strings');
      expect(() => emulator.registerApplication(emulator.credentials)).toThrow('exists already');
    });
  });
});
