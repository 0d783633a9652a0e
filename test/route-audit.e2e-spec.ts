import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  Post,
  UseGuards,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import {
  AnyValidKey,
  ApiKeyGuard,
  ApiKeyRouteAudit,
  KindeApiKeyModule,
  KeysOnly,
  OrgScoped,
  PublicRoute,
  RateLimit,
  RequireAnyScope,
  RequireScopes,
  UserScoped,
  type AuditedRoute,
} from 'nestjs-kinde-api-key';
import { RouterModule } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareAudits } from '../libs/kinde-api-key/src/audit/compare-audits.js';
import { runCli } from '../libs/kinde-api-key/src/cli/program.js';

const OPTIONS = { domain: 'http://127.0.0.1:9', clientId: 'id', clientSecret: 'secret' };

@RequireScopes('read:base')
abstract class BaseController {}

@Controller('orgs/:orgCode/reports')
@OrgScoped()
@UseGuards(ApiKeyGuard)
class ReportsController extends BaseController {
  @Get(['', 'all'])
  @RequireScopes('read:reports')
  @RateLimit({ limit: 10, windowMs: 60_000 })
  findAll() {
    return [];
  }

  @Post()
  @RequireAnyScope('write:reports', 'admin')
  @UserScoped()
  @KeysOnly()
  create() {
    return {};
  }

  @Get('open')
  @PublicRoute()
  open() {
    return {};
  }
}

@Controller('plain')
class PlainController {
  @Get()
  find() {
    return {};
  }
}

async function audit(...controllers: (new () => object)[]): Promise<readonly AuditedRoute[]> {
  const testing = await Test.createTestingModule({
    imports: [KindeApiKeyModule.forRoot(OPTIONS)],
    controllers,
  }).compile();
  const app = testing.createNestApplication({ logger: false });
  await app.init();
  const routes = app.get(ApiKeyRouteAudit).routes();
  await app.close();
  return routes;
}

describe('ApiKeyRouteAudit', () => {
  it('says what every route demands, and what carries each rule', async () => {
    const routes = await audit(ReportsController, PlainController);
    const handler = 'ReportsController.findAll';
    const findAll = {
      handler,
      transport: 'http',
      access: 'guarded',
      scopes: ['read:base', 'read:reports'],
      anyOf: [],
      needsOrganization: true,
      comparedOrganizations: 1,
      needsUser: false,
      needsKey: false,
      maxAgeMs: null,
      rateLimit: { limit: 10, windowMs: 60_000, name: 'GET /orgs/:orgCode/reports, GET /orgs/:orgCode/reports/all' },
      rules: [
        { rule: "@RequireScopes('read:base')", from: 'class' },
        { rule: '@OrgScoped()', from: 'class' },
        { rule: "@RequireScopes('read:reports')", from: 'method' },
        { rule: '@RateLimit({ limit: 10, windowMs: 60000 })', from: 'method' },
      ],
    };
    expect(routes.map(({ route, access }) => `${route} ${access}`)).toEqual([
      'GET /orgs/:orgCode/reports guarded',
      'GET /orgs/:orgCode/reports/all guarded',
      'GET /orgs/:orgCode/reports/open public',
      'GET /plain open',
      'POST /orgs/:orgCode/reports guarded',
    ]);
    expect(routes[0]).toEqual({ route: 'GET /orgs/:orgCode/reports', ...findAll });
    expect(routes[1]).toEqual({ route: 'GET /orgs/:orgCode/reports/all', ...findAll });
    expect(routes[4]).toMatchObject({
      anyOf: [['write:reports', 'admin']],
      needsUser: true,
      needsKey: true,
      rateLimit: null,
    });
  });
});

