import { Controller, Get, Module } from '@nestjs/common';
import {
  AnyValidKey,
  ApiKeySelfController,
  KindeApiKeyModule,
  PublicRoute,
  RateLimit,
  type ApiKeyDecision,
  type KindeApiKeyModuleExtras,
  type KindeApiKeyOptions,
  type Principal,
  type PrincipalSource,
} from 'nestjs-kinde-api-key';
import { describeAdapters, startScenario, type Scenario, type ScenarioOptions } from './support/scenario.js';

class EveryoneSource implements PrincipalSource {
  authenticate(): Principal {
    return { kind: 'session', id: 'u1', scopes: [], orgCode: null, userId: 'u1' };
  }
}

@Controller('me')
@RateLimit({ limit: 2, windowMs: 10_000 })
class OwnPathController extends ApiKeySelfController {}

@Controller('open')
@PublicRoute()
class OpenController extends ApiKeySelfController {}

@Controller('other')
class OtherController {
  @Get()
  @AnyValidKey()
  find(): string {
    return 'ok';
  }
}

const LIMIT = { rateLimit: { limit: 5, windowMs: 60_000 } };

describeAdapters('ApiKeySelfController', (adapter) => {
  let scenario: Scenario;
  let decisions: ApiKeyDecision[];

  const start = async (
    options: KindeApiKeyOptions & KindeApiKeyModuleExtras = {},
    others: Partial<ScenarioOptions> = {},
  ) => {
    decisions = [];
    scenario = await startScenario({
      adapter,
      controllers: [ApiKeySelfController],
      options: { ...options, onDecision: (decision) => void decisions.push(decision) },
      ...others,
    });
  };
  afterEach(() => scenario.close());

  it.each([
    ['organization', { orgCode: 'org_a' }, { ownerType: 'organization', orgCode: 'org_a', userId: null }],
    ['user', { userId: 'kp_1' }, { ownerType: 'user', orgCode: null, userId: 'kp_1' }],
    ['environment', {}, { ownerType: 'environment', orgCode: null, userId: null }],
  ])('tells a key of an %s its id, owner and scopes, and nothing else', async (_owner, owner, shown) => {
    await start();
    const { key, keyId } = scenario.emulator.createKey({ ...owner, scopes: ['read:users'] });
    const answer = await scenario.get('/api-key', key);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ keyId, ...shown, scopes: ['read:users'], rateLimit: null });
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(JSON.stringify([answer.body, answer.headers])).not.toContain(key);
  });

  it.each([[{}], [{ globalGuard: true as const }]])(
    'tells what is left of the limit with this request counted once: %j',
    async (extras) => {
      await start({ ...extras, ...LIMIT });
      const { key } = scenario.emulator.createKey();
      const limits: unknown[] = [];
      for (let count = 0; count < 5; count += 1) {
        limits.push(((await scenario.get('/api-key', key)).body as { rateLimit: unknown }).rateLimit);
        scenario.clock.advance(1_500);
      }
      expect(limits).toEqual([
        { limit: 5, remaining: 4, resetSeconds: 60 },
        { limit: 5, remaining: 3, resetSeconds: 59 },
        { limit: 5, remaining: 2, resetSeconds: 57 },
        { limit: 5, remaining: 1, resetSeconds: 56 },
        { limit: 5, remaining: 0, resetSeconds: 54 },
      ]);
      expect(await scenario.get('/api-key', key)).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } });
      expect(decisions).toHaveLength(6);
    },
  );

  it("tells what is left of the whole API's limit", async () => {
    await start({ ...LIMIT, globalGuard: true }, { controllers: [OtherController, ApiKeySelfController] });
    const { key } = scenario.emulator.createKey();
    await scenario.get('/other', key);
    await scenario.get('/other', key);
    expect(await scenario.get('/api-key', key)).toMatchObject({ body: { rateLimit: { remaining: 2 } } });
  });

  it('answers under the path and with the limit of a subclass, behind the same guard', async () => {
    await start(LIMIT, { controllers: [OwnPathController] });
    const { key } = scenario.emulator.createKey();
    expect(await scenario.get('/me', key)).toMatchObject({
      status: 200,
      body: { rateLimit: { limit: 2, remaining: 1 } },
    });
    expect(await scenario.get('/me')).toMatchObject({ status: 401, body: { code: 'MISSING_KEY' } });
    expect(await scenario.get('/api-key', key)).toMatchObject({ status: 404 });
  });

  it.each([[{}], [{ globalGuard: true as const }], [{ globalGuard: { publicControllers: [ApiKeySelfController] } }]])(
    'refuses a request without a valid key: %#',
    async (extras) => {
      await start(extras);
      expect(await scenario.get('/api-key')).toMatchObject({ status: 401, body: { code: 'MISSING_KEY' } });
      expect(await scenario.get('/api-key', 'k_live_unknown_to_kinde_0')).toMatchObject({ status: 401 });
    },
  );

  it('is not public in a subclass with @PublicRoute()', async () => {
    await start({}, { controllers: [OpenController] });
    expect(await scenario.get('/open')).toMatchObject({ status: 401, body: { code: 'MISSING_KEY' } });
  });

  it('forbids every cache to keep the answer, also where another header carries the key', async () => {
    await start({ credentials: [{ header: 'x-api-key' }] });
    const { key } = scenario.emulator.createKey();
    const answer = await scenario.send('/api-key', { headers: { 'x-api-key': key } });
    expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'no-store']);
  });

  it('refuses a caller without an API key', async () => {
    await start({ principals: [EveryoneSource] }, { providers: [EveryoneSource] });
    expect(await scenario.get('/api-key')).toMatchObject({ status: 403, body: { code: 'KEY_REQUIRED' } });
  });

  it('answers in a module of its own, with a registration of its own', async () => {
    await start(LIMIT, {
      controllers: [],
      register: (emulator) => {
        const local = KindeApiKeyModule.forRoot({
          domain: emulator.domain,
          ...emulator.credentials,
          ...LIMIT,
          isGlobal: false,
        });
        @Module({ imports: [local], controllers: [ApiKeySelfController] })
        class SelfModule {}
        return [SelfModule];
      },
    });
    const { key } = scenario.emulator.createKey();
    expect(await scenario.get('/api-key', key)).toMatchObject({ status: 200, body: { rateLimit: { remaining: 4 } } });
  });
});
