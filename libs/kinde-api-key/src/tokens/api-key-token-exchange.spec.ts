import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { connectionTo } from '../../../../test/support/access-tokens.js';
import { canariesIn, everythingOf } from '../../../../test/support/canary.js';
import { KindeApiKeyError, KindeTokenExchangeError } from '../kinde-api-key.errors.js';
import type { KindeHttp } from '../kinde/http.js';
import { KINDE_CONNECTION } from '../kinde/kinde-connection.js';
import { KindeEmulator, TestClock } from '../testing/index.js';
import { ApiKeyTokenExchange } from './index.js';

const NOW_MS = Date.UTC(2031, 0, 1);
const HOUR_MS = 3_600_000;

const UNAVAILABLE = { name: 'KindeApiKeyUnavailableError', code: 'VERIFICATION_UNAVAILABLE' };

const clock = new TestClock(NOW_MS);
let emulator: KindeEmulator;
let connection: ReturnType<typeof connectionTo>;
let exchange: ApiKeyTokenExchange;
let key: string;
let keyId: string;

beforeAll(async () => {
  emulator = await KindeEmulator.start({ clock });
});
beforeEach(() => {
  clock.set(NOW_MS);
  emulator.resetCounters();
  connection = connectionTo(emulator, clock);
  exchange = new ApiKeyTokenExchange(connection);
  ({ key, keyId } = emulator.createKey({ orgCode: 'org_a', scopes: ['read:users', 'write:users'] }));
});
afterEach(() => {
  emulator.clearFaults();
  connection.http.close();
});
afterAll(() => emulator.stop());

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
const tokenAnswer = (fields: object): Parameters<KindeEmulator['failNext']>[0] => ({ status: 200, body: fields });
const opaque = (fields: object = {}) => tokenAnswer({ access_token: 'opaque', token_type: 'bearer', ...fields });

describe('ApiKeyTokenExchange.tokenFor()', () => {
  it('is injected where an app names it among its providers', async () => {
    @Module({ providers: [ApiKeyTokenExchange, { provide: KINDE_CONNECTION, useValue: connection }] })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    expect(claimsOf(await app.get(ApiKeyTokenExchange).tokenFor(key))).toMatchObject({ org_code: 'org_a' });
    await app.close();
  });

  it('sends the key as the bearer, with a form of the grant and the scopes', async () => {
    const requests: unknown[] = [];
    const http: KindeHttp = {
      send: (request, signal) => {
        requests.push(request);
        return connection.http.send(request, signal);
      },
      close: () => {},
    };
    await new ApiKeyTokenExchange({ ...connection, http }).tokenFor(key);
    expect(requests).toEqual([
      {
        method: 'POST',
        url: `${emulator.domain}/oauth2/token`,
        headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: `Bearer ${key}` },
        body: 'grant_type=client_credentials&scope=openid+profile',
      },
    ]);
  });

  it.each([
    [undefined, 'openid profile'],
    ['read:users', 'read:users'],
    ['write:users read:users', 'read:users write:users'],
    [['write:users', 'read:users', 'read:users'], 'read:users write:users'],
  ])('requests the scopes %j', async (scope, granted) => {
    const token = await exchange.tokenFor(key, scope === undefined ? {} : { scope });
    expect(claimsOf(token).scope).toBe(granted);
  });

  it('keeps a token per key and scopes, whatever their order', async () => {
    const token = await exchange.tokenFor(key, { scope: 'read:users write:users' });
    expect(await exchange.tokenFor(key, { scope: ['write:users', 'read:users'] })).toBe(token);
    expect(await exchange.tokenFor(key, { scope: 'read:users' })).not.toBe(token);
    expect(await exchange.tokenFor(emulator.createKey().key)).not.toBe(token);
    expect(emulator.counters).toMatchObject({ requests: 3, exchanges: 3 });
  });

  it('shares one exchange among a hundred concurrent calls', async () => {
    const tokens = await Promise.all(Array.from({ length: 100 }, () => exchange.tokenFor(key)));
    expect(new Set(tokens).size).toBe(1);
    expect(emulator.counters.tokenRequests).toBe(1);
  });

  it('renews a token in the background in the last fifth of its life', async () => {
    const first = await exchange.tokenFor(key);
    clock.advance(0.8 * HOUR_MS - 1);
    expect(await exchange.tokenFor(key)).toBe(first);
    expect(emulator.counters.tokenRequests).toBe(1);
    clock.advance(1);
    const arrival = emulator.nextRequest('token');
    expect(await exchange.tokenFor(key)).toBe(first);
    await arrival;
    clock.set(NOW_MS + HOUR_MS);
    expect(await exchange.tokenFor(key)).not.toBe(first);
    expect(emulator.counters.tokenRequests).toBe(2);
  });

  it.each([
    ['expires_in, up to its last 30 s', opaque({ expires_in: 600 }), 600_000],
    ['an hour where nothing states it', opaque(), HOUR_MS],
  ])('takes the lifetime from %s', async (_from, fault, lifeMs) => {
    emulator.failNext(fault, 'token');
    expect(await exchange.tokenFor(key)).toBe('opaque');
    clock.advance(lifeMs - 30_001);
    emulator.failUntilCleared(503, 'token');
    expect(await exchange.tokenFor(key)).toBe('opaque');
    clock.advance(1);
    await expect(exchange.tokenFor(key)).rejects.toMatchObject(UNAVAILABLE);
  });

  it('takes the lifetime from the claim exp where expires_in is absent', async () => {
    const token = emulator.issueToken({ lifetimeSeconds: 600, claims: { iat: undefined } });
    emulator.failNext(tokenAnswer({ access_token: token }), 'token');
    expect(await exchange.tokenFor(key)).toBe(token);
    clock.advance(570_000);
    expect(await exchange.tokenFor(key)).not.toBe(token);
  });

  it('exchanges again after the clock was set back to before the token', async () => {
    const token = await exchange.tokenFor(key);
    clock.set(NOW_MS - HOUR_MS);
    expect(await exchange.tokenFor(key)).not.toBe(token);
  });

  it('no longer serves a token once Kinde refuses to renew it', async () => {
    let lastAnswer: Promise<unknown> = Promise.resolve();
    const http: KindeHttp = {
      send: (...call) => {
        const answer = connection.http.send(...call);
        lastAnswer = answer;
        return answer;
      },
      close: () => {},
    };
    const watched = new ApiKeyTokenExchange({ ...connection, http });
    const token = await watched.tokenFor(key);
    emulator.revokeKey(keyId);
    clock.advance(0.8 * HOUR_MS);
    expect(await watched.tokenFor(key)).toBe(token);
    await lastAnswer;
    await new Promise(setImmediate);
    await expect(watched.tokenFor(key)).rejects.toMatchObject({ code: 'INVALID_CLIENT' });
  });
});