describe('ApiKeyRouteAudit of an app with options and several modules', () => {
  it('names the options that make a rule, and the budget of a class in two modules as it is enforced', async () => {
    @Controller('shared')
    @UseGuards(ApiKeyGuard)
    class SharedController {
      @Get()
      @AnyValidKey()
      find() {
        return {};
      }

      @Get('limited')
      @AnyValidKey()
      @RateLimit({ limit: 5, windowMs: 60_000 })
      limited() {
        return {};
      }
    }

    @Module({ controllers: [SharedController] })
    class FirstModule {}

    @Module({ controllers: [SharedController] })
    class SecondModule {}

    const testing = await Test.createTestingModule({
      imports: [
        KindeApiKeyModule.forRoot({ ...OPTIONS, rateLimit: {}, globalGuard: { publicControllers: [PlainController] } }),
        FirstModule,
        SecondModule,
        RouterModule.register([
          { path: 'a', module: FirstModule },
          { path: 'b', module: SecondModule },
        ]),
      ],
      controllers: [PlainController],
    }).compile();
    const app = await testing.createNestApplication({ logger: false }).init();
    const routes = app.get(ApiKeyRouteAudit).routes();
    await app.close();
    const rulesOf = (route: string) => routes.find((one) => one.route === route)?.rules;
    expect(rulesOf('GET /plain')).toEqual([{ rule: 'publicControllers', from: 'option' }]);
    expect(rulesOf('GET /a/shared')).toEqual([
      { rule: 'rateLimit', from: 'option' },
      { rule: '@AnyValidKey()', from: 'method' },
    ]);
    const budgets = routes.filter(({ route }) => route.endsWith('limited')).map(({ rateLimit }) => rateLimit?.name);
    expect(budgets).toEqual(Array.from({ length: 2 }, () => 'GET /a/shared/limited, GET /b/shared/limited'));
  });
});

describe('ApiKeyRouteAudit in a provider of the app', () => {
  it('is complete in onApplicationBootstrap()', async () => {
    const seen: string[] = [];

    @Injectable()
    class Reader implements OnApplicationBootstrap {
      constructor(@Inject(ApiKeyRouteAudit) private readonly audit: ApiKeyRouteAudit) {}

      onApplicationBootstrap() {
        seen.push(...this.audit.routes().map(({ route }) => route));
      }
    }

    for (const isGlobal of [true, false]) {
      const testing = await Test.createTestingModule({
        imports: [KindeApiKeyModule.forRoot({ ...OPTIONS, isGlobal })],
        controllers: [PlainController],
        providers: [Reader],
      }).compile();
      await (await testing.createNestApplication({ logger: false }).init()).close();
    }
    expect(seen).toEqual(['GET /plain', 'GET /plain']);
  });
});

