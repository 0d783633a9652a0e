import { Controller, Get } from '@nestjs/common';
import { AnyValidKey, ApiKeysService, RequireScopes } from 'nestjs-kinde-api-key';
import { allOf } from './support/keys-service.js';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';

@Controller()
class KeyedController {
  @Get('any')
  @AnyValidKey()
  any() {
    return 'ok';
  }

  @Get('users')
  @RequireScopes('read:users')
  users() {
    return 'ok';
  }
}

const ORGANIZATION = { name: 'CI', scopes: ['read:users'], owner: { orgCode: 'org_a' } } as const;

describeAdapters('ApiKeysService', (adapter) => {
  let scenario: Scenario;
  let keys: ApiKeysService;
  beforeEach(async () => {
    scenario = await startScenario({ adapter, controllers: [KeyedController], options: { globalGuard: true } });
    keys = scenario.app.get(ApiKeysService);
  });
  afterEach(() => scenario.close());

  it('creates a key that is accepted at once, with its scopes and owner', async () => {
    const { keyId, key } = await keys.create(ORGANIZATION);
    expect(await scenario.get('/users', key)).toMatchObject({ status: 200 });
    expect(scenario.emulator.getKey(keyId)).toMatchObject({
      name: 'CI',
      type: 'organization',
      orgCode: 'org_a',
      userId: null,
      scopes: ['read:users'],
      apiIds: [scenario.emulator.apiId],
    });
  });

  it('rotates a key: the next request with the old secret gets 401, and the new secret is accepted', async () => {
    const { keyId, key } = await keys.create(ORGANIZATION);
    expect(await scenario.get('/any', key)).toMatchObject({ status: 200 });
    const rotated = await keys.rotate(keyId);
    expect(rotated).toEqual({ keyId, key: expect.not.stringMatching(key) as unknown });
    expect(await scenario.get('/any', key)).toMatchObject({ status: 401, body: { code: 'INVALID_KEY' } });
    expect(await scenario.get('/any', rotated.key)).toMatchObject({ status: 200 });
  });

  it('revokes a key: the next request with it gets 401, without a wait', async () => {
    const { keyId, key } = await keys.create(ORGANIZATION);
    expect(await scenario.get('/any', key)).toMatchObject({ status: 200 });
    await keys.revoke(keyId);
    expect(await scenario.get('/any', key)).toMatchObject({ status: 401, body: { code: 'KEY_REVOKED' } });
    await expect(keys.revoke(keyId)).resolves.toBeUndefined();
  });

  it('does not accept the answer to a verify call that was sent before the key was revoked', async () => {
    const { keyId, key } = await keys.create(ORGANIZATION);
    let answer = (): void => undefined;
    scenario.emulator.failNext({ holdUntil: new Promise<void>((resolve) => (answer = resolve)) }, 'verify');
    const request = scenario.get('/any', key);
    while (scenario.emulator.counters.verifies === 0) await new Promise((resolve) => setImmediate(resolve));
    await keys.revoke(keyId);
    answer();
    expect(await request).toMatchObject({ status: 401, body: { code: 'KEY_REVOKED' } });
  });

  it('lists what a key is and when it was used', async () => {
    const { keyId, key } = await keys.create(ORGANIZATION);
    await scenario.get('/any', key);
    expect(await allOf(keys.list({ orgCode: 'org_a' }))).toMatchObject([
      {
        keyId,
        name: 'CI',
        ownerType: 'organization',
        status: 'active',
        keySuffix: key.slice(-4),
        scopes: ['read:users'],
      },
    ]);
    expect(await keys.get(keyId)).toMatchObject({ orgCode: 'org_a', verificationCount: 1 });
  });

  it('makes accepted keys wait for nothing while Kinde does not answer calls about keys', async () => {
    const { keyId, key } = await keys.create(ORGANIZATION);
    await scenario.get('/any', key);
    scenario.emulator.failUntilCleared({ hang: true }, 'keys');
    const calls = Array.from({ length: 50 }, () => keys.get(keyId).catch(() => undefined));
    expect(await scenario.get('/any', key)).toMatchObject({ status: 200 });
    expect(await scenario.get('/any', scenario.emulator.createKey().key)).toMatchObject({ status: 200 });
    scenario.emulator.clearFaults();
    await scenario.emulator.stop();
    await Promise.all(calls);
  });
});
