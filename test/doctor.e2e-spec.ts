import { Controller, Get, Module } from '@nestjs/common';
import {
  AnyValidKey,
  ApiKeyDoctor,
  KindeApiKeyModule,
  OrgScoped,
  RequireAnyScope,
  RequireScopes,
  UserScoped,
  type Finding,
  type KindeApiKeyOptions,
} from 'nestjs-kinde-api-key';
import type { KindeEmulatorOptions } from 'nestjs-kinde-api-key/testing';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../libs/kinde-api-key/src/cli/program.js';
import { FINDING_CODES } from '../libs/kinde-api-key/src/doctor/finding.js';
import { startChild } from './support/child.js';
import { DOCS, rowsOf, sectionOf } from './support/markdown.js';
import { startScenario, type Scenario } from './support/scenario.js';

@Controller('orgs/:orgCode')
class ReportsController {
  @Get('users')
  @RequireScopes('read:users')
  @OrgScoped()
  users() {
    return [];
  }

  @Get('write')
  @RequireAnyScope('write:users', 'read:user')
  write() {
    return [];
  }

  @Get('mine')
  @UserScoped()
  mine() {
    return [];
  }

  @Get('any')
  @AnyValidKey()
  any() {
    return [];
  }
}

/** What is not `ok`, and what a test looks for. */
const of = (findings: readonly Finding[], code: string) => findings.filter((finding) => finding.code === code);
const problems = (findings: readonly Finding[]) =>
  findings.filter(({ status }) => status !== 'ok').map(({ code }) => code);