describe('compareAudits', () => {
  const one: AuditedRoute = {
    route: 'GET /users',
    handler: 'Users.find',
    transport: 'http',
    access: 'guarded',
    scopes: ['a', 'b'],
    anyOf: [['c', 'd']],
    needsOrganization: true,
    comparedOrganizations: 1,
    needsUser: true,
    needsKey: true,
    maxAgeMs: 5_000,
    rateLimit: { limit: 10, windowMs: 1_000, name: 'x' },
    rules: [{ rule: '@OrgScoped()', from: 'class' }],
  };

  it.each<[string, Partial<AuditedRoute>, string]>([
    ['a scope is gone', { scopes: ['a'] }, "no longer requires 'b'"],
    ['a list of scopes is gone', { anyOf: [] }, "no longer requires one of 'c', 'd'"],
    ['a list of scopes is longer', { anyOf: [['c', 'd', 'e']] }, "now also accepts 'e' in place of 'c', 'd'"],
    ['the organization is not compared', { comparedOrganizations: 0 }, 'no longer compares an organization'],
    [
      'another organization is compared',
      { rules: [{ rule: "@OrgScoped({ header: 'x-org' })", from: 'method' }] },
      'no longer carries @OrgScoped()',
    ],
    ['no organization is needed', { needsOrganization: false }, 'no longer requires an organization'],
    ['no user is needed', { needsUser: false }, 'no longer requires a user'],
    ['no key is needed', { needsKey: false }, 'no longer requires an API key'],
    [
      'the verification may be older',
      { maxAgeMs: 6_000 },
      'now verified in the last 6 s, was verified in the last 5 s',
    ],
    [
      'the verification may be of any age',
      { maxAgeMs: null },
      'now verified at any time, was verified in the last 5 s',
    ],
    ['the limit is gone', { rateLimit: null }, 'now without a rate limit, was at most 10 in 1 s'],
    [
      'the limit is higher',
      { rateLimit: { limit: 11, windowMs: 1_000, name: 'x' } },
      'now at most 11 in 1 s, was at most 10 in 1 s',
    ],
    ['the route is public', { access: 'public', scopes: [] }, 'no longer guarded, but public'],
    ['no guard reaches it', { access: 'open' }, 'no longer guarded, but open'],
  ])('finds a looser route where %s', (_what, changes, what) => {
    expect(compareAudits([one], [{ ...one, ...changes }])).toContainEqual({
      route: 'GET /users',
      kind: 'looser',
      what,
    });
    if ('rules' in changes) return; // either value may be the one that a caller must not choose
    const back = compareAudits([{ ...one, ...changes }], [one]);
    expect(back.map(({ kind }) => kind)).toEqual(['stricter']);
  });

  it.each<[string, Partial<AuditedRoute>]>([
    ['nothing changed', {}],
    ['scopes have another order', { scopes: ['b', 'a'], anyOf: [['d', 'c']] }],
    ['the handler has another name', { handler: 'People.all' }],
  ])('finds no change where %s', (_what, changes) => {
    expect(compareAudits([one], [{ ...one, ...changes }])).toEqual([]);
  });

  it('takes a list of scopes as kept where a shorter one, or one of its scopes, is required', () => {
    expect(compareAudits([one], [{ ...one, anyOf: [['c']] }]).map(({ kind }) => kind)).toEqual(['stricter']);
    expect(compareAudits([one], [{ ...one, anyOf: [], scopes: ['a', 'b', 'c'] }]).map(({ kind }) => kind)).toEqual([
      'stricter',
    ]);
  });

  it('takes a limit as looser where it becomes a function, or was one: the two cannot be compared', () => {
    const decided = { ...one, rateLimit: { limit: 'function', windowMs: 1_000, name: 'x' } } as const;
    for (const pair of [
      [one, decided],
      [decided, one],
    ] as const)
      expect(compareAudits([pair[0]], [pair[1]]).map(({ kind }) => kind)).toContain('looser');
    expect(compareAudits([decided], [decided])).toEqual([]);
  });

  it.each<[string, [limit: number, windowMs: number], [limit: number, windowMs: number], string[]]>([
    [
      'more may come at once, although fewer in the long run',
      [100, 60_000],
      [1_000, 3_600_000],
      ['looser', 'stricter'],
    ],
    ['as many may come in the long run, and more at once', [100, 60_000], [6_000, 3_600_000], ['looser']],
    [
      'more may come in a part of the window that is no divisor of it',
      [10, 60_000],
      [6, 50_000],
      ['looser', 'stricter'],
    ],
    ['as many may come in a longer window', [10, 1_000], [10, 60_000], ['stricter']],
    [
      'fewer may come in a shorter window, and more in the long run',
      [100, 60_000],
      [10, 1_000],
      ['looser', 'stricter'],
    ],
    ['the same is said in a finer way', [10, 60_000], [5, 30_000], ['stricter']],
  ])('compares limits by what each accepts in the window of the other: %s', (_what, old, now, kinds) => {
    const [before, after] = [old, now].map(([limit, windowMs]) => ({
      ...one,
      rateLimit: { limit, windowMs, name: 'x' },
    }));
    expect(compareAudits([before ?? one], [after ?? one]).map(({ kind }) => kind)).toEqual(kinds);
  });

  it('takes the limit of a function as looser where its window is shorter', () => {
    const limited = (windowMs: number): AuditedRoute => ({
      ...one,
      rateLimit: { limit: 'function', windowMs, name: 'x' },
    });
    const kinds = (before: number, after: number) =>
      compareAudits([limited(before)], [limited(after)]).map(({ kind }) => kind);
    expect(kinds(60_000, 1_000)).toEqual(['looser']);
    expect(kinds(1_000, 60_000)).toEqual(['stricter']);
  });

  it('takes a limit as looser where the route no longer counts together with another', () => {
    const limited = (route: string, name: string, limit = 10): AuditedRoute => ({
      ...one,
      route,
      handler: route,
      rateLimit: { limit, windowMs: 1_000, name },
    });
    const together = [limited('GET /a', 'GET /a'), limited('GET /b', 'GET /a'), limited('GET /c', 'GET /a')];
    const apart = [limited('GET /a', 'GET /a'), limited('GET /b', 'GET /b'), limited('GET /c', 'GET /a')];
    const change = { route: 'GET /b', kind: 'looser', what: 'no longer counted together with GET /a and 1 more' };
    expect(compareAudits(together, apart)).toEqual([change]);
    const back = { route: 'GET /b', kind: 'stricter', what: 'now counted together with GET /a and 1 more' };
    expect(compareAudits(apart, together)).toEqual([back]);
    const lower = [limited('GET /a', 'GET /a'), limited('GET /b', 'GET /b', 5), limited('GET /c', 'GET /a')];
    expect(compareAudits(together, lower)).toMatchObject([{ route: 'GET /b', kind: 'stricter' }]);
    const renamed = together.map((route) => ({ ...route, rateLimit: { limit: 10, windowMs: 1_000, name: 'reads' } }));
    expect(compareAudits(together, renamed)).toEqual([]);
  });

  const demands = 'a, b, c or d, own organization, a user, an API key, verified in the last 5 s, at most 10 in 1 s';

  it('names new routes and those that are gone, with what they demand', () => {
    const other = { ...one, route: 'GET /people', handler: 'People.find', access: 'public' } as const;
    expect(compareAudits([one], [other])).toEqual([
      { route: 'GET /people', kind: 'new', what: 'public' },
      { route: 'GET /users', kind: 'gone', what: demands },
    ]);
  });

  it('compares a handler whose path changed with what it demanded before', () => {
    expect(compareAudits([one], [{ ...one, route: 'GET /people', scopes: ['a'] }])).toEqual([
      { route: 'GET /people', kind: 'new', what: demands.replace('b, ', '') },
      { route: 'GET /people (was GET /users)', kind: 'looser', what: "no longer requires 'b'" },
      { route: 'GET /users', kind: 'gone', what: demands },
    ]);
  });

  it('compares each handler of a path that several have, e.g. for two versions', () => {
    const second = { ...one, handler: 'Users.findAgain' };
    const looser = { ...one, scopes: [] };
    for (const after of [
      [looser, second],
      [second, looser],
    ])
      expect(compareAudits([one, second], after)).toEqual([
        { route: 'GET /users', kind: 'looser', what: "no longer requires 'a'" },
        { route: 'GET /users', kind: 'looser', what: "no longer requires 'b'" },
      ]);
  });

  it.each([
    ['of one path, in two classes of one name', one],
    ['without a path, in two classes of one name', { ...one, route: 'Users.find', transport: 'ws' } as const],
  ])('compares each handler %s', (_what, first) => {
    const open = { ...first, access: 'public' } as const;
    const looser = { route: first.route, kind: 'looser', what: 'no longer guarded, but public' };
    expect(compareAudits([first, open], [open, open])).toEqual([looser]);
    expect(compareAudits([open, first], [open, open])).toEqual([looser]);
    expect(compareAudits([first, open], [first, open])).toEqual([]);
    expect(compareAudits([first], [first, open])).toEqual([{ route: first.route, kind: 'new', what: 'public' }]);
    expect(compareAudits([first, open], [first])).toEqual([{ route: first.route, kind: 'gone', what: 'public' }]);
  });

  it('says what a route demands that is no longer public', () => {
    expect(compareAudits([{ ...one, access: 'public' }], [one])).toEqual([
      { route: 'GET /users', kind: 'stricter', what: `now guarded: ${demands}` },
    ]);
  });
});

