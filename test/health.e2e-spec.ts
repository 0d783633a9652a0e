import { Controller, Get, Inject } from '@nestjs/common';
import { HealthCheckService, TerminusModule } from '@nestjs/terminus';
import {
  AnyValidKey,
  ApiKeyHealthIndicator,
  ApiKeyVerificationService,
  PublicRoute,
  type KindeApiKeyOptions,
} from 'nestjs-kinde-api-key';
import { KindeEmulator } from 'nestjs-kinde-api-key/testing';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';

@Controller()
class RoutesController {
  constructor(
    @Inject(HealthCheckService) private readonly health: HealthCheckService,
    @Inject(ApiKeyHealthIndicator) private readonly apiKeys: ApiKeyHealthIndicator,
  ) {}

  @Get('health')
  @PublicRoute()
  check() {
    return this.health.check([() => this.apiKeys.isHealthy('api-keys')]);
  }

  @Get('any')
  @AnyValidKey()
  any() {
    return 'ok';
  }
}

describeAdapters('the health check of @nestjs/terminus', (adapter) => {
  let scenario: Scenario;
  let emulator: KindeEmulator;

  async function start(options: KindeApiKeyOptions = {}): Promise<void> {
    scenario = await startScenario({
      adapter,
      imports: [TerminusModule.forRoot({ logger: false })],
      controllers: [RoutesController],
      options: { globalGuard: true, ...options },
    });
    emulator = scenario.emulator;
  }
  afterEach(async () => {
    await scenario.close();
    await emulator.stop();
  });

  /** The answer of the health check, and what it says about API keys. */
  async function health() {
    const { status, body } = await scenario.get('/health');
    const { details } = body as { details: Record<string, Record<string, unknown>> };
    return { answer: status, ...details['api-keys'] };
  }

  it('is up, degraded, down and up again while Kinde is killed and brought back', async () => {
    await start();
    const { key } = emulator.createKey();
    const up = { answer: 200, status: 'up', degraded: false, reasons: [], oldestAcceptedAgeMs: null };
    expect(await health()).toEqual(up);
    expect(await scenario.get('/any', key)).toMatchObject({ status: 200 });
    expect(await health()).toEqual({ ...up, oldestAcceptedAgeMs: 0 });

    await emulator.stop();
    // One request that Kinde does not answer is enough: nothing is asked for the health check.
    expect(await health()).toMatchObject({ degraded: false });
    expect(await scenario.get('/any', 'k_live_unknown_to_kinde')).toMatchObject({ status: 503 });
    const degraded = { answer: 200, status: 'up', degraded: true };
    expect(await health()).toMatchObject({ ...degraded, reasons: ['kinde_unavailable'] });

    scenario.clock.advance(60_000);
    expect(await scenario.get('/any', key)).toMatchObject({ status: 200 });
    expect(await health()).toMatchObject({
      ...degraded,
      reasons: ['kinde_unavailable', 'stale_served'],
      oldestAcceptedAgeMs: 60_000,
    });

    scenario.clock.advance(240_000);
    expect(await scenario.get('/any', key)).toMatchObject({ status: 503 });
    expect(await health()).toEqual({
      answer: 503,
      status: 'down',
      degraded: false,
      reasons: ['kinde_unavailable'],
      oldestAcceptedAgeMs: null,
    });

    const { domain, credentials } = emulator;
    emulator = await KindeEmulator.start({ port: Number(new URL(domain).port), credentials, clock: scenario.clock });
    const { key: newKey } = emulator.createKey();
    scenario.clock.advance(1_000);
    expect(await scenario.get('/any', newKey)).toMatchObject({ status: 200 });
    expect(await health()).toMatchObject({ ...up, oldestAcceptedAgeMs: 0 });
  });

  it('is up again a minute after the last failure, although no request shows that Kinde is back', async () => {
    await start();
    emulator.failUntilCleared({ reset: true });
    await scenario.get('/any', 'k_live_unknown_to_kinde');
    expect(await health()).toMatchObject({ answer: 503, status: 'down' });
    scenario.clock.advance(59_999);
    expect(await health()).toMatchObject({ answer: 503 });
    scenario.clock.advance(1);
    expect(await health()).toMatchObject({ answer: 200, status: 'up', degraded: false });
  });

  it('is down with refused credentials until Kinde accepts them', async () => {
    await start();
    emulator.failUntilCleared({ tokenError: 'invalid_client' }, 'token');
    const { key } = emulator.createKey();
    await scenario.get('/any', key);
    expect(await health()).toMatchObject({ answer: 503, status: 'down', reasons: ['misconfigured'] });
    emulator.clearFaults();
    scenario.clock.advance(10_000);
    expect(await scenario.get('/any', key)).toMatchObject({ status: 200 });
    expect(await health()).toMatchObject({ answer: 200, status: 'up', degraded: false });
  });

  it('names an open circuit and a Kinde that asks to slow down', async () => {
    await start();
    const { key } = emulator.createKey();
    await scenario.get('/any', key);
    emulator.failUntilCleared({ status: 500 }, 'verify');
    for (let count = 0; count < 10; count += 1) await scenario.get('/any', `k_live_unknown_to_kinde_${count}`);
    expect(await health()).toMatchObject({ answer: 200, reasons: ['kinde_unavailable', 'circuit_open'] });
    emulator.clearFaults();
    emulator.failNext({ status: 429 }, 'verify');
    scenario.clock.advance(1_000);
    await scenario.get('/any', 'k_live_unknown_to_kinde');
    expect(await health()).toMatchObject({ answer: 200, degraded: true, reasons: ['kinde_throttled'] });
  });

  it('asks Kinde nothing', async () => {
    await start();
    for (let count = 0; count < 3; count += 1) await health();
    expect(emulator.counters).toMatchObject({ requests: 0 });
    expect(scenario.app.get(ApiKeyVerificationService).status()).toMatchObject({ status: 'up', cachedKeys: 0 });
  });
});
