import { Controller, Get, Req, UseGuards, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import {
  AnyValidKey,
  ApiKeyGuard,
  ApiKeyVerificationService,
  CurrentApiKey,
  getVerifiedApiKey,
  OrgCode,
  PublicRoute,
  RequireScopes,
  ScopedResource,
  UserId,
  type ApiKeyDecision,
  type VerifiedApiKey,
} from 'nestjs-kinde-api-key';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';

@Controller()
@UseGuards(ApiKeyGuard)
class EchoController {
  @Get('whoami')
  @AnyValidKey()
  whoAmI(
    @CurrentApiKey() apiKey: unknown,
    @OrgCode() orgCode: unknown,
    @UserId() userId: unknown,
    @Req() request: unknown,
  ) {
    return {
      apiKey,
      orgCode,
      userId,
      sameObject: getVerifiedApiKey(request) === apiKey,
      frozen: isDeepFrozen(apiKey as VerifiedApiKey),
    };
  }

  @Get('open')
  @PublicRoute()
  open(
    @CurrentApiKey() apiKey: unknown,
    @OrgCode() orgCode: unknown,
    @UserId() userId: unknown,
    @ScopedResource() resource: unknown,
  ) {
    return { undefined: [apiKey, orgCode, userId, resource].every((value) => value === undefined) };
  }

  @Get('scoped')
  @RequireScopes('read:users')
  scoped(): string {
    return 'ok';
  }
}

function isDeepFrozen(apiKey: VerifiedApiKey): boolean {
  return Object.isFrozen(apiKey) && Object.isFrozen(apiKey.scopes);
}

describeAdapters('an accepted request', (adapter) => {
  let scenario: Scenario;
  const decisions: ApiKeyDecision[] = [];

  beforeEach(async () => {
    decisions.length = 0;
    scenario = await startScenario({
      adapter,
      controllers: [EchoController],
      providers: [{ provide: APP_GUARD, useExisting: ApiKeyGuard }],
      options: { onDecision: (decision) => decisions.push(decision) },
    });
  });
  afterEach(() => scenario.close());

  it('gives the verified key to the handler', async () => {
    const { keyId, key } = scenario.emulator.createKey({ scopes: ['read:users'], orgCode: 'org_a', userId: 'kp_1' });
    const { status, body } = await scenario.get('/whoami', key);
    expect(status).toBe(200);
    expect(body).toEqual({
      apiKey: {
        keyId,
        scopes: ['read:users'],
        orgCode: 'org_a',
        userId: 'kp_1',
        ownerType: 'user',
        lastVerifiedOn: expect.any(String),
        verificationCount: 1,
      },
      orgCode: 'org_a',
      userId: 'kp_1',
      sameObject: true,
      frozen: true,
    });
  });

  it('needs no key on a public route, and ignores a key that is sent', async () => {
    for (const key of [undefined, 'k_live_unknown_to_the_emulator']) {
      expect(await scenario.get('/open', key)).toMatchObject({ status: 200, body: { undefined: true } });
    }
    expect(scenario.emulator.counters.requests).toBe(0);
    expect(decisions).toEqual([]);
  });

  it('costs one verify call and one token request for a hundred concurrent requests with a new key, and no call afterwards', async () => {
    const { key } = scenario.emulator.createKey({ scopes: ['read:users'] });
    const cold = await Promise.all(Array.from({ length: 100 }, () => scenario.get('/scoped', key)));
    expect(cold.every(({ status }) => status === 200)).toBe(true);
    expect(scenario.emulator.counters).toMatchObject({ verifies: 1, mints: 1, requests: 2 });
    const warm = await Promise.all(Array.from({ length: 100 }, () => scenario.get('/scoped', key)));
    expect(warm.every(({ status }) => status === 200)).toBe(true);
    expect(scenario.emulator.counters.requests).toBe(2);
  });

  it('may write the scheme in upper or lower case', async () => {
    const { key } = scenario.emulator.createKey({ scopes: ['read:users'] });
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      const { status } = await scenario.send('/scoped', { headers: { AUTHORIZATION: `${scheme} ${key}` } });
      expect(status).toBe(200);
    }
  });

  it('is verified and reported once when a global guard and @UseGuards both apply', async () => {
    const { keyId, key } = scenario.emulator.createKey({ scopes: ['read:users'], orgCode: 'org_a' });
    await scenario.get('/scoped', key);
    const accepted = {
      outcome: 'accepted',
      code: null,
      route: 'EchoController.scoped',
      keyId,
      orgCode: 'org_a',
      userId: null,
      principal: { kind: 'api_key', id: keyId },
      required: {
        scopes: ['read:users'],
        anyOf: [],
        organization: false,
        user: false,
        keysOnly: false,
        maxAgeMs: null,
      },
      latencyMs: expect.any(Number) as number,
    };
    expect(decisions).toEqual([{ ...accepted, cached: false, source: 'kinde' }]);
    await scenario.get('/scoped', key);
    expect(decisions.slice(1)).toEqual([{ ...accepted, cached: true, source: 'memory' }]);
  });

  it('gets true instead of a promise from canActivate() when the key is cached', async () => {
    const { key } = scenario.emulator.createKey({ scopes: ['read:users'] });
    const guard = scenario.app.get(ApiKeyGuard);
    await scenario.app.get(ApiKeyVerificationService).verify(key);
    const request = { headers: {}, rawHeaders: ['Authorization', `Bearer ${key}`] };
    const context = {
      getType: () => 'http',
      getClass: () => EchoController,
      getHandler: () => EchoController.prototype.scoped,
      switchToHttp: () => ({ getRequest: () => request, getResponse: () => ({}) }),
    } as unknown as ExecutionContext;
    expect((guard as CanActivate).canActivate(context)).toBe(true);
  });

  it('is not delayed or broken by an onDecision listener that throws or rejects', async () => {
    await scenario.close();
    for (const onDecision of [
      () => {
        throw new Error('listener');
      },
      () => Promise.reject(new Error('listener')),
    ]) {
      scenario = await startScenario({ adapter, controllers: [EchoController], options: { onDecision } });
      const { key } = scenario.emulator.createKey({ scopes: ['read:users'] });
      expect(await scenario.get('/scoped', key)).toMatchObject({ status: 200 });
      await scenario.close();
    }
  });
});