describe('a refusal of the exchange', () => {
  it.each([
    ['invalid_client', 'INVALID_CLIENT', 'rotated, revoked or not active'],
    ['unauthorized_client', 'UNAUTHORIZED_CLIENT', 'Kinde > Settings > APIs'],
    ['invalid_scope', 'INVALID_SCOPE', 'create another key'],
    ['invalid_request', 'INVALID_REQUEST', 'may not offer the exchange'],
  ] as const)('%s has the code %s and says what to do', async (tokenError, code, cure) => {
    emulator.failNext({ tokenError }, 'token');
    const error: unknown = await exchange.tokenFor(key).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(KindeTokenExchangeError);
    expect(error).toBeInstanceOf(KindeApiKeyError);
    expect(error).toMatchObject({ name: 'KindeTokenExchangeError', code });
    expect((error as Error).message).toContain(cure);
    expect((error as Error).message).toContain(`(${tokenError})`);
  });

  it('is not repeated for ten seconds, for the same key and scopes alone', async () => {
    emulator.setKeyStatus(keyId, 'inactive');
    const refused = () => exchange.tokenFor(key).catch((reason: unknown) => reason);
    const first = await refused();
    emulator.setKeyStatus(keyId, 'active');
    clock.advance(9_999);
    const second = await refused();
    expect(second).toMatchObject({ code: 'INVALID_CLIENT' });
    expect(second).not.toBe(first);
    expect(emulator.counters.tokenRequests).toBe(1);
    expect(await exchange.tokenFor(key, { scope: 'read:users' })).toEqual(expect.any(String));
    clock.advance(1);
    expect(await exchange.tokenFor(key)).toEqual(expect.any(String));
  });

  it.each(['short', 'a key with blanks in it', 'k'.repeat(513), '', undefined, { toString: () => 'k' }])(
    'is INVALID_CLIENT without a call for %j',
    async (text) => {
      await expect(exchange.tokenFor(text as string)).rejects.toMatchObject({ code: 'INVALID_CLIENT' });
      expect(emulator.counters.requests).toBe(0);
    },
  );

  it.each(['', 'openid  profile', 'openid\nprofile', ['a b'], [], [1], 1, 'é', ['s'.repeat(2_049)]])(
    'is a TypeError without a call for the scopes %j',
    async (scope) => {
      const call = exchange.tokenFor(key, { scope } as never);
      await expect(call).rejects.toThrow(
        "tokenFor({ scope }) must be scopes as a text or a list, e.g. 'openid profile'",
      );
      expect(emulator.counters.requests).toBe(0);
    },
  );
});

