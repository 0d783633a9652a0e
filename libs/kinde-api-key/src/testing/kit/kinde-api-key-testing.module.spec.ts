import { Socket } from 'node:net';
import {
  Controller,
  Get,
  Module,
  type DynamicModule,
  type ExecutionContext,
  Injectable,
  type ModuleMetadata,
  Param,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import {
  AnyValidKey,
  ApiKeyDoctor,
  ApiKeyGuard,
  ApiKeyVerificationService,
  CurrentApiKey,
  KINDE_API_KEY_CLOCK,
  KINDE_API_KEY_HTTP,
  KINDE_API_KEY_OPTIONS,
  KindeApiKeyModule,
  OrgScoped,
  type Principal,
  type PrincipalSource,
  PublicRoute,
  RateLimit,
  RequireScopes,
  ScopedResource,
  type VerifiedApiKey,
} from '../../index.js';
import { KindeApiKeyTestingModule, TestClock } from '../index.js';

@Controller('users')
@AnyValidKey()
class UsersController {
  @Get()
  @RequireScopes('read:users')
  list(@CurrentApiKey() apiKey: VerifiedApiKey): VerifiedApiKey {
    return apiKey;
  }

  @Get('of/:orgCode')
  @OrgScoped()
  ofOrganization(@Param('orgCode') orgCode: string): string {
    return orgCode;
  }

  @Get('first')
  @OrgScoped({ resolve: () => ({ orgCode: 'org_a', resource: { name: 'Ada' } }) })
  first(@ScopedResource() user: object): object {
    return user;
  }

  @Get('limited')
  @RateLimit({ limit: 1, windowMs: 60_000 })
  limited(): string {
    return 'limited';
  }

  @Get('open')
  @PublicRoute()
  open(): string {
    return 'open';
  }
}

const apps: NestFastifyApplication[] = [];

async function startFrom(builder: TestingModuleBuilder) {
  const app = (await builder.compile()).createNestApplication<NestFastifyApplication>(new FastifyAdapter());
  apps.push(app);
  await app.init();
  const get = async (url: string, key?: string) => {
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const { statusCode, body } = await app.inject({ url, headers });
    return { status: statusCode, body: body.startsWith('{') ? (JSON.parse(body) as Record<string, unknown>) : body };
  };
  return { app, get };
}

const start = (imports: ModuleMetadata['imports'] = [], controllers: Type[] = [UsersController]) =>
  startFrom(Test.createTestingModule({ imports, controllers }));

const environment = process.env;
afterEach(async () => {
  process.env = environment;
  jest.restoreAllMocks();
  jest.useRealTimers();
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

describe('KindeApiKeyTestingModule.forRoot()', () => {
  it('accepts a key that was created before or after the start, and refuses every other', async () => {
    const kinde = KindeApiKeyTestingModule.forRoot({ globalGuard: true });
    const before = kinde.createKey({ scopes: ['read:users'], orgCode: 'org_a', keyId: 'api_key_1' });
    const { get, app } = await start([kinde]);
    const after = app.get(KindeApiKeyTestingModule).createKey({ scopes: ['read:users'], userId: 'kp_1' });
    expect(await get('/users', before)).toMatchObject({
      status: 200,
      body: { keyId: 'api_key_1', scopes: ['read:users'], orgCode: 'org_a', userId: null, ownerType: 'organization' },
    });
    expect(await get('/users', after)).toMatchObject({ status: 200, body: { userId: 'kp_1', ownerType: 'user' } });
    expect(await get('/users', `${after}0`)).toMatchObject({ status: 401, body: { code: 'INVALID_KEY' } });
    expect(await get('/users')).toMatchObject({ status: 401, body: { code: 'MISSING_KEY' } });
    expect(await get('/users/open')).toEqual({ status: 200, body: 'open' });
  });

  it.each([
    ['/users', {}, 'INSUFFICIENT_SCOPE'],
    ['/users/of/org_a', { orgCode: 'org_b' }, 'ORG_MISMATCH'],
    ['/users/of/org_a', {}, 'ORG_REQUIRED'],
    ['/users/first', { orgCode: 'org_b' }, 'ORG_MISMATCH'],
    ['/users/limited', { status: 'revoked' }, 'KEY_REVOKED'],
    ['/users/limited', { status: 'inactive' }, 'KEY_INACTIVE'],
  ])('enforces the rules of %s for a key with %j: %s', async (path, key, code) => {
    const kinde = KindeApiKeyTestingModule.forRoot({ globalGuard: true });
    const { get } = await start([kinde]);
    expect(await get(path, kinde.createKey(key))).toMatchObject({ body: { code } });
  });

  it('runs resolvers and counts rate limits', async () => {
    const kinde = KindeApiKeyTestingModule.forRoot({ globalGuard: true });
    const { get } = await start([kinde]);
    const key = kinde.createKey({ orgCode: 'org_a' });
    expect(await get('/users/first', key)).toEqual({ status: 200, body: { name: 'Ada' } });
    expect(await get('/users/limited', key)).toMatchObject({ status: 200 });
    expect(await get('/users/limited', key)).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } });
  });

  it('stops the boot for a handler without a decision, like the real module', async () => {
    @Controller('forgotten')
    class ForgottenController {
      @Get()
      get(): string {
        return 'open?';
      }
    }
    const starting = start([KindeApiKeyTestingModule.forRoot({ globalGuard: true })], [ForgottenController]);
    await expect(starting).rejects.toThrow('ForgottenController.get has no decision');
  });

  it('keeps the options of the module, and checks them', async () => {
    const kinde = KindeApiKeyTestingModule.forRoot({
      globalGuard: true,
      credentials: [{ header: 'x-api-key' }],
      rateLimit: { limit: 1 },
      hideExistence: true,
      apiId: 'api_1',
    });
    const { app, get } = await start([kinde]);
    const ask = (path: string, key: string) => app.inject({ url: path, headers: { 'x-api-key': key } });
    const key = kinde.createKey({ scopes: ['read:users'], apiId: 'api_1' });
    expect((await ask('/users', key)).statusCode).toBe(200);
    expect((await ask('/users', key)).statusCode).toBe(429);
    expect((await ask('/users/of/org_a', kinde.createKey({ orgCode: 'org_b' }))).statusCode).toBe(404);
    expect((await ask('/users', kinde.createKey({ scopes: ['read:users'], apiId: 'api_2' }))).statusCode).toBe(401);
    expect(await get('/users', key)).toMatchObject({ body: { code: 'MISSING_KEY' } });
    await expect(start([KindeApiKeyTestingModule.forRoot({ realm: '"' })])).rejects.toThrow('realm must be');
    expect(() => KindeApiKeyTestingModule.forRoot({ globalGuard: 'yes' as unknown as boolean })).toThrow('globalGuard');
  });

  it('guards a feature module alone with isGlobal: false', async () => {
    @Controller('feature')
    @UseGuards(ApiKeyGuard)
    class FeatureController {
      @Get()
      @AnyValidKey()
      get(): string {
        return 'feature';
      }
    }
    const kinde = KindeApiKeyTestingModule.forRoot({ isGlobal: false });
    const { get } = await start([kinde], [FeatureController]);
    expect(await get('/feature', kinde.createKey())).toEqual({ status: 200, body: 'feature' });
    expect(await get('/feature')).toMatchObject({ status: 401 });
  });

  it('keeps the keys of two modules apart, also where Nest compares modules by their content, as Nest 10 does', async () => {
    const kinds = ['first', 'second'].map((path) => {
      @Controller(path)
      @UseGuards(ApiKeyGuard)
      class FeatureController {
        @Get()
        @AnyValidKey()
        find(): string {
          return path;
        }
      }
      const kinde = KindeApiKeyTestingModule.forRoot({ isGlobal: false });
      @Module({ imports: [kinde], controllers: [FeatureController] })
      class FeatureModule {}
      return { kinde, FeatureModule };
    });
    const imports = kinds.map(({ FeatureModule }) => FeatureModule);
    const { get } = await startFrom(Test.createTestingModule({ imports }, { moduleIdGeneratorAlgorithm: 'deep-hash' }));
    const [first, second] = kinds.map(({ kinde }) => kinde.createKey());
    const statuses = ['/first', '/second'].flatMap((path) => [get(path, first), get(path, second)]);
    expect((await Promise.all(statuses)).map(({ status }) => status)).toEqual([200, 401, 401, 200]);
  });

  it('refuses a revoked key at its next request, by the raw key and by the key id', async () => {
    const kinde = KindeApiKeyTestingModule.forRoot({ globalGuard: true });
    const { get } = await start([kinde]);
    const [one, other] = [kinde.createKey(), kinde.createKey({ keyId: 'api_key_2' })];
    for (const key of [one, other]) expect(await get('/users/limited', key)).toMatchObject({ status: 200 });
    kinde.revokeKey(one);
    kinde.revokeKey('api_key_2');
    for (const key of [one, other])
      expect(await get('/users/limited', key)).toMatchObject({ status: 401, body: { code: 'KEY_REVOKED' } });
  });

  it('caches keys with the option cache, so that the test of an invalidation proves something', async () => {
    const kinde = KindeApiKeyTestingModule.forRoot({ globalGuard: true, cache: {} });
    const { app, get } = await start([kinde]);
    const key = kinde.createKey({ scopes: ['read:users'], orgCode: 'org_a' });
    expect(await get('/users', key)).toMatchObject({ status: 200 });
    kinde.revokeKey(key);
    expect(await get('/users', key)).toMatchObject({ status: 200 });
    await app.get(ApiKeyVerificationService).invalidate({ orgCode: 'org_a' });
    expect(await get('/users', key)).toMatchObject({ status: 401 });
  });

  it('answers 503 while Kinde is unavailable, and serves a cached key as in an outage', async () => {
    const clock = new TestClock();
    const kinde = KindeApiKeyTestingModule.forRoot({ globalGuard: true, cache: {} });
    const builder = Test.createTestingModule({ imports: [kinde], controllers: [UsersController] });
    const { get } = await startFrom(builder.overrideProvider(KINDE_API_KEY_CLOCK).useValue(clock));
    const [known, other] = [kinde.createKey({ scopes: ['read:users'] }), kinde.createKey({ scopes: ['read:users'] })];
    expect(await get('/users', known)).toMatchObject({ status: 200 });
    kinde.setUnavailable(true);
    clock.advance(120_000);
    expect(await get('/users', known)).toMatchObject({ status: 200 });
    expect(await get('/users', other)).toMatchObject({ status: 503, body: { code: 'VERIFICATION_UNAVAILABLE' } });
    clock.advance(300_000);
    expect(await get('/users', known)).toMatchObject({ status: 503 });
    kinde.setUnavailable(false);
    expect(await get('/users', other)).toMatchObject({ status: 200 });
  });

  it('asks the principals of the app about callers without a key', async () => {
    @Injectable()
    class SessionSource implements PrincipalSource {
      authenticate(context: ExecutionContext): Principal | null {
        const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
        return headers.session ? { kind: 'session', scopes: ['read:users'], orgCode: 'org_a', userId: null } : null;
      }
    }
    const kinde = KindeApiKeyTestingModule.forRoot({ globalGuard: true, principals: [SessionSource] });
    const builder = Test.createTestingModule({
      imports: [kinde],
      controllers: [UsersController],
      providers: [SessionSource],
    });
    const { app, get } = await startFrom(builder);
    expect((await app.inject({ url: '/users/first', headers: { session: 'a' } })).statusCode).toBe(200);
    expect(await get('/users/first')).toMatchObject({ status: 401, body: { code: 'MISSING_KEY' } });
    expect(await get('/users/first', kinde.createKey({ orgCode: 'org_a' }))).toMatchObject({ status: 200 });
  });

  it('opens no socket, leaves no timer and reads no environment', async () => {
    process.env = { ...environment, KINDE_DOMAIN: 'auth.acme.com', KINDE_API_ID: 'api_other' };
    const connect = jest.spyOn(Socket.prototype, 'connect');
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
    const kinde = KindeApiKeyTestingModule.forRoot({ globalGuard: true });
    const { app, get } = await start([kinde]);
    expect(await get('/users', kinde.createKey({ scopes: ['read:users'] }))).toMatchObject({ status: 200 });
    expect(await get('/users', 'k_live_0123456789abcdef')).toMatchObject({ status: 401 });
    expect(jest.getTimerCount()).toBe(0);
    expect(connect).not.toHaveBeenCalled();
    expect(app.get<object>(KINDE_API_KEY_HTTP)).not.toHaveProperty('axiosRef');
  });

  it('lets the doctor find that Kinde cannot be reached, without a socket', async () => {
    const connect = jest.spyOn(Socket.prototype, 'connect');
    const { app } = await start([KindeApiKeyTestingModule.forRoot({ globalGuard: true })]);
    const findings = await app.get(ApiKeyDoctor).examine({ rawKey: 'k_live_0123456789abcdef' });
    expect(findings.map(({ status }) => status)).toContain('problem');
    expect(connect).not.toHaveBeenCalled();
  });

  it('does not show a raw key when it is printed', () => {
    const kinde = KindeApiKeyTestingModule.forRoot();
    const key = kinde.createKey();
    expect(JSON.stringify(kinde)).not.toContain(key);
  });

  it.each([
    ['an unknown option', { scope: ['a'] }, 'unknown key option "scope"'],
    ['a raw key that no request could carry', { key: 'k_short' }, '16 to 512 characters'],
    ['scopes that are not a list', { scopes: 'a' }, 'scopes must be an array'],
  ])('does not create a key with %s', (_what, options, message) => {
    expect(() => KindeApiKeyTestingModule.forRoot().createKey(options as object)).toThrow(message);
  });

  it('does not revoke a key that it does not know', () => {
    expect(() => KindeApiKeyTestingModule.forRoot().revokeKey('k_live_0123456789abcdef')).toThrow(TypeError);
  });

  it('stops the boot beside a global KindeApiKeyModule, and is separate from one that is not', async () => {
    const connection = { domain: 'acme', clientId: 'id', clientSecret: 'secret', verifyAtBoot: false } as const;
    const kinde = KindeApiKeyTestingModule.forRoot({ globalGuard: true });
    await expect(start([kinde, KindeApiKeyModule.forRoot(connection)])).rejects.toThrow('two global registrations');
    const { get } = await start([kinde, featureWith(KindeApiKeyModule.forRoot({ ...connection, isGlobal: false }))]);
    expect(await get('/users', kinde.createKey({ scopes: ['read:users'] }))).toMatchObject({ status: 200 });
  });
});

