import { Controller, Get, UseGuards, type Type } from '@nestjs/common';
import { ApiKeyGuard, RateLimit } from 'nestjs-kinde-api-key';
import { redisStore } from 'nestjs-kinde-api-key/redis';
import { startScenario, type Scenario } from '../support/scenario.js';
import { connectClient, type TestClient } from '../support/redis-clients.js';
import { describeRedis, RedisServer } from '../support/redis-server.js';

/** Builds a controller as a minifier leaves it: its class and its method have the names that come next. */
function minified(path: string, className: string): Type {
  const methods = { a: (): string => 'ok' };
  const built = { [className]: class {} }[className] as Type;
  Object.defineProperty(built.prototype, 'a', { value: methods.a, configurable: true, writable: true });
  const descriptor = Object.getOwnPropertyDescriptor(built.prototype, 'a') as PropertyDescriptor;
  for (const decorate of [Get('own'), RateLimit({ limit: 2, windowMs: 60_000 })])
    decorate(built.prototype as object, 'a', descriptor);
  for (const decorate of [Controller(path), UseGuards(ApiKeyGuard)]) decorate(built);
  return built;
}

describeRedis('two builds of one app on one Redis', () => {
  let server: RedisServer;
  let connected: TestClient;
  const opened: Scenario[] = [];
  beforeAll(async () => {
    server = await RedisServer.start();
    connected = await connectClient(server.port);
  });
  afterAll(async () => {
    for (const scenario of opened) await scenario.close();
    connected.close();
    await server.stop();
  });

  it('count each route in one budget, although a minifier exchanged the names of their classes', async () => {
    const start = async (controllers: Type[], first?: Scenario): Promise<Scenario> => {
      const kinde = first && { domain: first.emulator.domain, ...first.emulator.credentials };
      const options = { ...kinde, shared: redisStore({ client: connected.client, timeoutMs: 5_000 }) };
      const scenario = await startScenario({ adapter: 'express', controllers, options });
      opened.push(scenario);
      return scenario;
    };
    const old = await start([minified('first', 'a'), minified('second', 'b')]);
    const next = await start([minified('second', 'a'), minified('first', 'b')], old);
    const { key } = old.emulator.createKey();
    for (const status of [200, 200, 429]) expect(await old.get('/first/own', key)).toMatchObject({ status });
    expect(await next.get('/second/own', key)).toMatchObject({ status: 200 });
    expect(await next.get('/first/own', key)).toMatchObject({ status: 429 });
  });
});
