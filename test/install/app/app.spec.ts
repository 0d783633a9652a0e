// The tests of an app, as its author would write them with `nestjs-kinde-api-key/testing`. Each test runner runs them against the package
// from the registry. Nothing here depends on the types that a compiler writes into decorators: not every runner does that.
import { Controller, Get, type INestApplication, Module, UseGuards } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import {
  ApiKeyGuard,
  CurrentApiKey,
  getVerifiedApiKey,
  KindeApiKeyModule,
  OrgCode,
  OrgScoped,
  RequireScopes,
  type VerifiedApiKey,
} from 'nestjs-kinde-api-key';
import {
  KindeApiKeyTestingModule,
  KindeEmulator,
  provideVerifiedKey,
  TestClock,
  withApiKey,
} from 'nestjs-kinde-api-key/testing';

@Controller('organizations/:orgCode/users')
@OrgScoped()
@RequireScopes('read:users')
class UsersController {
  @Get()
  findAll(@CurrentApiKey() apiKey: VerifiedApiKey, @OrgCode() orgCode: string) {
    return { keyId: apiKey.keyId, orgCode };
  }
}

@Controller('guarded')
@UseGuards(ApiKeyGuard)
class GuardedController {
  @Get()
  get(@OrgCode() orgCode: string) {
    return { orgCode };
  }
}

@Module({ imports: [KindeApiKeyModule.forRoot({ globalGuard: true })], controllers: [UsersController] })
class AppModule {}

const KEY = { scopes: ['read:users'], orgCode: 'org_acme', keyId: 'api_key_1' };
let app: INestApplication;

async function start(builder: TestingModuleBuilder): Promise<void> {
  const testing = await builder.compile();
  const isFastify = process.env['PLATFORM'] === 'Fastify';
  app = isFastify ? testing.createNestApplication(new FastifyAdapter()) : testing.createNestApplication();
  await app.listen(0, '127.0.0.1');
}

async function ask(path: string, key?: string) {
  const headers: Record<string, string> = key ? { authorization: `Bearer ${key}` } : {};
  const answer = await fetch(`${await app.getUrl()}/${path}`, { headers });
  return { status: answer.status, body: (await answer.json()) as unknown };
}

describe('nestjs-kinde-api-key/testing', () => {
  afterEach(() => app.close());

  it('enforces the rules for keys in memory', async () => {
    const kinde = KindeApiKeyTestingModule.forRoot({ globalGuard: true });
    await start(Test.createTestingModule({ imports: [kinde], controllers: [UsersController] }));
    expect(app.get(KindeApiKeyTestingModule).createKey()).toMatch(/^k_live_/);
    const path = 'organizations/org_acme/users';
    expect(await ask(path, kinde.createKey(KEY))).toEqual({
      status: 200,
      body: { keyId: 'api_key_1', orgCode: 'org_acme' },
    });
    expect((await ask(path, kinde.createKey({ orgCode: 'org_acme' }))).status).toBe(403);
    expect((await ask(path)).status).toBe(401);
  });

  it('serves a whole app without an environment', async () => {
    const builder = Test.createTestingModule({ imports: [AppModule] });
    const kinde = KindeApiKeyTestingModule.replaceKinde(builder);
    await start(builder);
    expect((await ask('organizations/org_acme/users', kinde.createKey(KEY))).status).toBe(200);
  });

  it('gives a controller a key without the guard', async () => {
    const builder = Test.createTestingModule({ controllers: [GuardedController] });
    builder.overrideGuard(ApiKeyGuard).useValue(provideVerifiedKey(KEY));
    await start(builder);
    expect((await ask('guarded')).body).toEqual({ orgCode: 'org_acme' });
    expect(getVerifiedApiKey(withApiKey({}, KEY))?.keyId).toBe('api_key_1');
  });

  it('serves a whole app that reads the environment', async () => {
    const emulator = await KindeEmulator.start({ clock: new TestClock() });
    Object.assign(process.env, emulator.environment);
    await start(Test.createTestingModule({ imports: [AppModule] }));
    expect((await ask('organizations/org_acme/users', emulator.createKey(KEY).key)).status).toBe(200);
    await emulator.stop();
  });
});
