import { AsyncLocalStorage } from 'node:async_hooks';
import { Controller, Get, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { context, metrics, ROOT_CONTEXT, trace, type Context, type ContextManager } from '@opentelemetry/api';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider, MetricReader, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import {
  AnyValidKey,
  ApiKeyVerificationService,
  KindeApiKeyModule,
  RequireScopes,
  SharedStoreError,
  type PrincipalSource,
  type SharedStore,
} from 'nestjs-kinde-api-key';
import { KindeApiKeyTelemetry } from 'nestjs-kinde-api-key/opentelemetry';
import { KindeEmulator } from 'nestjs-kinde-api-key/testing';
import { KINDE_API_KEY_REGISTRATION, type Registration } from '../libs/kinde-api-key/src/guard/registration.js';
import { KINDE_CONNECTION, type KindeConnection } from '../libs/kinde-api-key/src/kinde/kinde-connection.js';
import { ANSWERS } from '../libs/kinde-api-key/src/responses/answers.js';
import { DOCS, rowsOf, sectionOf } from './support/markdown.js';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';

@Controller()
class RoutesController {
  @Get('any')
  @AnyValidKey()
  any() {
    return 'ok';
  }

  @Get('scoped')
  @RequireScopes('read:users')
  scoped() {
    return 'ok';
  }
}

/** Keeps what it collects in memory. */
class InMemoryReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

/** The context of the request that is running, as the SDK for Node keeps it. */
class RequestContexts implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();
  active = (): Context => this.#storage.getStore() ?? ROOT_CONTEXT;
  with: ContextManager['with'] = (active, run, self, ...args) =>
    this.#storage.run(active, () => run.call(self as never, ...args));
  bind: ContextManager['bind'] = (_active, target) => target;
  enable = (): this => this;
  disable = (): this => this;
}

/** The OpenTelemetry SDK, registered as an app does it. */
function startSdk() {
  const reader = new InMemoryReader();
  const prometheus = new PrometheusExporter({ preventServerStart: true });
  const spans = new InMemorySpanExporter();
  const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  const meters = new MeterProvider({ readers: [reader, prometheus] });
  metrics.setGlobalMeterProvider(meters);
  trace.setGlobalTracerProvider(tracers);
  context.setGlobalContextManager(new RequestContexts());
  const collect = async (): Promise<ResourceMetrics> => (await reader.collect()).resourceMetrics;
  return {
    spans,
    tracers,
    collect,
    text: async () => new PrometheusSerializer().serialize((await prometheus.collect()).resourceMetrics),
    /** The points of one metric, each with its value or count, and its attributes. */
    points: async (name: string) => {
      const all = (await collect()).scopeMetrics.flatMap((scope) => scope.metrics);
      const points = all.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? [];
      return points.map(({ value, attributes }) => ({
        value: typeof value === 'number' ? value : value.count,
        ...attributes,
      }));
    },
    stop: async () => {
      await meters.shutdown();
      metrics.disable();
      trace.disable();
      context.disable();
    },
  };
}

class SessionSource implements PrincipalSource {
  authenticate(execution: { switchToHttp(): { getRequest(): unknown } }) {
    const { headers } = execution.switchToHttp().getRequest() as { headers: Record<string, string | undefined> };
    const kind = headers['x-kind'];
    return kind ? { kind, id: 'u1', scopes: ['read:users'], orgCode: 'org_secret', userId: 'kp_secret' } : null;
  }
}