describe('an outage of the token endpoint', () => {
  it.each<[string, Parameters<KindeEmulator['failNext']>[0]]>([
    ['503', 503],
    ['401 without an OAuth error', { status: 401, body: 'no' }],
    ['an OAuth error that is not documented', { status: 400, body: { error: 'slow_down' } }],
    ['a login page', { status: 200, body: '<html>', headers: { 'content-type': 'text/html' } }],
    ['a token that is a number', tokenAnswer({ access_token: 1 })],
    ['a token with a line break', tokenAnswer({ access_token: 'a\nb', expires_in: 60 })],
    ['another type of token', opaque({ token_type: 'mac' })],
    ['a lifetime that cannot be read', opaque({ expires_in: 'soon' })],
    ['a token that has expired', tokenAnswer({ access_token: 'opaque', expires_in: -1 })],
    ['a redirect', { redirect: 'http://127.0.0.1:1/token' }],
    ['an answer that never ends', { endless: true }],
    ['an answer that breaks off', { truncated: true }],
  ])('is %s, and is not repeated for five seconds', async (_what, fault) => {
    emulator.failUntilCleared(fault, 'token');
    await expect(exchange.tokenFor(key)).rejects.toMatchObject({ ...UNAVAILABLE, retryAfterSeconds: 5 });
    clock.advance(4_000);
    await expect(exchange.tokenFor(key)).rejects.toMatchObject({ ...UNAVAILABLE, retryAfterSeconds: 1 });
    expect(emulator.counters.tokenRequests).toBe(1);
    emulator.clearFaults();
    clock.advance(1_000);
    expect(await exchange.tokenFor(key)).toEqual(expect.any(String));
  });

  it('that is a 429 holds back every key for as long as Kinde asks', async () => {
    emulator.failNext({ status: 429, rateLimitReset: 17 }, 'token');
    await expect(exchange.tokenFor(key)).rejects.toMatchObject({ ...UNAVAILABLE, retryAfterSeconds: 17 });
    const { key: other } = emulator.createKey();
    await expect(exchange.tokenFor(other)).rejects.toMatchObject({ ...UNAVAILABLE, retryAfterSeconds: 17 });
    expect(emulator.counters.tokenRequests).toBe(1);
    clock.advance(17_000);
    expect(await exchange.tokenFor(other)).toEqual(expect.any(String));
  });

  it('ends at the deadline', async () => {
    emulator.failUntilCleared({ hang: true }, 'token');
    const impatient = new ApiKeyTokenExchange({ ...connection, timeoutMs: 20 });
    await expect(impatient.tokenFor(key)).rejects.toThrow('Kinde did not answer in time');
  });

  it('does not let more than 64 exchanges wait', async () => {
    emulator.failUntilCleared({ hang: true }, 'token');
    const patient = new ApiKeyTokenExchange({ ...connection, timeoutMs: 600_000 });
    const keys = Array.from({ length: 64 }, () => emulator.createKey().key);
    const waiting = Promise.allSettled(keys.map((one) => patient.tokenFor(one)));
    await expect(patient.tokenFor(key)).rejects.toThrow('64 exchanges of API keys are in flight');
    connection.http.close();
    await waiting;
  });
});

describe('secrets of the exchange', () => {
  it('are not readable in the service, its errors and the log', async () => {
    const token = await exchange.tokenFor(key);
    const canaries = { key, token };
    expect(canariesIn(everythingOf(exchange), canaries)).toEqual([]);
    for (const fault of [{ status: 500, echo: true }, { status: 400, echo: true }, { reset: true }] as const) {
      const { key: bad } = emulator.createKey();
      emulator.failNext(fault, { where: 'token', times: 2 });
      const error: unknown = await exchange.tokenFor(bad).catch((reason: unknown) => reason);
      expect(error).toMatchObject(UNAVAILABLE);
      expect(canariesIn(everythingOf(error), { ...canaries, bad })).toEqual([]);
      emulator.clearFaults();
    }
    expect(canariesIn(connection.lines.join('\n'), canaries)).toEqual([]);
  });
});
