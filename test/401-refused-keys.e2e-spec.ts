import { Controller, Get, UseGuards } from '@nestjs/common';
import { ApiKeyGuard, type KindeApiKeyOptions } from 'nestjs-kinde-api-key';
import type { KindeEmulatorInvalidKeyAnswer, KindeEmulatorOptions } from 'nestjs-kinde-api-key/testing';
import { ANSWERS } from '../libs/kinde-api-key/src/responses/answers.js';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';

@Controller()
@UseGuards(ApiKeyGuard)
class AnyController {
  @Get()
  find(): string {
    return 'ok';
  }
}

const UNKNOWN = 'k_live_unknown_to_kinde_0';
const INVALID_KEY_ANSWERS: KindeEmulatorInvalidKeyAnswer[] = ['200', '200-nulls', 400, 401, 403, 404];

describeAdapters('401', (adapter) => {
  let scenario: Scenario;
  const start = async (options: KindeApiKeyOptions = {}, emulator: KindeEmulatorOptions = {}) => {
    scenario = await startScenario({ adapter, controllers: [AnyController], options, emulator });
  };
  afterEach(() => scenario.close());

  it('answers MISSING_KEY and a challenge without an error to no credentials and to another scheme', async () => {
    await start({ realm: 'acme' });
    for (const headers of [
      {},
      { authorization: 'Basic dXNlcjpwYXNz' },
      { authorization: 'Negotiate' },
      { 'x-api-key': UNKNOWN },
    ]) {
      const answer = await scenario.send('/', { headers });
      expect(answer).toMatchObject({
        status: 401,
        body: {
          statusCode: 401,
          error: 'Unauthorized',
          message: 'API key required: send it in the header "Authorization: Bearer <API key>"',
          code: 'MISSING_KEY',
          hint: 'Send your API key in the header "Authorization: Bearer <API key>", with every request. Keys in the query string or the body are not read.',
        },
      });
      expect(answer.headers).toMatchObject({ 'www-authenticate': 'Bearer realm="acme"', 'cache-control': 'no-store' });
    }
    expect(scenario.emulator.counters.requests).toBe(0);
  });

  it('sends a challenge with the scheme ApiKey when only x-api-key is configured', async () => {
    await start({ credentials: [{ header: 'x-api-key' }] });
    const { headers, body } = await scenario.get('/');
    expect(headers['www-authenticate']).toBe('ApiKey realm="api"');
    expect((body as { hint: string }).hint).toContain('the header "x-api-key: <API key>"');
  });

  it('ignores a key in the query string', async () => {
    await start();
    const { key } = scenario.emulator.createKey();
    expect(await scenario.get(`/?api_key=${key}&access_token=${key}`)).toMatchObject({
      status: 401,
      body: { code: 'MISSING_KEY' },
    });
  });

  it('answers WRONG_CREDENTIAL_TYPE to a JWT without sending it to Kinde', async () => {
    await start();
    const answer = await scenario.get('/', scenario.emulator.issueToken());
    expect(answer).toMatchObject({
      status: 401,
      body: { statusCode: 401, error: 'Unauthorized', code: 'WRONG_CREDENTIAL_TYPE' },
    });
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="api", error="invalid_token"');
    expect(scenario.emulator.counters.requests).toBe(0);
  });

  it.each(INVALID_KEY_ANSWERS)(
    'INVALID_KEY when Kinde answers bad keys with %s, a thousand of them mint at most two tokens, and a good key is accepted all the while',
    async (reading) => {
      await start({ kinde: { maxPerSecond: 100_000 } }, { invalidKeyAnswer: reading });
      const { key } = scenario.emulator.createKey();
      const { key: late } = scenario.emulator.createKey();
      expect(await scenario.get('/', key)).toMatchObject({ status: 200 });
      const answer = await scenario.get('/', UNKNOWN);
      expect(answer).toMatchObject({
        status: 401,
        body: { statusCode: 401, error: 'Unauthorized', message: 'Invalid API key', code: 'INVALID_KEY' },
      });
      expect(answer.headers).toMatchObject({
        'www-authenticate': 'Bearer realm="api", error="invalid_token"',
        'cache-control': 'no-store',
      });
      for (let batch = 0; batch < 20; batch += 1) {
        const bad = Array.from({ length: 50 }, (_, index) =>
          scenario.get('/', `k_live_bad_${batch}_${String(index).padStart(16, '0')}`),
        );
        const codes = new Set((await Promise.all(bad)).map(({ body }) => (body as { code: string }).code));
        expect([...codes]).toEqual(['INVALID_KEY']);
        expect(await scenario.get('/', key)).toMatchObject({ status: 200 });
      }
      expect(scenario.emulator.counters.mints).toBeLessThanOrEqual(2);
      expect(await scenario.get('/', late)).toMatchObject({ status: 200 });
    },
  );

  it('answers KEY_REVOKED and KEY_INACTIVE when Kinde returns the status', async () => {
    await start();
    const revoked = scenario.emulator.createKey();
    scenario.emulator.revokeKey(revoked.keyId);
    const inactive = scenario.emulator.createKey({ status: 'inactive' });
    for (const [key, code, message] of [
      [revoked.key, 'KEY_REVOKED', 'API key has been revoked'],
      [inactive.key, 'KEY_INACTIVE', 'API key is not active'],
    ] as const) {
      const answer = await scenario.get('/', key);
      const { hint } = ANSWERS[code];
      expect(answer.body).toEqual({ statusCode: 401, error: 'Unauthorized', message, code, hint });
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="api", error="invalid_token"');
    }
  });

  it('answers a repeated bad key from the cache', async () => {
    await start();
    for (let count = 0; count < 5; count += 1) await scenario.get('/', UNKNOWN);
    expect(scenario.emulator.counters.verifies).toBe(1);
    scenario.clock.advance(10_000);
    await scenario.get('/', UNKNOWN);
    expect(scenario.emulator.counters.verifies).toBe(2);
  });

  it('refuses a key with another prefix without calling Kinde, and names the environment as a possible cause', async () => {
    await start({ keyPrefixes: ['k_live_'] });
    expect(await scenario.get('/', 'k_test_0123456789abcdef')).toMatchObject({
      status: 401,
      body: { code: 'INVALID_KEY', message: expect.stringContaining('another environment') },
    });
    expect(scenario.emulator.counters.requests).toBe(0);
  });

  it('refuses keys of another API when apiId is set, with one look-up per key', async () => {
    await start();
    const [, first] = scenario.emulator.apis;
    await scenario.close();
    expect(first).toBeDefined();
    await start(
      { apiId: 'api_mine' },
      {
        apis: [
          { id: 'api_mine', name: 'Mine' },
          { id: 'api_other', name: 'Other' },
        ],
      },
    );
    const mine = scenario.emulator.createKey({ apiIds: ['api_mine'] });
    const other = scenario.emulator.createKey({ apiIds: ['api_other'] });
    for (let count = 0; count < 3; count += 1) {
      expect(await scenario.get('/', mine.key)).toMatchObject({ status: 200 });
      expect(await scenario.get('/', other.key)).toMatchObject({ status: 401, body: { code: 'INVALID_KEY' } });
    }
    expect(scenario.emulator.counters).toMatchObject({ verifies: 2, reads: 2 });
  });

  it('refuses a revoked key after ttlMs', async () => {
    await start();
    const { keyId, key } = scenario.emulator.createKey();
    expect(await scenario.get('/', key)).toMatchObject({ status: 200 });
    scenario.emulator.revokeKey(keyId);
    scenario.clock.advance(59_999);
    scenario.clock.advance(1);
    expect(await scenario.get('/', key)).toMatchObject({ status: 401, body: { code: 'KEY_REVOKED' } });
  });
});