describeAdapters('OpenTelemetry', (adapter) => {
  let sdk: ReturnType<typeof startSdk>;
  let scenario: Scenario;

  beforeEach(async () => {
    sdk = startSdk();
    scenario = await startScenario({
      adapter,
      controllers: [RoutesController],
      providers: [KindeApiKeyTelemetry, SessionSource],
      options: { globalGuard: true, principals: [SessionSource] },
    });
  });
  afterEach(async () => {
    await scenario.close();
    await sdk.stop();
  });

  it('counts decisions by outcome, code, route and kind of the caller', async () => {
    const { key } = scenario.emulator.createKey({ scopes: [] });
    await scenario.get('/any', key);
    await scenario.get('/any', key);
    await scenario.get('/scoped', key);
    await scenario.get('/any');
    await scenario.send('/scoped', { headers: { 'x-kind': 'session' } });
    expect(await sdk.points('kinde_api_key.decisions')).toEqual([
      { value: 2, outcome: 'accepted', route: 'RoutesController.any', 'principal.kind': 'api_key' },
      {
        value: 1,
        outcome: 'refused',
        code: 'INSUFFICIENT_SCOPE',
        route: 'RoutesController.scoped',
        'principal.kind': 'api_key',
      },
      { value: 1, outcome: 'refused', code: 'MISSING_KEY', route: 'RoutesController.any' },
      { value: 1, outcome: 'accepted', route: 'RoutesController.scoped', 'principal.kind': 'session' },
    ]);
  });

  it('measures verifications by where the verdict came from, and counts stale ones', async () => {
    const { key } = scenario.emulator.createKey();
    await scenario.get('/any', key);
    await scenario.get('/any', key);
    scenario.emulator.failUntilCleared({ status: 503 });
    scenario.clock.advance(60_001);
    await scenario.get('/any', key);
    await scenario.get('/any', key);
    expect(await sdk.points('kinde_api_key.verification.duration')).toEqual([
      { value: 1, source: 'kinde' },
      { value: 1, source: 'memory' },
      { value: 2, source: 'stale' },
    ]);
    expect(await sdk.points('kinde_api_key.stale_served')).toEqual([{ value: 2 }]);
  });

  it('counts calls to Kinde by what they do and how they ended, and mints', async () => {
    const { key } = scenario.emulator.createKey();
    await scenario.get('/any', key);
    scenario.emulator.failNext({ status: 429 }, 'verify');
    await scenario.get('/any', 'k_live_unknown_to_kinde_1');
    scenario.clock.advance(60_000);
    scenario.emulator.failNext({ status: 500 }, 'verify');
    await scenario.get('/any', 'k_live_unknown_to_kinde_2');
    const { hostname, port } = new URL(scenario.emulator.domain);
    const kinde = { 'server.address': hostname, 'server.port': Number(port) };
    expect(await sdk.points('kinde_api_key.upstream.duration')).toEqual([
      { value: 1, operation: 'mint', outcome: 'ok', ...kinde },
      { value: 1, operation: 'verify', outcome: 'ok', ...kinde },
      { value: 1, operation: 'verify', outcome: 'throttled', ...kinde },
      { value: 1, operation: 'verify', outcome: 'failed', ...kinde },
    ]);
    expect(await sdk.points('kinde_api_key.m2m_token.mints')).toEqual([{ value: 1, ...kinde }]);
  });

  it('shows the status, the circuit and the cache, through an outage and after it', async () => {
    const statusNow = async () =>
      (await sdk.points('kinde_api_key.status')).find(({ value }) => value === 1)?.['status' as never];
    const numberOf = async (name: string) => (await sdk.points(name))[0]?.value;
    const { key } = scenario.emulator.createKey();
    expect(await statusNow()).toBe('up');
    expect(await sdk.points('kinde_api_key.oldest_accepted.age')).toEqual([]);
    await scenario.get('/any', key);
    scenario.emulator.failUntilCleared({ status: 503 });
    for (let count = 0; count < 10; count += 1) await scenario.get('/any', `k_live_unknown_to_kinde_${count}`);
    scenario.clock.advance(500);
    expect(await statusNow()).toBe('degraded');
    expect(await numberOf('kinde_api_key.circuit.open')).toBe(1);
    expect(await numberOf('kinde_api_key.cache.keys')).toBe(1);
    expect(await numberOf('kinde_api_key.oldest_accepted.age')).toBe(0.5);
    scenario.emulator.clearFaults();
    scenario.clock.advance(30_000);
    await scenario.get('/any', 'k_live_unknown_to_kinde_x');
    expect(await statusNow()).toBe('up');
    expect(await numberOf('kinde_api_key.circuit.open')).toBe(0);
  });

  it('makes a span of each call to Kinde, below the span of the request', async () => {
    const { key } = scenario.emulator.createKey();
    const tracer = sdk.tracers.getTracer('the app');
    const parent = tracer.startSpan('request');
    const service = scenario.app.get(KindeApiKeyTelemetry); // resolved: it is a provider of the app
    expect(service).toBeInstanceOf(KindeApiKeyTelemetry);
    const verification = scenario.app.get(ApiKeyVerificationService);
    await context.with(trace.setSpan(context.active(), parent), () => verification.verify(key));
    scenario.emulator.failNext({ status: 500 }, 'verify');
    await verification.verify('k_live_unknown_to_kinde').catch(() => undefined);
    const spans = sdk.spans.getFinishedSpans();
    expect(
      spans.map(({ name, attributes, status, parentSpanContext }) => [
        name,
        attributes.outcome,
        attributes['http.response.status_code'],
        status.code,
        parentSpanContext?.spanId,
      ]),
    ).toEqual([
      ['kinde mint', 'ok', 200, 0, parent.spanContext().spanId],
      ['kinde verify', 'ok', 200, 0, parent.spanContext().spanId],
      ['kinde verify', 'failed', 500, 2, undefined],
    ]);
    const [{ startTime, endTime, duration }] = spans as [(typeof spans)[number]];
    expect(endTime[0] + endTime[1] / 1e9).toBeGreaterThanOrEqual(startTime[0] + startTime[1] / 1e9);
    expect(Math.abs(startTime[0] * 1_000 - Date.now())).toBeLessThan(60_000);
    expect(duration[0]).toBeLessThan(60);
  });

  it('has as many time series after 1,000 keys and 1,000 unknown keys as after one each, and no secret in any', async () => {
    const seriesOf = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
    const keys = Array.from({ length: 1_000 }, (_none, index) =>
      scenario.emulator.createKey({ orgCode: `org_secret_${index}`, userId: `kp_secret_${index}` }),
    );
    const send = async (from: number, to: number): Promise<void> => {
      for (let first = from; first < to; first += 20)
        await Promise.all(
          keys
            .slice(first, Math.min(to, first + 20))
            .flatMap(({ key }, index) => [
              scenario.get('/any', key),
              scenario.get('/any', `k_live_unknown_secret_${first + index}`),
            ]),
        );
    };
    await send(0, 1);
    const before = seriesOf(await sdk.text());
    await send(1, 1_000);
    for (let kind = 0; kind < 100; kind += 1) await scenario.send('/any', { headers: { 'x-kind': `kind_${kind}` } });
    const text = await sdk.text();
    // Kinds of principals are texts of the app: ten of them at most, and one for all others.
    const ofKinds = text.split('\n').filter((line) => /principal_kind="(kind_\d+|_OTHER)"/.test(line)).length;
    expect(ofKinds).toBe(9);
    expect(seriesOf(text) - ofKinds).toBeLessThanOrEqual(before);
    expect(text).toContain('kinde_api_key_decisions_total');
    const told =
      text +
      JSON.stringify(await sdk.collect()) +
      JSON.stringify(sdk.spans.getFinishedSpans().map((span) => [span.name, span.attributes, span.events]));
    for (const secret of [
      'secret',
      'k_live',
      keys[0]?.key,
      keys[0]?.keyId,
      'Bearer',
      scenario.emulator.credentials.clientSecret,
    ])
      expect(told).not.toContain(secret);
  }, 120_000);

  it('leaves no listener after the app has closed', async () => {
    const { key } = scenario.emulator.createKey();
    await scenario.get('/any', key);
    const { decisions } = scenario.app.get<Registration>(KINDE_API_KEY_REGISTRATION);
    const { calls } = scenario.app.get<KindeConnection>(KINDE_CONNECTION);
    expect([decisions.listeners.isHeard, calls?.isHeard]).toEqual([true, true]);
    const status = jest.spyOn(scenario.app.get(ApiKeyVerificationService), 'status');
    await sdk.collect();
    expect(status).toHaveBeenCalledTimes(1);
    await scenario.app.close();
    await sdk.collect();
    expect(status).toHaveBeenCalledTimes(1);
    expect([decisions.listeners.isHeard, calls?.isHeard]).toEqual([false, false]);
  });
});

