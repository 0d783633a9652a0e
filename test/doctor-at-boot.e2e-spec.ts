import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import {
  ApiKeyVerificationService,
  KINDE_API_KEY_HTTP,
  KindeApiKeyModule,
  RequireAnyScope,
  RequireScopes,
  type KindeApiKeyModuleExtras,
  type KindeApiKeyOptions,
} from 'nestjs-kinde-api-key';
import { KindeApiKeyTestingModule, KindeEmulator, type KindeEmulatorFault } from 'nestjs-kinde-api-key/testing';
import { NEVER } from 'rxjs';
import { messageWith, startChild } from './support/child.js';
import { until } from './support/instances.js';

const CREDENTIALS = { clientId: 'client', clientSecret: 'secret' };
const APIS = [{ id: 'api_1', name: 'API', scopes: ['read:users', 'write:users'] }];
const SCOPES = Array.from({ length: 12 }, (_, index) => `absent:${index}`);

@Controller('users')
class UsersController {
  @Get()
  @RequireScopes('read:users')
  users() {
    return [];
  }

  @Get('write')
  @RequireAnyScope('write:users', 'read:users')
  write() {
    return [];
  }
}

@Controller('absent')
class AbsentController {
  @Get()
  @RequireScopes(...SCOPES)
  absent() {
    return [];
  }
}

@Controller('typo')
class TypoController {
  @Get()
  @RequireScopes('read:user')
  typo() {
    return [];
  }
}

type Options = KindeApiKeyOptions & KindeApiKeyModuleExtras;

