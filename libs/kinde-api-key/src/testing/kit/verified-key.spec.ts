import { Controller, Get, type INestApplication, Module, Req, UseGuards } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { send } from '../../../../../test/support/http.js';
import {
  ApiKeyGuard,
  CurrentApiKey,
  getPrincipal,
  getVerifiedApiKey,
  KindeApiKeyModule,
  OrgCode,
  OrgScoped,
  RequireScopes,
  ScopedResource,
  UserId,
  type VerifiedApiKey,
} from '../../index.js';
import { KindeApiKeyTestingModule, provideVerifiedKey, withApiKey } from '../index.js';

class Users {
  describe(request: unknown, apiKey: VerifiedApiKey, orgCode: string, userId: string, resource: unknown) {
    const { keyId, scopes, ownerType } = apiKey;
    return { keyId, scopes, ownerType, orgCode, userId, resource, known: getVerifiedApiKey(request)?.keyId };
  }
}

@Controller('users')
@RequireScopes('read:users')
@UseGuards(ApiKeyGuard)
class GuardedController extends Users {
  @Get(':orgCode')
  @OrgScoped({ resolve: () => ({ orgCode: 'org_other' }) })
  get(
    @Req() request: unknown,
    @CurrentApiKey() apiKey: VerifiedApiKey,
    @OrgCode() orgCode: string,
    @UserId() userId: string,
    @ScopedResource() resource: unknown,
  ) {
    return this.describe(request, apiKey, orgCode, userId, resource);
  }
}

/** Its app has a global guard. */
@Controller('users')
@RequireScopes('read:users')
class PlainController extends Users {
  @Get(':orgCode')
  get(
    @Req() request: unknown,
    @CurrentApiKey() apiKey: VerifiedApiKey,
    @OrgCode() orgCode: string,
    @UserId() userId: string,
    @ScopedResource() resource: unknown,
  ) {
    return this.describe(request, apiKey, orgCode, userId, resource);
  }
}

const KEY = { scopes: ['read:users'], orgCode: 'org_a', userId: 'kp_1', resource: { name: 'Ada' } };
const SEEN = {
  keyId: 'api_key_test',
  scopes: ['read:users'],
  ownerType: 'user',
  orgCode: 'org_a',
  userId: 'kp_1',
  resource: { name: 'Ada' },
  known: 'api_key_test',
};

describe.each(['express', 'fastify'])('provideVerifiedKey() on %s', (adapter) => {
  let app: INestApplication | undefined;
  afterEach(() => app?.close());

  async function ask(builder: TestingModuleBuilder) {
    const http = adapter === 'fastify' ? new FastifyAdapter() : new ExpressAdapter();
    app = (await builder.compile()).createNestApplication(http, { logger: false });
    await app.listen(0, '127.0.0.1');
    return send(`${(await app.getUrl()).replace('[::1]', '127.0.0.1')}/users/org_z`);
  }

  it('replaces a local guard in a test of a controller alone', async () => {
    const builder = Test.createTestingModule({ controllers: [GuardedController] });
    builder.overrideGuard(ApiKeyGuard).useValue(provideVerifiedKey(KEY));
    expect(await ask(builder)).toMatchObject({ status: 200, body: SEEN });
  });

  it('guards a controller alone whose app has a global guard, as a provider', async () => {
    const builder = Test.createTestingModule({
      controllers: [PlainController],
      providers: [provideVerifiedKey(KEY)],
    });
    expect(await ask(builder)).toMatchObject({ status: 200, body: SEEN });
  });

  it('replaces the global guard of a whole app, and the boot check counts it', async () => {
    @Module({ imports: [KindeApiKeyModule.forRoot({ globalGuard: true })], controllers: [PlainController] })
    class AppModule {}
    const builder = Test.createTestingModule({ imports: [AppModule] });
    KindeApiKeyTestingModule.replaceKinde(builder);
    builder.overrideProvider(ApiKeyGuard).useValue(provideVerifiedKey(KEY));
    expect(await ask(builder)).toMatchObject({ status: 200, body: SEEN });
  });

  it('replaces a local guard in a whole app', async () => {
    @Module({ imports: [KindeApiKeyModule.forRoot()], controllers: [GuardedController] })
    class AppModule {}
    const builder = Test.createTestingModule({ imports: [AppModule] });
    KindeApiKeyTestingModule.replaceKinde(builder);
    builder.overrideGuard(ApiKeyGuard).useValue(provideVerifiedKey(KEY));
    expect(await ask(builder)).toMatchObject({ status: 200, body: SEEN });
  });

  it('is no key to the guard of a registration', async () => {
    const builder = Test.createTestingModule({
      imports: [KindeApiKeyTestingModule.forRoot()],
      controllers: [GuardedController],
      providers: [provideVerifiedKey(KEY)],
    });
    expect(await ask(builder)).toMatchObject({ status: 401, body: { code: 'MISSING_KEY' } });
  });
});

describe('provideVerifiedKey()', () => {
  it('lets a message pass that is not HTTP, and does not write to its data', () => {
    const data = Object.freeze({});
    const context = new ExecutionContextHost([data]);
    context.setType('rpc');
    expect(provideVerifiedKey(KEY).canActivate(context)).toBe(true);
    expect(Reflect.ownKeys(data)).toEqual([]);
  });
});

describe('withApiKey()', () => {
  it('returns the request, with the key on it and on the raw request of Fastify', () => {
    const request = { raw: {} };
    expect(withApiKey(request, { orgCode: 'org_a' })).toBe(request);
    expect(getVerifiedApiKey(request)).toMatchObject({ orgCode: 'org_a' });
    expect(getVerifiedApiKey(request.raw)).toMatchObject({ orgCode: 'org_a' });
  });

  it.each([
    [{}, 'environment'],
    [{ orgCode: 'org_a' }, 'organization'],
    [{ orgCode: 'org_a', userId: 'kp_1' }, 'user'],
  ])('completes %j to a frozen key of an owner of type %s', (fields, ownerType) => {
    const apiKey = getVerifiedApiKey(withApiKey({}, fields));
    expect(apiKey).toEqual({
      keyId: 'api_key_test',
      scopes: [],
      orgCode: null,
      userId: null,
      lastVerifiedOn: null,
      verificationCount: null,
      ownerType,
      ...fields,
    });
    expect(Object.isFrozen(apiKey) && Object.isFrozen(apiKey?.scopes)).toBe(true);
  });

  it('makes the key the principal of the request', () => {
    const request = withApiKey({}, { orgCode: 'org_a' });
    expect(getPrincipal(request)).toMatchObject({ kind: 'api_key', id: 'api_key_test', orgCode: 'org_a' });
  });

  it('replaces the key of a request that has one', () => {
    const request = withApiKey(withApiKey({}, { keyId: 'api_key_1' }), { keyId: 'api_key_2' });
    expect(getVerifiedApiKey(request)?.keyId).toBe('api_key_2');
  });
});