describe('OpenTelemetry with two registrations in one process', () => {
  it('counts each decision once, and shows the state of each Kinde', async () => {
    const sdk = startSdk();
    const one = await startScenario({
      adapter: 'express',
      controllers: [RoutesController],
      providers: [KindeApiKeyTelemetry],
      options: { globalGuard: true },
    });
    const other = await startScenario({
      adapter: 'express',
      controllers: [RoutesController],
      providers: [KindeApiKeyTelemetry],
      options: { globalGuard: true },
    });
    try {
      await one.get('/any');
      await other.get('/any');
      expect(await sdk.points('kinde_api_key.decisions')).toMatchObject([{ value: 2, code: 'MISSING_KEY' }]);
      const ports = (await sdk.points('kinde_api_key.cache.keys')).map((point) => point['server.port' as never]);
      expect(ports).toEqual([one, other].map(({ emulator }) => Number(new URL(emulator.domain).port)));
    } finally {
      await one.close();
      await other.close();
      await sdk.stop();
    }
  });
});

describe('the pages about metrics', () => {
  const names = new Map<string, ReadonlySet<string>>();
  let text: string;

  /** A store that does not answer. */
  const deadStore: SharedStore = {
    name: 'dead',
    open: () => {
      const fail = (): Promise<never> => Promise.reject(new SharedStoreError('dead'));
      const methods = { read: fail, write: fail, remove: fail, acquire: fail, release: fail, take: fail };
      const invalidations = { publish: fail, invalidationsOf: fail, invalidationsSince: fail };
      return { isDown: true, ...methods, ...invalidations, start: async () => {}, close: async () => {} };
    },
  };

  beforeAll(async () => {
    const sdk = startSdk();
    const scenario = await startScenario({
      adapter: 'express',
      controllers: [RoutesController],
      providers: [KindeApiKeyTelemetry],
      options: { globalGuard: true, shared: deadStore },
    });
    const { key } = scenario.emulator.createKey();
    await scenario.get('/any', key);
    await scenario.get('/any', key);
    await scenario.get('/scoped', key);
    scenario.emulator.failUntilCleared({ status: 503 });
    scenario.clock.advance(60_001);
    await scenario.get('/any', key);
    for (const { descriptor, dataPoints } of (await sdk.collect()).scopeMetrics.flatMap((scope) => scope.metrics))
      names.set(descriptor.name, new Set(dataPoints.flatMap(({ attributes }) => Object.keys(attributes))));
    text = await sdk.text();
    await scenario.close();
    await sdk.stop();
  });

  it('have a row for each metric, with its attributes', () => {
    const rows = rowsOf(sectionOf(`${DOCS}/observability.md`, 'metrics')).map(([name = '', , attributes = '']) => [
      name.replaceAll('`', ''),
      [...attributes.matchAll(/`([^`]+)`/g)].map(([, attribute = '']) => attribute).toSorted(),
    ]);
    expect(Object.fromEntries(rows)).toEqual(
      Object.fromEntries([...names].map(([name, attributes]) => [name, [...attributes].toSorted()])),
    );
  });

  it('have alert rules on metrics, labels and values that exist', () => {
    const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const alerts = sectionOf(`${DOCS}/when-kinde-is-down.md`, 'alerts');
    const used = [...alerts.matchAll(/(kinde_api_key_\w+)(?:\{(\w+)="(\w+)"\})?/g)];
    expect(used.length).toBeGreaterThan(8);
    const values: Record<string, readonly string[]> = {
      status: ['up', 'degraded', 'down'],
      code: Object.values(ANSWERS).map(({ code }) => code),
      operation: ['verify', 'mint', 'exchange', 'jwks', 'management'],
      outcome: ['ok', 'refused', 'throttled', 'failed', 'timeout', 'aborted'],
    };
    for (const [, name = '', label, value = ''] of used) {
      const found = series.filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
      expect({ name, found: found.length > 0 }).toEqual({ name, found: true });
      if (label === undefined) continue;
      expect({ name, label, found: found.some((line) => line.includes(`${label}="`)) }).toMatchObject({ found: true });
      expect(values[label]).toContain(value);
    }
  });

  it('have alert rules with an expression, a severity and a summary each', () => {
    const rules = sectionOf(`${DOCS}/when-kinde-is-down.md`, 'alerts').split('- alert: ').slice(1);
    expect(rules.length).toBeGreaterThan(6);
    for (const rule of rules)
      expect(rule).toMatch(/expr: [^]*labels: \{ severity: (page|ticket) \}[^]*summary: "[^"]+" \}/);
  });
});

describe('OpenTelemetry that two modules list', () => {
  it('counts each decision once', async () => {
    const sdk = startSdk();
    @Module({ providers: [KindeApiKeyTelemetry] })
    class OtherModule {}
    const scenario = await startScenario({
      adapter: 'express',
      imports: [OtherModule],
      controllers: [RoutesController],
      providers: [KindeApiKeyTelemetry],
      options: { globalGuard: true },
    });
    await scenario.get('/any');
    expect(await sdk.points('kinde_api_key.decisions')).toMatchObject([{ value: 1, code: 'MISSING_KEY' }]);
    await scenario.close();
    await sdk.stop();
  });
});

describe('OpenTelemetry without a registered SDK', () => {
  it('records nothing, and changes nothing', async () => {
    const emulator = await KindeEmulator.start();
    @Module({
      imports: [KindeApiKeyModule.forRoot({ domain: emulator.domain, ...emulator.credentials })],
      providers: [KindeApiKeyTelemetry],
    })
    class AppModule {}
    const testing = await Test.createTestingModule({ imports: [AppModule] }).compile();
    await testing.init();
    const { key } = emulator.createKey();
    expect(await testing.get(ApiKeyVerificationService).verify(key)).toMatchObject({ accepted: true });
    await testing.close();
    await emulator.stop();
  });
});