describe('the doctor in an app', () => {
  let scenario: Scenario;

  const start = async (emulator: KindeEmulatorOptions = {}, options: KindeApiKeyOptions = {}) => {
    scenario = await startScenario({
      adapter: 'express',
      controllers: [ReportsController],
      emulator,
      options: { ...options, globalGuard: true },
    });
    return scenario.app.get(ApiKeyDoctor);
  };
  afterEach(() => scenario.close());

  it('finds all well, in the order of the checks, with the M2M token of the app', async () => {
    const doctor = await start({
      apis: [{ name: 'API', scopes: ['read:users', 'write:users', 'read:user', 'extra'] }],
    });
    const findings = await doctor.examine();
    expect(findings.map(({ code, status }) => `${code} ${status}`)).toEqual([
      'DNS ok',
      'REACHABILITY ok',
      'CLOCK ok',
      'CREDENTIALS ok',
      'TOKEN_AUDIENCE ok',
      'TOKEN_SCOPES ok',
      'TOKEN_LIFETIME ok',
      'VERIFY_CALL ok',
      'API_ID ok',
      'ROUTE_SCOPES ok',
      'UNUSED_SCOPES ok',
    ]);
    expect(of(findings, 'UNUSED_SCOPES')[0]?.seen).toBe('no route requires: extra');
    await doctor.examine();
    expect(scenario.emulator.counters.mints).toBe(1);
  });

  it('names a scope in a decorator that is not registered, and the nearest one', async () => {
    const findings = await (await start()).examine();
    expect(of(findings, 'ROUTE_SCOPES')).toEqual([
      {
        code: 'ROUTE_SCOPES',
        status: 'problem',
        seen: "ReportsController.write requires 'read:user', which is not registered; did you mean 'read:users'?",
        means: 'No key can have this scope: only the others of the list let a request in',
        cure: 'Correct the decorator, or add the scope in Kinde > Settings > APIs > (the API) > Scopes',
      },
    ]);
  });

  const wire = (id: string, scopes: string[] = []) => ({
    id,
    name: `Name of ${id}`,
    audience: `https://${id}`,
    is_management_api: false,
    scopes: scopes.map((key) => ({ id: `id of ${key}`, key })),
  });
  const page = (apis: object[], next: unknown) => ({ status: 200, body: { code: 'OK', apis, next_token: next } });

  it('reads the list of APIs page by page', async () => {
    const doctor = await start({}, { apiId: 'api_2' });
    scenario.emulator.failNext(page([wire('api_1')], 'a b&c'), 'apis');
    scenario.emulator.failNext(page([wire('api_2', ['read:users', 'write:users', 'read:user'])], null), 'apis');
    const findings = await doctor.examine();
    expect(of(findings, 'API_ID')).toMatchObject([{ status: 'ok', seen: 'apiId is Name of api_2' }]);
    expect(of(findings, 'ROUTE_SCOPES')).toMatchObject([{ status: 'ok' }]);
  });

  it('claims nothing about APIs and scopes beyond a list that it cannot read to its end', async () => {
    const doctor = await start({}, { apiId: 'api_9' });
    // The same page again and again: the token of the next page was not understood.
    scenario.emulator.failUntilCleared(page([wire('api_1')], 'next'), 'apis');
    const before = scenario.emulator.counters.requests;
    const findings = await doctor.examine();
    expect(of(findings, 'API_ID')).toMatchObject([
      { status: 'warning', seen: expect.stringContaining('does not list all registered APIs') as string },
    ]);
    expect(of(findings, 'ROUTE_SCOPES')).toEqual([]);
    expect(scenario.emulator.counters.requests - before).toBeLessThan(8);
  });

  it('asks for ten pages of APIs at most', async () => {
    const doctor = await start();
    for (let index = 0; index < 30; index += 1)
      scenario.emulator.failNext(page([wire(`api_${index}`)], `next ${index}`), 'apis');
    const findings = await doctor.examine();
    expect(of(findings, 'API_ID')).toMatchObject([
      { status: 'warning', seen: expect.stringMatching(/^More than 10 APIs are registered/) as string },
    ]);
  });

  it('shows no control characters of names that Kinde sends, and not all of many', async () => {
    const doctor = await start();
    const scopes = ['read:users', 'write:users', 'read:user', ...Array.from({ length: 30 }, (_, n) => `unused:${n}`)];
    const hostile = { ...wire('api_1', scopes), name: '\u001b[2Jname\nok  \u202e' };
    scenario.emulator.failNext(page([hostile], null), 'apis');
    const findings = await doctor.examine();
    expect(of(findings, 'API_ID')[0]?.seen).toBe('registered APIs: ?[2Jname?ok  ? (api_1)');
    expect(of(findings, 'UNUSED_SCOPES')[0]?.seen).toMatch(/unused:0, .*unused:19 and 10 more$/);
  });

  it('says to which API a key belongs where apiId does not decide', async () => {
    const doctor = await start({ apis: [{ id: 'api_1', name: 'One' }] });
    const { key } = scenario.emulator.createKey({});
    expect(of(await doctor.examine({ rawKey: key }), 'KEY_API')).toMatchObject([
      { status: 'ok', seen: 'the key belongs to the API One (api_1)' },
    ]);
  });

  it('says that every request gets 403 only where no other scope is allowed', async () => {
    const doctor = await start({ apis: [{ name: 'One', scopes: ['write:users', 'read:user'] }] });
    expect(of(await doctor.examine(), 'ROUTE_SCOPES')).toMatchObject([
      {
        seen: expect.stringContaining("ReportsController.users requires 'read:users'") as string,
        means: 'No key can have this scope: every request to the route gets 403',
      },
    ]);
  });

  it('warns of several APIs without apiId, and of an apiId that none of them has', async () => {
    const apis = [
      { id: 'api_1', name: 'One', scopes: [] },
      { id: 'api_2', name: 'Two', scopes: [] },
    ];
    expect(of(await (await start({ apis })).examine(), 'API_ID')).toMatchObject([
      {
        status: 'warning',
        seen: '2 APIs are registered: One (api_1), Two (api_2)',
        means: 'Without apiId, a key of any of them is accepted',
      },
    ]);
    await scenario.close();
    expect(of(await (await start({ apis }, { apiId: 'api_3' })).examine(), 'API_ID')).toMatchObject([
      { status: 'problem', cure: 'Set KINDE_API_ID to an id of Kinde > Settings > APIs: One (api_1), Two (api_2)' },
    ]);
  });

  it.each([
    [
      'a wrong secret',
      (s: Scenario) => void s.emulator.changeApplication({ clientSecret: 'rotated' }),
      ['CREDENTIALS'],
      /client secret is wrong.*Applications > \(the M2M application\) > Details/,
    ],
    [
      'no authorization',
      (s: Scenario) => void s.emulator.changeApplication({ audiences: [] }),
      ['CREDENTIALS'],
      /unauthorized_client.*Authorize the Kinde Management API/,
    ],
    [
      'a refused scope',
      (s: Scenario) => s.emulator.failNext({ tokenError: 'invalid_scope' }, 'token'),
      ['CREDENTIALS'],
      /invalid_scope.*Manage scopes/,
    ],
    [
      'a request that is not understood',
      (s: Scenario) => s.emulator.failNext({ tokenError: 'invalid_request' }, 'token'),
      ['CREDENTIALS'],
      /invalid_request.*KINDE_|invalid_request.*domain/,
    ],
    [
      'another audience',
      (s: Scenario) => void s.emulator.changeApplication({ issuedAudience: ['https://other.example'] }),
      ['TOKEN_AUDIENCE'],
      /another one.*Authorize/,
    ],
    [
      'no read:api_keys',
      (s: Scenario) => void s.emulator.changeApplication({ scopes: ['read:apis'] }),
      ['TOKEN_SCOPES'],
      /lacks the scope read:api_keys.*Grant it/,
    ],
    [
      'a short life',
      (s: Scenario) => void s.emulator.changeApplication({ tokenLifetimeSeconds: 60 }),
      ['TOKEN_LIFETIME'],
      /mints a token that often.*Choose a longer token lifetime/,
    ],
    [
      'a token endpoint that fails',
      (s: Scenario) => s.emulator.failUntilCleared(500, 'token'),
      ['REACHABILITY'],
      /No M2M token can be had now/,
    ],
    [
      'a page of a firewall',
      (s: Scenario) =>
        s.emulator.failUntilCleared({ status: 200, body: '<html>', headers: { 'content-type': 'text/html' } }),
      ['REACHABILITY'],
      /Something else answers in place of Kinde/,
    ],
    ...[429, 500, 503].map((status): [string, (s: Scenario) => void, string[], RegExp] => [
      `a Kinde that answers everything with ${status}`,
      (s: Scenario) => s.emulator.failUntilCleared(status),
      ['REACHABILITY'],
      /^Kinde, or something between, fails now or asks to slow down.*Wait, and run the doctor again/,
    ]),
    [
      'a redirect',
      (s: Scenario) => s.emulator.failUntilCleared({ redirect: 'https://login.example' }),
      ['REACHABILITY'],
      /Something else answers/,
    ],
    [
      'a verify call that fails',
      (s: Scenario) => s.emulator.failUntilCleared(500, 'verify'),
      ['VERIFY_CALL'],
      /No key can be verified/,
    ],
    [
      'Kinde at its limit',
      (s: Scenario) => s.emulator.failUntilCleared({ status: 429, rateLimitReset: 17 }, 'verify'),
      ['CALL_LIMIT'],
      /Kinde limits the calls.*lower kinde.maxPerSecond/,
    ],
    [
      'no read:apis',
      (s: Scenario) => void s.emulator.changeApplication({ scopes: ['read:api_keys'] }),
      ['API_ID'],
      /not compared with Kinde.*Grant read:apis/,
    ],
  ])('names cause and cure of %s', async (_what, bring, codes, text) => {
    const doctor = await start({ apis: [{ name: 'API', scopes: ['read:users', 'write:users', 'read:user'] }] });
    bring(scenario);
    const findings = await doctor.examine();
    expect(problems(findings)).toEqual(expect.arrayContaining(codes));
    const [found] = of(findings, codes[0] ?? '').filter(({ status }) => status !== 'ok');
    expect(`${found?.means} ${found?.cure}`).toMatch(text);
  });

  it('says when Kinde cannot be reached, and makes no further check', async () => {
    const doctor = await start();
    await scenario.emulator.stop();
    const findings = await doctor.examine();
    expect(findings.map(({ code, status }) => `${code} ${status}`)).toEqual(['REACHABILITY problem']);
    expect(findings[0]?.seen).toContain('ECONNREFUSED');
  });

  it('says that Kinde did not answer in time, and not that a call was aborted', async () => {
    const doctor = await start({}, { kinde: { timeoutMs: 100 } });
    scenario.emulator.failUntilCleared({ hang: true });
    expect(await doctor.examine()).toMatchObject([
      {
        code: 'REACHABILITY',
        seen: expect.stringMatching(/^127\.0\.0\.1:\d+ did not answer in time \(kinde\.timeoutMs\)$/),
      },
    ]);
  });

  it('takes a 401 for a key that does not exist for what it is', async () => {
    const findings = await (await start({ invalidKeyAnswer: 401 })).examine();
    expect(of(findings, 'VERIFY_CALL')).toMatchObject([
      { status: 'ok', seen: 'Kinde refuses a key that does not exist (status 401)' },
    ]);
  });

  it('blames neither key nor token for a 401 if Kinde then fails', async () => {
    const doctor = await start({ invalidKeyAnswer: 401 });
    scenario.emulator.failUntilCleared(503, 'keys');
    const [found] = of(await doctor.examine(), 'VERIFY_CALL');
    expect(found).toMatchObject({ status: 'problem', seen: 'Kinde answered with status 503' });
    expect(found?.cure).toContain("Kinde's status");
  });

  it('says which routes a key may call, and why not the others', async () => {
    const doctor = await start();
    const { key, keyId } = scenario.emulator.createKey({ scopes: ['read:users'], orgCode: 'org_a' });
    const findings = await doctor.examine({ rawKey: key });
    expect(of(findings, 'KEY_FORM')).toMatchObject([{ status: 'ok' }]);
    expect(of(findings, 'KEY_STATE')[0]?.seen).toBe(`active, of the organization org_a, scopes: read:users (${keyId})`);
    expect(of(findings, 'KEY_ROUTES')).toMatchObject([
      {
        seen: 'may call 2 of 4 routes: ReportsController.users, ReportsController.any',
        means: expect.stringContaining(
          'ReportsController.write (lacks one of several scopes); ReportsController.mine (has no user)',
        ) as string,
      },
    ]);
    expect(JSON.stringify(findings)).not.toContain(key);
  });

  it.each([
    ['revoked', /revoked/],
    ['inactive', /not active/],
  ])('says that a key is %s', async (status, seen) => {
    const doctor = await start();
    const { key } = scenario.emulator.createKey({ status });
    expect(of(await doctor.examine({ rawKey: key }), 'KEY_STATE')).toMatchObject([
      { status: 'problem', seen: expect.stringMatching(seen) as string, means: 'Requests with the key get 401' },
    ]);
  });

  it('says that a key belongs to another API', async () => {
    const apis = [
      { id: 'api_1', name: 'One' },
      { id: 'api_2', name: 'Two' },
    ];
    const doctor = await start({ apis }, { apiId: 'api_2' });
    const { key } = scenario.emulator.createKey({ apiId: 'api_1' });
    expect(of(await doctor.examine({ rawKey: key }), 'KEY_API')).toMatchObject([{ status: 'problem' }]);
    const own = scenario.emulator.createKey({ apiId: 'api_2' });
    expect(of(await doctor.examine({ rawKey: own.key }), 'KEY_API')).toMatchObject([{ status: 'ok' }]);
  });

  it.each([
    ['Bearer k_live_1234567890abcdef', /begins with "Bearer "/],
    [' k_live_1234567890abcdef', /blanks or line ends/],
    ['short', /it has 5 characters/],
    ['k_live_1234567890äbcdef', /characters that a key cannot have/],
    ['eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2ln', /an access token \(JWT\)/],
    [1_234_567_890_123_456, /no text/], // a JSON body of the page's example may hold anything
    [['k_live_1234567890abcdef'], /no text/],
    [{ rawKey: 'k_live_1234567890abcdef' }, /no text/],
  ])('says what is wrong with the form of %j, without repeating it', async (rawKey, seen) => {
    const doctor = await start();
    const findings = await doctor.examine({ rawKey: rawKey as string });
    expect(of(findings, 'KEY_FORM')).toMatchObject([
      { status: 'problem', seen: expect.stringMatching(seen) as string },
    ]);
    expect(of(findings, 'KEY_STATE')).toEqual([]);
    expect(JSON.stringify(findings)).not.toContain(JSON.stringify(rawKey).slice(1, -1));
  });

  it.each(['short', 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2ln'])(
    'makes every other check beside the malformed key %j, which is not sent to Kinde',
    async (rawKey) => {
      const doctor = await start();
      const checked = (await doctor.examine()).map(({ code }) => code);
      const { verifies } = scenario.emulator.counters;
      expect((await doctor.examine({ rawKey })).map(({ code }) => code)).toEqual(['KEY_FORM', ...checked]);
      expect(scenario.emulator.counters.verifies - verifies).toBe(1); // the key that does not exist
    },
  );
});

describe('the page on the doctor', () => {
  it('lists every code of a finding', () => {
    const rows = rowsOf(sectionOf(`${DOCS}/doctor.md`, 'findings'));
    expect(rows.map(([code = '']) => code.replaceAll('`', ''))).toEqual([...FINDING_CODES]);
  });
});

describe('npx nestjs-kinde-api-key doctor', () => {
  let scenario: Scenario;

  beforeAll(async () => {
    scenario = await startScenario({ adapter: 'express' });
  });
  afterAll(() => scenario.close());

  const run = async (args: string[], { env = {}, input = '' } = {}) => {
    let [stdout, stderr] = ['', ''];
    const { domain, credentials } = scenario.emulator;
    const exitCode = await runCli(['doctor', ...args], {
      out: (text) => void (stdout += text),
      err: (text) => void (stderr += text),
      untilAskedToStop: () => new Promise(() => undefined),
      env: {
        KINDE_DOMAIN: domain,
        KINDE_MANAGEMENT_CLIENT_ID: credentials.clientId,
        KINDE_MANAGEMENT_CLIENT_SECRET: credentials.clientSecret,
        ...env,
      },
      hasColors: false,
      readInput: async () => input,
      showProgress: () => () => undefined,
    });
    return { exitCode, stdout, stderr };
  };

  it('prints a line for what is well, and ends with 0', async () => {
    const { exitCode, stdout, stderr } = await run([]);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^ok {6}DNS: 127\.0\.0\.1 resolves$/m);
    expect(stdout).toMatch(/0 problems, 0 warnings, \d+ ok\n$/);
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('leads from a wrong client secret to the menu, and ends with 1', async () => {
    const { exitCode, stdout } = await run([], { env: { KINDE_MANAGEMENT_CLIENT_SECRET: 'wrong-secret-value' } });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^PROBLEM CREDENTIALS: Kinde refuses the M2M application$/m);
    expect(stdout.replace(/\s+/g, ' ')).toContain(
      '-> Compare KINDE_MANAGEMENT_CLIENT_ID and KINDE_MANAGEMENT_CLIENT_SECRET with Kinde > Settings > Applications',
    );
    expect(stdout).toMatch(/\n1 problem, 0 warnings, 3 ok\n$/);
    expect(stdout).not.toContain('wrong-secret-value');
  });

  it('does not end, as a process, before it has printed its findings: between two tries nothing else keeps it alive', async () => {
    scenario.emulator.failUntilCleared({ reset: true }, 'token');
    const child = startChild('subprocesses/doctor.ts', { env: { ...scenario.emulator.environment }, silent: true });
    let stdout = '';
    child.stdout?.on('data', (chunk) => (stdout += String(chunk)));
    const exitCode = await new Promise((resolve) => child.once('close', resolve));
    scenario.emulator.clearFaults();
    expect(exitCode).toBe(1);
    expect((JSON.parse(stdout) as Finding[]).at(-1)).toMatchObject({ code: 'REACHABILITY', status: 'problem' });
  });

  it('prints every configuration problem without a call', async () => {
    scenario.emulator.resetCounters();
    const { exitCode, stdout } = await run([], {
      env: { KINDE_DOMAIN: 'https://login.acme.com', KINDE_MANAGEMENT_CLIENT_ID: '' },
    });
    expect(exitCode).toBe(1);
    expect(stdout).toContain('PROBLEM CONFIGURATION: domain is a custom domain');
    expect(stdout).toContain('PROBLEM CONFIGURATION: clientId is missing');
    expect(scenario.emulator.counters.requests).toBe(0);
  });

  it('reads a key from standard input alone', async () => {
    const { key } = scenario.emulator.createKey({ scopes: ['read:users'] });
    const { exitCode, stdout } = await run(['--key', '-', '--json'], { input: `${key}\n` });
    expect(exitCode).toBe(0);
    expect((JSON.parse(stdout) as Finding[]).find(({ code }) => code === 'KEY_STATE')).toMatchObject({ status: 'ok' });
    expect(stdout).not.toContain(key);
    expect(await run(['--key', key])).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'error: a key is read from standard input: --key -\n',
    });
  });

  describe('with the file of a module', () => {
    let folder: string;
    const file = (name: string) => join(folder, name);

    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'doctor-'));
      const options = () => ({ domain: scenario.emulator.domain, ...scenario.emulator.credentials });

      @Module({
        imports: [KindeApiKeyModule.forRootAsync({ useFactory: options, globalGuard: true })],
        controllers: [ReportsController],
      })
      class AppModule {}

      @Module({ imports: [KindeApiKeyModule.forRoot({ domain: 'https://login.acme.com', verifyAtBoot: 'error' })] })
      class WrongModule {}

      @Module({ providers: [] })
      class OtherModule {}

      const modules = { app: AppModule, wrong: WrongModule, other: OtherModule };
      for (const name of Object.keys(modules))
        writeFileSync(file(`${name}.js`), `exports.AppModule = globalThis.examinedModules.${name};`);
      Object.assign(globalThis, { examinedModules: modules });
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    it('examines the options, routes and decorators of the app', async () => {
      scenario.emulator.resetCounters();
      const { key } = scenario.emulator.createKey({ scopes: ['read:users'], orgCode: 'org_a' });
      const { exitCode, stdout, stderr } = await run([file('app.js'), '--key', '-'], {
        env: { KINDE_DOMAIN: 'elsewhere' },
        input: `${key}\r\n`,
      });
      expect([exitCode, stderr]).toEqual([1, '']);
      const text = stdout.replace(/\s+/g, ' ');
      expect(text).toContain("ReportsController.write requires 'read:user', which is not registered; did you mean");
      expect(text).toContain('may call 2 of 4 routes: ReportsController.users, ReportsController.any');
      expect(scenario.emulator.counters.mints).toBe(1);
    });

    it('shows why an app does not start, as findings', async () => {
      const { exitCode, stdout } = await run([file('wrong.js'), '--json']);
      expect(exitCode).toBe(1);
      const findings = JSON.parse(stdout) as Finding[];
      expect(findings.map(({ code }) => code)).toEqual(['CONFIGURATION', 'CONFIGURATION', 'CONFIGURATION']);
      expect(findings.map(({ seen }) => seen).join()).toContain('domain is a custom domain');
    });

    it('says in one line that an app does not use the library', async () => {
      expect(await run([file('other.js')])).toMatchObject({
        exitCode: 1,
        stdout: '',
        stderr: expect.stringMatching(/^error: .*other\.js does not import KindeApiKeyModule.*\n$/) as string,
      });
    });
  });
});
