import { Controller, Get, UseGuards } from '@nestjs/common';
import { ApiKeyGuard, ApiKeyVerificationService, type KindeApiKeyOptions } from 'nestjs-kinde-api-key';
import { KindeEmulator, type KindeEmulatorFault, type KindeEmulatorOptions } from 'nestjs-kinde-api-key/testing';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';

@Controller()
@UseGuards(ApiKeyGuard)
class AnyController {
  @Get()
  find(): string {
    return 'ok';
  }
}

const UNAVAILABLE = { statusCode: 503, error: 'Service Unavailable', code: 'VERIFICATION_UNAVAILABLE' };
const MISCONFIGURED = { statusCode: 503, error: 'Service Unavailable', code: 'VERIFICATION_MISCONFIGURED' };

describeAdapters('503 while Kinde is down', (adapter) => {
  let scenario: Scenario;
  const start = async (options: KindeApiKeyOptions = {}, emulator: KindeEmulatorOptions = {}) => {
    scenario = await startScenario({ adapter, controllers: [AnyController], options, emulator });
  };
  afterEach(() => scenario.close());

  it('accepts cached keys and answers 503 for new ones while Kinde has dropped the M2M token twice within a minute', async () => {
    await start({}, { invalidKeyAnswer: 401 });
    const { emulator, clock } = scenario;
    const newKey = () => emulator.createKey().key;
    const known = newKey();
    expect(await scenario.get('/', known)).toMatchObject({ status: 200 });
    emulator.revokeTokens();
    clock.advance(55_000);
    expect(await scenario.get('/', newKey())).toMatchObject({ status: 200 });
    emulator.revokeTokens();
    clock.advance(30_000);
    expect(await scenario.get('/', known)).toMatchObject({ status: 200 });
    expect(await scenario.get('/', newKey())).toMatchObject({ status: 503, body: UNAVAILABLE });
    clock.advance(30_000);
    expect(await scenario.get('/', newKey())).toMatchObject({ status: 200 });
    expect(await scenario.get('/', 'k_live_bad_00000000000')).toMatchObject({ status: 401 });
  });

  it('accepts cached keys until maxAcceptedAgeMs and answers 503 for new keys while Kinde is down', async () => {
    await start();
    const { key } = scenario.emulator.createKey();
    const { key: fresh } = scenario.emulator.createKey();
    const verifiedAtMs = scenario.clock.now();
    expect(await scenario.get('/', key)).toMatchObject({ status: 200 });
    await scenario.emulator.stop();
    const { maxAcceptedAgeMs } = scenario.app.get(ApiKeyVerificationService);
    expect(maxAcceptedAgeMs).toBe(300_000);
    for (const ageMs of [1, 50_000, 60_000, 120_000, maxAcceptedAgeMs - 1]) {
      scenario.clock.set(verifiedAtMs + ageMs);
      expect({ ageMs, ...(await scenario.get('/', key)) }).toMatchObject({ ageMs, status: 200 });
      expect(await scenario.get('/', fresh)).toMatchObject({ status: 503, body: UNAVAILABLE });
    }
    scenario.clock.set(verifiedAtMs + maxAcceptedAgeMs);
    const late = await scenario.get('/', key);
    expect(late).toMatchObject({ status: 503, body: UNAVAILABLE });
    expect(late.headers).toMatchObject({
      'retry-after': expect.stringMatching(/^[1-9]\d*$/),
      'cache-control': 'no-store',
    });
    expect(late.headers).not.toHaveProperty('www-authenticate');
  });

  const faults: [title: string, fault: KindeEmulatorFault][] = [
    ['500', 500],
    ['502', 502],
    ['a reset', { reset: true }],
    ['broken JSON', { malformed: true }],
    ['a body cut short', { truncated: true }],
    ['a 50 MB body', { huge: 50_000_000 }],
    ['an endless body', { endless: true }],
    ['a redirect', { redirect: 'http://127.0.0.1:9/elsewhere' }],
    ['a 401 that is not of Kinde', { status: 401, body: { message: 'Unauthorized' } }],
    [
      "a firewall's page with status 403",
      { status: 403, body: '<html><title>Just a moment...</title>', headers: { 'content-type': 'text/html' } },
    ],
    ['a 404 about the route', { status: 404, body: { errors: { code: 'ROUTE_NOT_FOUND', message: 'No such route' } } }],
    ['an HTML page', { status: 200, body: '<html>', headers: { 'content-type': 'text/html' } }],
    [
      'a string in place of a boolean',
      { status: 200, body: { is_valid: 'true', status: 'active', key_id: 'x', scopes: [] } },
    ],
  ];
  it.each(faults)(
    'answers 503 for a new key after %s, caches nothing, and accepts the key after the fault',
    async (_title, fault) => {
      await start({ kinde: { retries: 0 } });
      const { key } = scenario.emulator.createKey();
      scenario.emulator.failUntilCleared(fault, 'verify');
      expect(await scenario.get('/', key)).toMatchObject({ status: 503, body: UNAVAILABLE });
      scenario.emulator.clearFaults();
      // A key whose answer could not be used is held for as long as its client was told to wait.
      scenario.clock.advance(5_000);
      expect(await scenario.get('/', key)).toMatchObject({ status: 200 });
    },
  );

  it('answers 503 at its deadline when Kinde hangs', async () => {
    await start({ kinde: { timeoutMs: 200, retries: 5 } });
    const { key } = scenario.emulator.createKey();
    scenario.emulator.failUntilCleared({ hang: true });
    expect(await scenario.get('/', key)).toMatchObject({ status: 503, body: UNAVAILABLE });
  });

  it('passes the RateLimit-Reset of a 429 from Kinde on as Retry-After', async () => {
    await start();
    const { key } = scenario.emulator.createKey();
    scenario.emulator.failNext({ status: 429, rateLimitReset: 17 }, 'verify');
    const answer = await scenario.get('/', key);
    expect(answer).toMatchObject({ status: 503, body: UNAVAILABLE });
    expect(answer.headers['retry-after']).toBe('17');
  });

  it('retries a call that failed with 503', async () => {
    await start();
    const { key } = scenario.emulator.createKey();
    scenario.emulator.failNext(503, 'verify');
    expect(await scenario.get('/', key)).toMatchObject({ status: 200 });
    expect(scenario.emulator.counters.verifies).toBe(2);
  });

  const misconfigurations: [title: string, break_: (emulator: KindeEmulator) => void][] = [
    ['a wrong secret', (emulator) => void emulator.changeApplication({ clientSecret: 'another-secret-than-before' })],
    ['a deleted application', (emulator) => void emulator.removeApplication()],
    [
      'an application without the scope read:api_keys',
      (emulator) => void emulator.changeApplication({ scopes: ['read:apis'] }),
    ],
    ['invalid_scope', (emulator) => emulator.failUntilCleared({ tokenError: 'invalid_scope' }, 'token')],
    ['invalid_request', (emulator) => emulator.failUntilCleared({ tokenError: 'invalid_request' }, 'token')],
    ['unauthorized_client', (emulator) => emulator.failUntilCleared({ tokenError: 'unauthorized_client' }, 'token')],
  ];
  it.each(misconfigurations)('answers 503 VERIFICATION_MISCONFIGURED, and not 401, for %s', async (_title, break_) => {
    await start();
    const { key } = scenario.emulator.createKey();
    break_(scenario.emulator);
    const answer = await scenario.get('/', key);
    expect(answer).toMatchObject({ status: 503, body: MISCONFIGURED });
    expect(answer.headers).not.toHaveProperty('www-authenticate');
    expect(answer.headers).toMatchObject({ 'retry-after': expect.stringMatching(/^[1-9]\d*$/) });
  });

  it('renews a revoked M2M token once for twenty concurrent requests', async () => {
    await start();
    const keys = Array.from({ length: 20 }, () => scenario.emulator.createKey().key);
    await scenario.get('/', keys[0]);
    scenario.emulator.revokeTokens();
    const answers = await Promise.all(keys.map((key) => scenario.get('/', key)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(scenario.emulator.counters.mints).toBe(2);
  });
});
