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

// Jest itself fails a test in which a rejection is left unhandled.
describeAdapters('app.close()', (adapter) => {
  let scenario: Scenario;
  const start = async () => {
    scenario = await startScenario({
      adapter,
      controllers: [AnyController],
      options: { kinde: { timeoutMs: 10_000 } },
    });
  };

  it('lets requests that Kinde is being asked about have their answer', async () => {
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

  it('gives verifications that wait for a Kinde that hangs a clean error', async () => {
    await start();
    const { emulator, app } = scenario;
    const service = app.get(ApiKeyVerificationService);
    const proven = emulator.createKey().key;
    await service.verify(proven);
    emulator.failUntilCleared({ hang: true });
    const arrival = emulator.nextRequest('verify');
    const keys = Array.from({ length: 100 }, (_value, index) => `k_live_in_flight_${index}_${'x'.repeat(16)}`);
    const outcomes = keys.map((key) => service.verify(key).catch((error: unknown) => error));
    await arrival;
    // A refresh in the background, for which nobody waits, and which has nothing to fall back on.
    scenario.clock.advance(50_000);
    expect(service.verifyCached(proven)).toMatchObject({ accepted: true });
    await service.invalidateAll();
    await app.close();
    for (const outcome of await Promise.all(outcomes)) expect(outcome).toBeInstanceOf(KindeApiKeyUnavailableError);
    await emulator.stop();
  });

  it('while a token is being fetched ends that, too', async () => {
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

  it('drops the connections to Kinde, the idle ones too', async () => {
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
    // Left to themselves they would stay open for 15 s.
  }, 10_000);

  it('makes no call afterwards, and may be called again', async () => {
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

describe('a process', () => {
  it.each(['nothing', 'verify', 'token'])(
    'ends by itself after app.close(), with %s hanging and calls under way: no handle is left, no rejection unhandled',
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
