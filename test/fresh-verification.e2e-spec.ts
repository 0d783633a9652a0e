import { Controller, Delete, Get } from '@nestjs/common';
import { AnyValidKey, RequireFreshVerification, RequireScopes, type KindeApiKeyOptions } from 'nestjs-kinde-api-key';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';

@Controller('data')
@RequireFreshVerification({ maxAgeMs: 20_000 })
class DataController {
  @Get()
  @AnyValidKey()
  read() {
    return 'ok';
  }

  @Delete()
  @RequireFreshVerification({ maxAgeMs: 5_000 })
  @RequireScopes('delete:data')
  remove() {
    return 'gone';
  }
}

@Controller('plain')
@AnyValidKey()
class PlainController {
  @Get()
  read() {
    return 'ok';
  }
}

describeAdapters('@RequireFreshVerification', (adapter) => {
  let scenario: Scenario;
  let key: string;
  let keyId: string;

  const start = async (options: KindeApiKeyOptions = {}) => {
    scenario = await startScenario({
      adapter,
      controllers: [DataController, PlainController],
      options: { ...options, globalGuard: true },
    });
    ({ key, keyId } = scenario.emulator.createKey({ scopes: ['delete:data'] }));
  };
  afterEach(() => scenario.close());

  const status = async (path: string, method = 'GET') => {
    const { status: answered, body } = await scenario.get(path, key, { method });
    return answered === 200 ? '200' : `${answered} ${(body as { code: string }).code}`;
  };
  const verifies = () => scenario.emulator.counters.verifies;

  it('asks Kinde again once the answer is too old for the route, and caches the new one', async () => {
    await start();
    expect(await status('/plain')).toBe('200');
    scenario.clock.advance(4_999);
    expect([await status('/data'), await status('/data', 'DELETE'), verifies()]).toEqual(['200', '200', 1]);
    scenario.clock.advance(1);
    expect([await status('/data'), verifies()]).toEqual(['200', 1]);
    expect([await status('/data', 'DELETE'), verifies()]).toEqual(['200', 2]);
    scenario.clock.advance(4_999);
    expect([await status('/data', 'DELETE'), await status('/plain'), verifies()]).toEqual(['200', '200', 2]);
  });

  it('refuses a revoked key that other routes still accept', async () => {
    await start();
    await status('/plain');
    scenario.emulator.revokeKey(keyId);
    scenario.clock.advance(5_000);
    expect(await status('/plain')).toBe('200');
    expect(await status('/data', 'DELETE')).toBe('401 KEY_REVOKED');
    expect(await status('/plain')).toBe('401 KEY_REVOKED');
  });

  it('answers 503 during an outage where other routes serve the cached key', async () => {
    await start();
    await status('/plain');
    scenario.emulator.failUntilCleared(503);
    scenario.clock.advance(5_000);
    expect(await status('/data', 'DELETE')).toBe('503 VERIFICATION_UNAVAILABLE');
    expect([await status('/data'), await status('/plain')]).toEqual(['200', '200']);
  });

  it('shares one call among concurrent requests', async () => {
    await start();
    await status('/plain');
    scenario.clock.advance(5_000);
    const answers = await Promise.all(Array.from({ length: 20 }, () => status('/data', 'DELETE')));
    expect([new Set(answers), verifies()]).toEqual([new Set(['200']), 2]);
  });

  it('asks Kinde every time without a cache', async () => {
    await start({ cache: false });
    expect([await status('/data'), await status('/data'), verifies()]).toEqual(['200', '200', 2]);
  });
});

describe('@RequireFreshVerification()', () => {
  it.each([[undefined], [{}], [{ maxAgeMs: -1 }], [{ maxAgeMs: 3_600_001 }], [{ maxAgeMs: 1.5 }], [{ maxAge: 1 }]])(
    'does not take %j',
    (options) => {
      expect(() => RequireFreshVerification(options as { maxAgeMs: number })).toThrow(
        'e.g. @RequireFreshVerification({ maxAgeMs: 5_000 })',
      );
    },
  );
});