describe('verifyAtBoot', () => {
  const logger = { log: jest.fn(), warn: jest.fn(), error: jest.fn(), debug: jest.fn() };
  let emulator: KindeEmulator;

  beforeAll(async () => {
    emulator = await KindeEmulator.start({ apis: APIS, credentials: CREDENTIALS });
  });
  beforeEach(() => {
    jest.clearAllMocks();
    emulator.resetCounters();
  });
  afterEach(() => {
    emulator.clearFaults();
    emulator.changeApplication({ clientSecret: CREDENTIALS.clientSecret, scopes: ['read:api_keys', 'read:apis'] });
  });
  afterAll(() => emulator.stop());

  const building = (options: Options = {}, controllers: (new () => object)[] = [UsersController]) =>
    Test.createTestingModule({
      imports: [KindeApiKeyModule.forRoot({ domain: emulator.domain, ...CREDENTIALS, globalGuard: true, ...options })],
      controllers,
    }).setLogger(logger);

  const appOf = async (builder: TestingModuleBuilder) => (await builder.compile()).createNestApplication();
  const warnings = () => logger.warn.mock.calls.map(([line]) => String(line));

  /** Starts and ends an app, and returns what it has warned of. */
  const boot = async (options?: Options, controllers?: (new () => object)[]) => {
    const app = await appOf(building(options, controllers));
    try {
      await app.init();
    } finally {
      await app.close();
    }
    expect(logger.error).not.toHaveBeenCalled();
    return warnings();
  };

  it('is on unless it is set: the app asks for the M2M token, and for the APIs', async () => {
    expect(await boot()).toEqual([]);
    expect(emulator.counters).toMatchObject({ requests: 2, mints: 1, verifies: 0 });
  });

  it('mints the token that the first request uses', async () => {
    const app = await appOf(building());
    await app.init();
    const { key } = emulator.createKey({});
    await app.get(ApiKeyVerificationService).verify(key);
    await app.close();
    expect(emulator.counters).toMatchObject({ mints: 1, verifies: 1 });
  });

  it('asks nothing with false', async () => {
    await boot({ verifyAtBoot: false });
    expect(emulator.counters.requests).toBe(0);
  });

  it.each<[string, Options, (new () => object)[], RegExp]>([
    [
      'the M2M application is refused',
      { clientSecret: 'wrong' },
      [UsersController],
      /client secret is wrong.*Compare KINDE_MANAGEMENT.* Kinde > Settings > Applications/,
    ],
    [
      'apiId is not registered',
      { apiId: 'api_9' },
      [UsersController],
      /no registered API has the id api_9.*Set KINDE_API_ID to an id of Kinde > Settings > APIs/,
    ],
    [
      'a scope in a decorator is not registered',
      {},
      [TypoController],
      /'read:user', which is not registered; did you mean 'read:users'\?.*Kinde > Settings > APIs/,
    ],
  ])('warns, or stops the boot with error, if %s', async (_what, options, controllers, text) => {
    expect(await boot(options, controllers)).toEqual([expect.stringMatching(text)]);
    await expect(boot({ ...options, verifyAtBoot: 'error' }, controllers)).rejects.toMatchObject({
      code: 'INVALID_CONFIGURATION',
      message: expect.stringMatching(text) as string,
    });
  });

  it('writes five lines at most', async () => {
    const lines = await boot({}, [AbsentController]);
    expect(lines).toHaveLength(5);
    expect(lines[4]).toBe('8 more are like these. ApiKeyDoctor lists all of them');
  });

  it('does not compare scope names without read:apis, and says nothing about it', async () => {
    emulator.changeApplication({ scopes: ['read:api_keys'] });
    expect(await boot({}, [TypoController])).toEqual([]);
    expect(emulator.counters.requests).toBe(1);
  });

  it.each<[string, KindeEmulatorFault, RegExp]>([
    ['is down', { status: 503 }, /No M2M token can be had now/],
    ['answers with a page', { status: 200, body: '<html>' }, /No M2M token can be had now/],
    ['closes connections', { reset: true }, /No M2M token can be had now/],
    ['does not answer', { hang: true }, /did not answer.*No M2M token can be had now/],
    ['sends its answer a byte at a time', { trickleMs: 50 }, /did not answer.*No M2M token can be had now/],
    ['asks to wait', { status: 429, rateLimitReset: 30 }, /slow down \(429\).*No M2M token can be had now/],
  ])('boots with one warning while Kinde %s, in every mode', async (_what, fault, text) => {
    emulator.failUntilCleared(fault);
    for (const verifyAtBoot of ['warn', 'error'] as const) {
      logger.warn.mockClear();
      expect(await boot({ verifyAtBoot, kinde: { timeoutMs: 200, retries: 0 } })).toEqual([
        expect.stringMatching(text),
      ]);
    }
  });

  it('boots while only the list of APIs does not answer, without a line', async () => {
    emulator.failUntilCleared({ hang: true }, 'apis');
    expect(await boot({ verifyAtBoot: 'error', kinde: { timeoutMs: 300 } })).toEqual([]);
  });

  it.each(['warn', 'error'] as const)(
    'ends with app.close() while Kinde does not answer, without a line, in the mode %s',
    async (verifyAtBoot) => {
      for (const endpoint of ['token', 'apis'] as const) {
        emulator.clearFaults();
        emulator.failUntilCleared({ hang: true }, endpoint);
        emulator.resetCounters();
        const app = await appOf(building({ verifyAtBoot, kinde: { timeoutMs: 60_000 } }));
        const starting = app.init();
        await until(() => emulator.counters.requests === (endpoint === 'token' ? 1 : 2));
        await app.close();
        await starting;
        expect(warnings()).toEqual([]);
      }
    },
  );

  it('asks nothing by default in an app without a server, which may be a job that starts every minute', async () => {
    @Module({ imports: [KindeApiKeyModule.forRoot({ domain: emulator.domain, ...CREDENTIALS })] })
    class JobModule {}

    @Module({
      imports: [KindeApiKeyModule.forRoot({ domain: emulator.domain, ...CREDENTIALS, verifyAtBoot: 'warn' })],
    })
    class AskingJobModule {}

    await (await NestFactory.createApplicationContext(JobModule, { logger: false })).close();
    expect(emulator.counters.requests).toBe(0);
    await (await NestFactory.createApplicationContext(AskingJobModule, { logger: false })).close();
    expect(emulator.counters.mints).toBe(1);
  });

  describe('in a test that replaces Kinde', () => {
    it.each<[string, (builder: TestingModuleBuilder) => unknown]>([
      ['its HTTP', (builder) => builder.overrideProvider(KINDE_API_KEY_HTTP).useValue({ request: () => NEVER })],
      [
        'the verification service',
        (builder) => builder.overrideProvider(ApiKeyVerificationService).useValue({ verify: () => undefined }),
      ],
      ['Kinde by the kit', (builder) => KindeApiKeyTestingModule.replaceKinde(builder)],
    ])('asks nothing and logs nothing: %s', async (_what, replace) => {
      const builder = building({ kinde: { timeoutMs: 60_000 } });
      replace(builder);
      const app = await appOf(builder);
      await app.init();
      await app.close();
      expect(warnings()).toEqual([]);
      expect(emulator.counters.requests).toBe(0);
    });

    it('asks nothing with keys in memory, whatever the option says', async () => {
      const builder = building({ verifyAtBoot: 'error' });
      KindeApiKeyTestingModule.replaceKinde(builder);
      const app = await appOf(builder);
      await app.init();
      await app.close();
      expect([warnings(), emulator.counters.requests]).toEqual([[], 0]);
    });
  });

  it('asks through HTTP that a test replaced if the option is set', async () => {
    const request = jest.fn(() => NEVER);
    const builder = building({ verifyAtBoot: 'warn', kinde: { timeoutMs: 100 } });
    const app = await appOf(builder.overrideProvider(KINDE_API_KEY_HTTP).useValue({ request }));
    await app.init();
    await app.close();
    expect(request).toHaveBeenCalledTimes(1);
    expect(warnings()).toEqual([expect.stringMatching(/did not answer/)]);
  });

  it('does not let the process end while it waits for a Kinde that refuses connections', async () => {
    const child = startChild('subprocesses/booting.ts');
    const exited = new Promise((resolve) => child.once('exit', resolve));
    await messageWith(child, 'booted');
    expect(await exited).toBe(0);
  });

  it('does not let a script end while it waits for an answer of Kinde', async () => {
    const child = startChild('subprocesses/listing.ts');
    const { codes } = await messageWith<{ codes: string[] }>(child, 'codes');
    expect(codes).toEqual(['UNAVAILABLE', 'VERIFICATION_UNAVAILABLE']);
  });

  it('waits for the end of the checks before the app listens', async () => {
    const app = await appOf(building());
    await app.listen(0, '127.0.0.1');
    expect(emulator.counters.requests).toBe(2);
    await app.close();
  });
});
