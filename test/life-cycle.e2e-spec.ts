import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Controller, Get, UseGuards } from '@nestjs/common';
import { KindeEmulator } from 'nestjs-kinde-api-key/testing';
import {
  ApiKeyGuard,
  ApiKeyVerificationService,
  KindeApiKeyModule,
  KindeApiKeyUnavailableError,
} from 'nestjs-kinde-api-key';
import { messageWith, startChild } from './support/child.js';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';

@Controller()
@UseGuards(ApiKeyGuard)
class AnyController {
  @Get()
  find(): string {
    return 'ok';
  }
}

// Jest fails a test with an unhandled rejection.
describeAdapters('app.close()', (adapter) => {
  let scenario: Scenario;
  const start = async () => {
    scenario = await startScenario({
      adapter,
      controllers: [AnyController],
      options: { kinde: { timeoutMs: 10_000 } },
    });
  };

  it('answers requests whose verify call is in flight', async () => {
    await start();
    const { emulator, app } = scenario;
    const { key } = emulator.createKey();
    let release = (): void => undefined;
    emulator.failNext({ holdUntil: new Promise<void>((resolve) => (release = resolve)) }, 'verify');
    const arrival = emulator.nextRequest('verify');
    const answers = [scenario.get('/', key), scenario.get('/', key)];
    await arrival;
    const closing = app.close();
    release();
    for (const answer of answers) expect(await answer).toMatchObject({ status: 200 });
    await closing;
    await emulator.stop();
  });

  it('rejects verifications in flight with KindeApiKeyUnavailableError while Kinde hangs', async () => {
    await start();
    const { emulator, app } = scenario;
    const service = app.get(ApiKeyVerificationService);
    const known = emulator.createKey().key;
    await service.verify(known);
    emulator.failUntilCleared({ hang: true });
    const arrival = emulator.nextRequest('verify');
    const keys = Array.from({ length: 100 }, (_value, index) => `k_live_in_flight_${index}_${'x'.repeat(16)}`);
    const outcomes = keys.map((key) => service.verify(key).catch((error: unknown) => error));
    await arrival;
    // Starts a refresh in the background. The invalidation leaves it without a cached key to serve.
    scenario.clock.advance(50_000);
    expect(service.verifyCached(known)).toMatchObject({ accepted: true });
    await service.invalidateAll();
    await app.close();
    for (const outcome of await Promise.all(outcomes)) expect(outcome).toBeInstanceOf(KindeApiKeyUnavailableError);
    await emulator.stop();
  });

  it('rejects a verification that waits for the token endpoint', async () => {
    await start();
    const { emulator, app } = scenario;
    emulator.failUntilCleared({ hang: true }, 'token');
    const arrival = emulator.nextRequest('token');
    const outcome = app
      .get(ApiKeyVerificationService)
      .verify(emulator.createKey().key)
      .catch((error: unknown) => error);
    await arrival;
    await app.close();
    expect(await outcome).toBeInstanceOf(KindeApiKeyUnavailableError);
    await emulator.stop();
  });

  it('closes every connection to Kinde, idle ones included', async () => {
    const answers: Record<string, object> = {
      '/oauth2/token': { access_token: 'token', expires_in: 60, token_type: 'bearer' },
      '/api/v1/api_keys/verify': { is_valid: true, status: 'active', key_id: 'api_key_1', scopes: [] },
    };
    const server = createServer((request, response) => {
      request.resume().on('end', () => {
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answers[request.url ?? '']));
      });
    });
    server.keepAliveTimeout = 0;
    const open = new Set<Promise<unknown>>();
    server.on('connection', (socket) => {
      const closed: Promise<unknown> = once(socket, 'close').then(() => open.delete(closed));
      open.add(closed);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    scenario = await startScenario({
      adapter,
      controllers: [AnyController],
      register: () => [
        KindeApiKeyModule.forRoot({
          domain: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
          clientId: 'client',
          clientSecret: 'secret',
        }),
      ],
    });
    expect(await scenario.get('/', 'k_live_0123456789abcdef')).toMatchObject({ status: 200 });
    expect(open.size).toBeGreaterThan(0);
    await scenario.close();
    await Promise.all(open);
    expect(open.size).toBe(0);
    server.close();
    // Without app.close() they stay open for 15 s.
  }, 10_000);

  it('may be called twice, and is followed by no call to Kinde', async () => {
    await start();
    const { emulator, app } = scenario;
    const service = app.get(ApiKeyVerificationService);
    const { key } = emulator.createKey();
    await app.close();
    await app.close();
    await expect(service.verify(key)).rejects.toThrow(KindeApiKeyUnavailableError);
    expect(emulator.counters.requests).toBe(0);
    await emulator.stop();
  });
});

describe('the process', () => {
  it.each(['nothing', 'verify', 'token'])(
    'exits after app.close() without open handles and unhandled rejections while calls are in flight (hanging endpoint: %s)',
    async (hanging) => {
      const emulator = await KindeEmulator.start();
      const { clientId, clientSecret } = emulator.credentials;
      const { key } = emulator.createKey();
      const child = startChild('subprocesses/closing.ts', {
        env: { KINDE: emulator.domain, CLIENT_ID: clientId, CLIENT_SECRET: clientSecret, GOOD_KEY: key },
      });
      const exited = new Promise((resolve) => child.once('exit', resolve));
      await messageWith(child, 'ready');
      if (hanging === 'verify' || hanging === 'token') emulator.failUntilCleared({ hang: true }, hanging);
      const closed = messageWith<{ outcomes: unknown }>(child, 'outcomes');
      child.send('go');
      const { outcomes } = await closed;
      expect(outcomes).toEqual(
        hanging === 'nothing' ? { accepted: 1, unknown: 99 } : { KindeApiKeyUnavailableError: 100 },
      );
      expect(await exited).toBe(0);
      await emulator.stop();
    },
    20_000,
  );
});