function featureWith(registration: DynamicModule): DynamicModule {
  class FeatureModule {}
  return { module: FeatureModule, imports: [registration] };
}

describe('KindeApiKeyTestingModule.replaceKinde()', () => {
  const globalGuard = true;
  const appWith = (registration: DynamicModule) => {
    @Module({ imports: [registration], controllers: [UsersController] })
    class AppModule {}
    return Test.createTestingModule({ imports: [AppModule] });
  };

  it.each([
    ['forRoot() without an environment', () => KindeApiKeyModule.forRoot({ globalGuard })],
    ['forRoot() with credentials', () => KindeApiKeyModule.forRoot({ globalGuard, domain: 'acme', clientId: 'id' })],
    [
      'forRootAsync() whose factory finds no credentials',
      () =>
        KindeApiKeyModule.forRootAsync({
          globalGuard,
          useFactory: () => ({ domain: process.env.KINDE_DOMAIN }) as { domain: string },
        }),
    ],
  ])('serves a whole app with %s', async (_name, register) => {
    const builder = appWith(register());
    const kinde = KindeApiKeyTestingModule.replaceKinde(builder);
    const { get } = await startFrom(builder);
    const key = kinde.createKey({ scopes: ['read:users'] });
    expect(await get('/users', key)).toMatchObject({ status: 200 });
    kinde.revokeKey(key);
    expect(await get('/users', key)).toMatchObject({ status: 401, body: { code: 'KEY_REVOKED' } });
    expect(await get('/users')).toMatchObject({ status: 401, body: { code: 'MISSING_KEY' } });
  });

  it('keeps the options of the app', async () => {
    const builder = appWith(
      KindeApiKeyModule.forRoot({ globalGuard, keyPrefixes: ['k_acme_'], rateLimit: { limit: 1 } }),
    );
    const kinde = KindeApiKeyTestingModule.replaceKinde(builder);
    const { get } = await startFrom(builder);
    const key = kinde.createKey({ key: 'k_acme_0123456789', scopes: ['read:users'] });
    expect(await get('/users', key)).toMatchObject({ status: 200 });
    expect(await get('/users', key)).toMatchObject({ status: 429 });
    expect(await get('/users', kinde.createKey())).toMatchObject({ status: 401, body: { code: 'INVALID_KEY' } });
  });

  it('serves every registration of the app', async () => {
    @Controller('feature')
    @UseGuards(ApiKeyGuard)
    @AnyValidKey()
    class FeatureController {
      @Get()
      get(): string {
        return 'feature';
      }
    }
    @Module({ imports: [KindeApiKeyModule.forRoot({ isGlobal: false })], controllers: [FeatureController] })
    class FeatureModule {}
    const builder = Test.createTestingModule({
      imports: [KindeApiKeyModule.forRoot(), FeatureModule],
    });
    const kinde = KindeApiKeyTestingModule.replaceKinde(builder);
    const { get } = await startFrom(builder);
    expect(await get('/feature', kinde.createKey())).toEqual({ status: 200, body: 'feature' });
    expect(await get('/feature')).toMatchObject({ status: 401 });
  });

  it('goes together with other options for the test', async () => {
    const builder = appWith(
      KindeApiKeyModule.forRootAsync({
        globalGuard,
        useFactory: () => {
          throw new Error('no configuration in tests');
        },
      }),
    );
    const kinde = KindeApiKeyTestingModule.replaceKinde(builder);
    builder.overrideProvider(KINDE_API_KEY_OPTIONS).useValue({ credentials: [{ header: 'x-api-key' }] });
    const { app } = await startFrom(builder);
    const headers = { 'x-api-key': kinde.createKey({ scopes: ['read:users'] }) };
    expect((await app.inject({ url: '/users', headers })).statusCode).toBe(200);
  });

  it('is not needed where overrideModule() finds the module of the app and puts forRoot() there', async () => {
    const registration = KindeApiKeyModule.forRoot({ globalGuard });
    const kinde = KindeApiKeyTestingModule.forRoot({ globalGuard });
    const { get } = await startFrom(appWith(registration).overrideModule(registration).useModule(kinde));
    expect(await get('/users', kinde.createKey({ scopes: ['read:users'] }))).toMatchObject({ status: 200 });
  });
});