describe('npx nestjs-kinde-api-key routes', () => {
  let folder: string;

  @Controller('users')
  @UseGuards(ApiKeyGuard)
  class UsersController {
    @Get()
    @RequireScopes('read:users')
    find() {
      return [];
    }

    @Get('any')
    @AnyValidKey()
    any() {
      return [];
    }
  }

  @Module({ imports: [KindeApiKeyModule.forRoot()], controllers: [UsersController] })
  class AppModule {}

  const run = async (...args: string[]) => {
    let [stdout, stderr] = ['', ''];
    const io = {
      out: (text: string) => void (stdout += text),
      err: (text: string) => void (stderr += text),
      untilAskedToStop: () => new Promise<void>(() => undefined),
      env: process.env,
      hasColors: false,
      readInput: async () => '',
      showProgress: () => () => undefined,
    };
    return { exitCode: await runCli(['routes', ...args], io), stdout, stderr };
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'route-audit-'));
    Object.assign(globalThis, { auditedAppModule: AppModule });
    writeFileSync(join(folder, 'app.module.js'), 'exports.AppModule = globalThis.auditedAppModule;');
    writeFileSync(join(folder, 'empty.js'), '');
    writeFileSync(join(folder, 'app.module.ts'), '');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const file = (name: string) => join(folder, name);

  it('prints what every route demands', async () => {
    expect(await run(file('app.module.js'))).toEqual({
      exitCode: 0,
      stderr: '',
      stdout: 'GET /users      read:users\nGET /users/any  any valid caller\n\n2 guarded, 0 public, 0 open\n',
    });
  });

  it('fails if a route became looser, and not if it became stricter', async () => {
    const { stdout } = await run(file('app.module.js'), '--json');
    const saved = JSON.parse(stdout) as AuditedRoute[];
    writeFileSync(file('same.json'), stdout);
    expect(await run(file('app.module.js'), '--compare', file('same.json'))).toEqual({
      exitCode: 0,
      stderr: '',
      stdout: 'No route has changed.\n',
    });
    writeFileSync(file('stricter.json'), JSON.stringify(saved.map((one) => ({ ...one, needsUser: true }))));
    expect(await run(file('app.module.js'), '--compare', file('stricter.json'))).toMatchObject({
      exitCode: 1,
      stdout:
        'looser   GET /users: no longer requires a user\nlooser   GET /users/any: no longer requires a user\n\n' +
        '2 routes became looser: callers that were refused may be accepted.\n' +
        `If this is meant, save the audit again: npx nestjs-kinde-api-key routes ${file('app.module.js')} --json > ${file('stricter.json')}\n`,
    });
    writeFileSync(file('looser.json'), JSON.stringify(saved.map((one) => ({ ...one, scopes: [] }))));
    expect(await run(file('app.module.js'), '--compare', file('looser.json'))).toMatchObject({
      exitCode: 0,
      stdout: "stricter GET /users: now requires 'read:users'\n",
    });
  });

  it.each([
    ['a file that does not exist', ['missing.js'], 'does not exist; build the app first'],
    ['sources', ['app.module.ts'], 'is not compiled; build the app first'],
    ['a folder', ['.'], 'is a folder; pass the file of a module'],
    ['a file without a module', ['empty.js'], 'exports no class with @Module()'],
  ])('says in one line what is wrong with %s', async (_what, [name = ''], message) => {
    const { exitCode, stderr } = await run(file(name));
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^error: [^\n]+\n$/);
    expect(stderr).toContain(message);
  });

  it('says what is wrong with a saved audit', async () => {
    writeFileSync(file('broken.json'), '{');
    writeFileSync(file('other.json'), '[{}]');
    expect((await run(file('app.module.js'), '--compare', file('broken.json'))).stderr).toContain(
      'cannot be read as JSON',
    );
    expect((await run(file('app.module.js'), '--compare', file('other.json'))).stderr).toContain('is not an audit');
  });
});
