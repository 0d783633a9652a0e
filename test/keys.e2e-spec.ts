import { Controller, Get } from '@nestjs/common';
import {
  AnyValidKey,
  ApiKeysService,
  KindeApiKeyManagementError,
  RequireScopes,
  type ApiKeySummary,
} from 'nestjs-kinde-api-key';
import { Relay } from './support/relay.js';
import { describeAdapters, startScenario, type Scenario, type ScenarioOptions } from './support/scenario.js';

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

interface Keyed extends Scenario {
  readonly keys: ApiKeysService;
}

async function startKeyed(overrides: Partial<ScenarioOptions> = {}): Promise<Keyed> {
  const scenario = await startScenario({
    adapter: 'express',
    controllers: [KeyedController],
    ...overrides,
    options: { globalGuard: true, kinde: { timeoutMs: 1_000, retries: 1 }, ...overrides.options },
  });
  return { ...scenario, keys: scenario.app.get(ApiKeysService) };
}

/** Returns the error of a call that must fail. */
async function failureOf(call: Promise<unknown>): Promise<KindeApiKeyManagementError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof KindeApiKeyManagementError)) throw new Error(`not a management error: ${String(error)}`);
  return error;
}

async function all(keys: AsyncIterable<ApiKeySummary>): Promise<ApiKeySummary[]> {
  const found: ApiKeySummary[] = [];
  for await (const key of keys) found.push(key);
  return found;
}

const ORGANIZATION = { name: 'CI', scopes: ['read:users'], owner: { orgCode: 'org_a' } } as const;

describeAdapters('ApiKeysService', (adapter) => {
  let keyed: Keyed;
  beforeEach(async () => {
    keyed = await startKeyed({ adapter });
  });
  afterEach(() => keyed.close());

  it('creates a key that is accepted at once, with its scopes and owner', async () => {
    const { keyId, key } = await keyed.keys.create(ORGANIZATION);
    expect(await keyed.get('/users', key)).toMatchObject({ status: 200 });
    expect(keyed.emulator.getKey(keyId)).toMatchObject({
      name: 'CI',
      type: 'organization',
      orgCode: 'org_a',
      userId: null,
      scopes: ['read:users'],
      apiIds: [keyed.emulator.apiId],
    });
  });

  it('rotates a key: the next request with the old secret gets 401, and the new secret is accepted', async () => {
    const { keyId, key } = await keyed.keys.create(ORGANIZATION);
    expect(await keyed.get('/any', key)).toMatchObject({ status: 200 });
    const rotated = await keyed.keys.rotate(keyId);
    expect(rotated).toEqual({ keyId, key: expect.not.stringMatching(key) as unknown });
    expect(await keyed.get('/any', key)).toMatchObject({ status: 401, body: { code: 'INVALID_KEY' } });
    expect(await keyed.get('/any', rotated.key)).toMatchObject({ status: 200 });
  });

  it('revokes a key: the next request with it gets 401, without a wait', async () => {
    const { keyId, key } = await keyed.keys.create(ORGANIZATION);
    expect(await keyed.get('/any', key)).toMatchObject({ status: 200 });
    await keyed.keys.revoke(keyId);
    expect(await keyed.get('/any', key)).toMatchObject({ status: 401, body: { code: 'KEY_REVOKED' } });
    await expect(keyed.keys.revoke(keyId)).resolves.toBeUndefined();
  });

  it('does not accept the answer to a verify call that was sent before the key was revoked', async () => {
    const { keyId, key } = await keyed.keys.create(ORGANIZATION);
    let answer = (): void => undefined;
    keyed.emulator.failNext({ holdUntil: new Promise<void>((resolve) => (answer = resolve)) }, 'verify');
    const request = keyed.get('/any', key);
    while (keyed.emulator.counters.verifies === 0) await new Promise((resolve) => setImmediate(resolve));
    await keyed.keys.revoke(keyId);
    answer();
    expect(await request).toMatchObject({ status: 401, body: { code: 'KEY_REVOKED' } });
  });
});

void Relay;
void failureOf;
void all;
