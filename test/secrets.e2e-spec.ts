import { HttpModule, HttpService } from '@nestjs/axios';
import {
  Catch,
  Controller,
  Get,
  Inject,
  Req,
  UseGuards,
  type ArgumentsHost,
  type ExecutionContext,
  type INestApplication,
  type LoggerService,
} from '@nestjs/common';
import { BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import axios from 'axios';
import {
  ApiKeyGuard,
  ApiKeysService,
  ApiKeyVerificationService,
  getVerifiedApiKey,
  KindeApiKeyModule,
  OrgScoped,
  PublicRoute,
  RequireScopes,
  type KindeApiKeyOptions,
} from 'nestjs-kinde-api-key';
import { KindeEmulator, type KindeEmulatorFault } from 'nestjs-kinde-api-key/testing';
import { canariesIn, everythingOf, formsOf, type Canaries } from './support/canary.js';
import { messageWith, startChild } from './support/child.js';
import { describeAdapters, startScenario, type Adapter, type Scenario } from './support/scenario.js';

const GOOD = 'k_live_canary/good+0123456789~abcdef==';
const UNKNOWN = 'k_live_canary/unknown+0123456789~abcd==';
const REVOKED = 'k_live_canary/revoked+0123456789~abcd==';
const MISSING_SCOPE = 'k_live_canary/scope+missing+01234567==';
/** A key that Kinde creates in an answer that cannot be used. */
const CREATED = 'k_live_canary/created+0123456789~abcd==';
const CLIENT_SECRET = 'canary-client-secret/+&=%with?signs';
const JSON_TYPE = { 'content-type': 'application/json' };

/** Everything that the app logs, answers and throws. */
const seen: string[] = [];
const see = (value: unknown) => seen.push(typeof value === 'string' ? value : everythingOf(value));

/** A logger that records every level. */
const capturing: LoggerService = Object.fromEntries(
  ['log', 'error', 'warn', 'debug', 'verbose', 'fatal'].map((level) => [
    level,
    (...parts: unknown[]) => parts.forEach((part) => see(part)),
  ]),
) as unknown as LoggerService;

/** Nest's own filter; it also records the exception. */
@Catch()
class ShowingFilter extends BaseExceptionFilter {
  override catch(exception: unknown, host: ArgumentsHost) {
    see(exception);
    // oxlint-disable-next-line promise/valid-params -- the catch of a filter, not of a promise
    super.catch(exception, host);
  }
}

@Controller()
@UseGuards(ApiKeyGuard)
class CanaryController {
  constructor(@Inject(ApiKeyVerificationService) private readonly keys: ApiKeyVerificationService) {}

  @Get('any')
  any(@Req() request: unknown) {
    see(getVerifiedApiKey(request));
    return getVerifiedApiKey(request);
  }

  @Get('scope')
  @RequireScopes('write:users')
  scope() {
    return 'ok';
  }

  @Get('org/:orgCode')
  @OrgScoped()
  organization() {
    return 'ok';
  }

  @Get('resolver')
  @OrgScoped({
    resolve: (_context: ExecutionContext, apiKey) => {
      throw new Error(`thrown for ${everythingOf(apiKey)}`);
    },
  })
  resolver() {
    return 'ok';
  }

  @Get('unhandled')
  @PublicRoute()
  async unhandled(): Promise<unknown> {
    return this.keys.verify(UNHANDLED.key);
  }
}

const UNHANDLED = { key: GOOD };

interface Canary extends Scenario {
  readonly canaries: Canaries;
}

async function start(
  adapter: Adapter,
  options: KindeApiKeyOptions = {},
  before: Partial<Parameters<typeof startScenario>[0]> = {},
): Promise<Canary> {
  const scenario = await startScenario({
    adapter,
    controllers: [CanaryController],
    options: {
      kinde: { timeoutMs: 500, retries: 1 },
      onDecision: (decision) => see(decision),
      ...options,
    },
    emulator: {
      credentials: { clientId: 'canary-client', clientSecret: CLIENT_SECRET },
      keys: [
        { key: GOOD, keyId: 'api_key_good', scopes: ['read:users'], orgCode: 'org_a' },
        { key: REVOKED, keyId: 'api_key_revoked', status: 'revoked' },
      ],
    },
    prepare: (app: INestApplication) => {
      app.useLogger(capturing);
      app.useGlobalFilters(new ShowingFilter(app.get(HttpAdapterHost).httpAdapter));
    },
    ...before,
  });
  const token = scenario.emulator.issueToken();
  // The token endpoint as always, but with a token that the test knows.
  const mint = {
    status: 200,
    body: { access_token: token, expires_in: 86_400, token_type: 'bearer' },
    headers: JSON_TYPE,
  };
  scenario.emulator.failUntilCleared(mint, 'token');
  const canaries = { GOOD, UNKNOWN, REVOKED, MISSING_SCOPE, CREATED, CLIENT_SECRET, M2M_TOKEN: token };
  return { ...scenario, canaries };
}

/** Sends a request of every kind, and records the answers. */
async function driveEveryRoute(scenario: Scenario): Promise<void> {
  const key = (rawKey: string) => ['Authorization', `Bearer ${rawKey}`];
  const ways: [path: string, headers: string[]][] = [
    ['/any', []],
    ['/any', key(GOOD)],
    ['/any', key(UNKNOWN)],
    ['/any', key(REVOKED)],
    ['/any', key(MISSING_SCOPE)],
    ['/any', ['Authorization', GOOD]],
    ['/any', ['Authorization', `Basic ${Buffer.from(`user:${GOOD}`).toString('base64')}`]],
    ['/any', [...key(GOOD), ...key(UNKNOWN)]],
    ['/any', ['Authorization', `Bearer ${GOOD} ${GOOD}`]],
    ['/any', ['Authorization', `Bearer ${GOOD}"`]],
    ['/scope', key(GOOD)],
    ['/org/org_b', key(GOOD)],
    ['/org/org_a', key(GOOD)],
    ['/resolver', key(GOOD)],
    ['/unhandled', []],
  ];
  const answers = await Promise.all(
    ways.map(([path, headers]) => scenario.send(path, { headers: ['Host', 'localhost', ...headers] })),
  );
  for (const [index, { status, headers, body }] of answers.entries())
    see({ way: ways[index]?.[0], status, headers, body });
}

async function showParts({ app }: Scenario): Promise<void> {
  const service = app.get(ApiKeyVerificationService);
  for (const part of [service, app.get(ApiKeyGuard), app.get(ApiKeysService), app.get(KindeApiKeyModule)]) see(part);
  for (const key of [GOOD, UNKNOWN, REVOKED, MISSING_SCOPE]) {
    see(service.verifyCached(key));
    see(await service.verify(key).catch((error: unknown) => error));
  }
  see(service);
}

/** Calls every method of the service about keys, and records what they throw and return. The secret of a new key is the caller's. */
async function manageKeys({ app }: Scenario): Promise<void> {
  const keys = app.get(ApiKeysService);
  const calls = [
    () => keys.list().next(),
    () => keys.idleSince(1).next(),
    () => keys.get('api_key_good'),
    () => keys.get(GOOD),
    () => keys.rotate(GOOD),
    () => keys.revoke(GOOD),
    () => keys.create({ name: 'n', owner: 'environment', apiId: GOOD }),
    () => keys.create({ name: 'n', owner: 'environment', scopes: [GOOD] }),
    () => keys.create({ name: 'n', owner: GOOD as 'environment' }),
    () => keys.create({ name: 'n', owner: 'environment' }).then(({ keyId }) => keyId),
    () => keys.rotate('api_key_good').then(({ keyId }) => keyId),
    () => keys.revoke('api_key_good'),
  ];
  for (const call of calls) see(await call().catch((error: unknown) => error));
  see(keys);
}

function expectNoCanary(canaries: Canaries): void {
  expect(seen.length).toBeGreaterThan(0);
  expect(canariesIn(seen.join('\n'), canaries)).toEqual([]);
}

const FAULTS: [title: string, fault: KindeEmulatorFault, where: 'verify' | 'token'][] = [
  ...[200, 201, 302, 400, 401, 403, 404, 418, 422, 429, 500, 503].map(
    (status): [string, KindeEmulatorFault, 'verify'] => [
      `an echo with status ${status}`,
      { status, echo: true, headers: JSON_TYPE },
      'verify',
    ],
  ),
  ...[200, 400, 401, 403, 429, 500].map((status): [string, KindeEmulatorFault, 'token'] => [
    `an echo with status ${status} from the token endpoint`,
    { status, echo: true, headers: JSON_TYPE },
    'token',
  ]),
  [
    'invalid_client with the secret in its description',
    {
      status: 401,
      headers: JSON_TYPE,
      body: { error: 'invalid_client', error_description: CLIENT_SECRET, [CLIENT_SECRET]: 1 },
    },
    'token',
  ],
  ['the key in a header', { status: 429, headers: { 'retry-after': GOOD, 'x-echo': GOOD } }, 'verify'],
  ['the key in a redirect', { redirect: `http://127.0.0.1:9/?${encodeURIComponent(GOOD)}` }, 'verify'],
  [
    'the key as the fields of an accepted answer',
    {
      status: 200,
      headers: JSON_TYPE,
      body: { is_valid: true, status: GOOD, key_id: [GOOD], scopes: GOOD, org_code: { [GOOD]: GOOD } },
    },
    'verify',
  ],
  ['a reset', { reset: true }, 'verify'],
  ['a body cut short', { truncated: true }, 'verify'],
  ['broken JSON', { malformed: true }, 'verify'],
  ['an endless body', { endless: true }, 'verify'],
  ['a hang', { hang: true }, 'verify'],
];

const CREATED_ODDLY = {
  code: 'API_KEY_CREATED',
  message: CREATED,
  api_key: { id: [CREATED], key: CREATED, [CREATED]: 1 },
};
const KEY_FAULTS: KindeEmulatorFault[] = [
  ...[200, 201, 400, 401, 403, 404, 409, 429, 500, 503].map((status) => ({ status, echo: true, headers: JSON_TYPE })),
  { status: 201, body: CREATED_ODDLY, headers: JSON_TYPE },
  { status: 201, body: { api_key: { key: CREATED } }, headers: JSON_TYPE },
  { status: 400, body: { errors: [{ code: CREATED, message: CREATED }] }, headers: JSON_TYPE },
  { status: 404, body: { errors: { code: CREATED, message: CREATED } }, headers: JSON_TYPE },
  { status: 201, body: CREATED, headers: JSON_TYPE },
  { redirect: `http://127.0.0.1:9/?${encodeURIComponent(CREATED)}` },
];

describe('canariesIn', () => {
  it.each([...formsOf(GOOD).keys()])('finds a secret that is written %s', (form) => {
    const written = formsOf(GOOD).get(form);
    expect(canariesIn(`before ${written} after`, { GOOD })).not.toEqual([]);
  });

  it.each([0, 1, 2, 3, 4])('finds a secret in base64 after %i other characters', (count) => {
    const encoded = Buffer.from(`${'x'.repeat(count)}${GOOD} and more`).toString('base64');
    expect(canariesIn(encoded, { GOOD })).not.toEqual([]);
  });

  it('finds a secret in a hidden property of a cause', () => {
    const cause = Object.defineProperty(new Error('cause'), 'config', { value: { data: GOOD }, enumerable: false });
    expect(canariesIn(everythingOf(new Error('outer', { cause })), { GOOD })).not.toEqual([]);
  });
});

describeAdapters('secrets stay out of logs, answers and errors', (adapter) => {
  const spies: jest.SpyInstance[] = [];
  beforeEach(() => {
    seen.length = 0;
    for (const stream of [process.stdout, process.stderr]) {
      spies.push(
        jest.spyOn(stream, 'write').mockImplementation((chunk: unknown) => {
          see(Buffer.isBuffer(chunk) ? chunk.toString() : String(chunk));
          return true;
        }),
      );
    }
    for (const level of ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const)
      spies.push(
        jest.spyOn(console, level).mockImplementation((...parts: unknown[]) => parts.forEach((part) => see(part))),
      );
  });
  afterEach(() => {
    for (const spy of spies.splice(0)) spy.mockRestore();
  });

  it('on every route and for every refusal', async () => {
    const scenario = await start(adapter);
    await driveEveryRoute(scenario);
    await driveEveryRoute(scenario);
    await showParts(scenario);
    await scenario.close();
    expect(seen.join('\n')).toContain('api_key_good');
    expectNoCanary(scenario.canaries);
  });

  it.each(FAULTS)('when Kinde answers with %s', async (_title, fault, where) => {
    const scenario = await start(adapter, { failedAttempts: { limit: 100, windowMs: 60_000 } });
    if (where !== 'token') await scenario.get('/any', GOOD);
    scenario.emulator.failUntilCleared(fault, where);
    await driveEveryRoute(scenario);
    scenario.clock.advance(61_000);
    await driveEveryRoute(scenario);
    await showParts(scenario);
    await scenario.close();
    expectNoCanary(scenario.canaries);
  });

  it('when keys are listed, created, rotated and revoked', async () => {
    const scenario = await start(adapter);
    await manageKeys(scenario);
    await scenario.close();
    expect(seen.join('\n')).toContain('api_key_good');
    expectNoCanary(scenario.canaries);
  });

  it('when Kinde answers to calls about keys with whatever it got, or with a new key where it does not belong', async () => {
    const scenario = await start(adapter);
    for (const fault of KEY_FAULTS) {
      for (const where of ['keys', 'apis'] as const) scenario.emulator.failUntilCleared(fault, where);
      await manageKeys(scenario);
      // Ends the wait after a 429, and the pause of the circuit.
      scenario.clock.advance(61_000);
    }
    await scenario.close();
    expect(seen.join('\n')).toContain('KindeApiKeyManagementError');
    expectNoCanary(scenario.canaries);
  }, 30_000);

  it('when Nest logs and answers an error that a handler did not catch', async () => {
    const scenario = await start(adapter);
    scenario.emulator.failUntilCleared({ status: 500, echo: true }, 'verify');
    expect(await scenario.get('/unhandled')).toMatchObject({ status: 500 });
    expect(seen.join('\n')).toContain('KindeApiKeyUnavailableError');
    await scenario.close();
    expectNoCanary(scenario.canaries);
  });

  it('when the app has interceptors on axios and on every HttpService that it can find', async () => {
    const caught: unknown[] = [];
    const keep = <T>(value: T): T => (caught.push(value), value);
    const ids = [axios.interceptors.request.use(keep), axios.interceptors.response.use(keep, keep)];
    const scenario = await start(
      adapter,
      {},
      {
        imports: [HttpModule],
        register: (emulator: KindeEmulator) => [
          HttpModule.register({ timeout: 1_000 }),
          KindeApiKeyModule.forRoot({ domain: emulator.domain, ...emulator.credentials }),
        ],
      },
    );
    const found = (() => {
      // Finds those of all modules.
      const services: HttpService[] = scenario.app.get(HttpService, { strict: false, each: true });
      return [scenario.app.get(HttpService), scenario.app.get(HttpService, { strict: false }), ...services];
    })();
    for (const { axiosRef } of found) {
      axiosRef.interceptors.request.use(keep);
      axiosRef.interceptors.response.use(keep, keep);
    }
    await driveEveryRoute(scenario);
    axios.interceptors.request.eject(ids[0] ?? 0);
    axios.interceptors.response.eject(ids[1] ?? 0);
    await scenario.close();
    expect(caught).toEqual([]);
    expectNoCanary(scenario.canaries);
  });

  it('when the app has changed every default of axios', async () => {
    const trap = await KindeEmulator.start();
    const before = { ...axios.defaults };
    const caught: unknown[] = [];
    const keep = <T>(value: T): T => (caught.push(value), value);
    Object.assign(axios.defaults, {
      baseURL: trap.domain,
      allowAbsoluteUrls: false,
      auth: { username: 'app', password: 'app' },
      params: { from: 'app' },
      adapter: (config: unknown) => Promise.reject(keep(config) as Error),
      transformRequest: [keep],
      transformResponse: [keep],
      validateStatus: keep,
      beforeRedirect: keep,
      paramsSerializer: keep,
      onDownloadProgress: keep,
      timeout: 1,
      proxy: { host: '127.0.0.1', port: Number(new URL(trap.domain).port) },
      transport: { request: (options: unknown) => keep(options) },
      socketPath: '/tmp/not-a-listening.sock',
      lookup: keep,
    });
    let scenario: Canary | undefined;
    try {
      scenario = await start(adapter);
      expect(await scenario.get('/any', GOOD)).toMatchObject({ status: 200 });
      await driveEveryRoute(scenario);
    } finally {
      for (const name of Object.keys(axios.defaults)) delete (axios.defaults as Record<string, unknown>)[name];
      Object.assign(axios.defaults, before);
      await scenario?.close();
      await trap.stop();
    }
    expect(caught).toEqual([]);
    expect(trap.counters.requests).toBe(0);
    expectNoCanary(scenario?.canaries ?? {});
  });
});

describe('a process with every log enabled', () => {
  it('writes no secret to stdout and stderr, for any answer of Kinde and when an unhandled error ends it', async () => {
    const emulator = await KindeEmulator.start({
      credentials: { clientId: 'canary-client', clientSecret: CLIENT_SECRET },
      keys: [{ key: GOOD, keyId: 'api_key_good' }],
    });
    const token = emulator.issueToken();
    const child = startChild('subprocesses/secrets.ts', {
      silent: true,
      env: {
        DEBUG: '*',
        KINDE_DOMAIN: emulator.domain,
        KINDE_MANAGEMENT_CLIENT_ID: 'canary-client',
        KINDE_MANAGEMENT_CLIENT_SECRET: CLIENT_SECRET,
        GOOD_KEY: GOOD,
        FORCE_COLOR: '0',
      },
    });
    let written = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => (written += chunk.toString()));
    const exited = new Promise((resolve) => child.once('exit', resolve));
    const mint = {
      status: 200,
      body: { access_token: token, expires_in: 86_400, token_type: 'bearer' },
      headers: JSON_TYPE,
    };
    emulator.failUntilCleared(mint, 'token');
    const faults: (KindeEmulatorFault | undefined)[] = [
      undefined,
      ...[200, 400, 401, 429, 500].map((status) => ({ status, echo: true, headers: JSON_TYPE })),
    ];
    for (const fault of faults) {
      await messageWith(child, 'ready');
      if (fault) emulator.failUntilCleared(fault, 'verify');
      child.send('drive');
    }
    await messageWith(child, 'ready');
    child.send('crash');
    expect(await exited).not.toBe(0);
    await emulator.stop();
    expect(written).toContain("keyId: 'api_key_good'");
    expect(written).toMatch(/^Node\.js v\d+/m);
    expect(written).toContain('KindeApiKeyUnavailableError');
    expect(canariesIn(written, { GOOD, CLIENT_SECRET, M2M_TOKEN: token })).toEqual([]);
  }, 30_000);
});
