import { createServer, type AddressInfo } from 'node:net';
import { Controller, Logger, UseGuards } from '@nestjs/common';
import { ClientProxyFactory, EventPattern, MessagePattern, Payload, Transport } from '@nestjs/microservices';
import type { ClientProxy, MicroserviceOptions } from '@nestjs/microservices';
import {
  AnyValidKey,
  ApiKeyGuard,
  ApiKeyProblemDetailsFilter,
  ApiKeyVerificationService,
  CurrentApiKey,
  OrgScoped,
  PublicRoute,
  RateLimit,
  RequireScopes,
  type ApiKeyDecision,
  type KindeApiKeyOptions,
  type VerifiedApiKey,
} from 'nestjs-kinde-api-key';
import { firstValueFrom } from 'rxjs';
import { describeAdapters, startScenario, type Scenario } from '../support/scenario.js';

const BAD_KEY = 'k_live_bad_00000000000';
const heard: string[] = [];

@Controller()
@UseGuards(ApiKeyGuard)
class ReportsController {
  @MessagePattern('open')
  @PublicRoute()
  open() {
    return 'open';
  }

  @MessagePattern('keyId')
  @AnyValidKey()
  keyId(@CurrentApiKey() apiKey: VerifiedApiKey) {
    return apiKey.keyId;
  }

  @MessagePattern('scoped')
  @RequireScopes('read:reports')
  scoped() {
    return 'scoped';
  }

  @MessagePattern('ofOrganization')
  @OrgScoped({ arg: 'orgCode' })
  ofOrganization(@Payload() { orgCode }: { orgCode: string }) {
    return orgCode;
  }

  @MessagePattern('limited')
  @AnyValidKey()
  @RateLimit({ limit: 1, windowMs: 60_000 })
  limited() {
    return 'within the limit';
  }

  @EventPattern('event')
  @AnyValidKey()
  event(@CurrentApiKey() apiKey: VerifiedApiKey) {
    heard.push(apiKey.keyId);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describeAdapters('a microservice beside HTTP', (adapter) => {
  let scenario: Scenario;
  let client: ClientProxy;
  const decisions: ApiKeyDecision[] = [];

  const start = async (options: KindeApiKeyOptions) => {
    const connection = { transport: Transport.TCP, options: { host: '127.0.0.1', port: await freePort() } } as const;
    const started = await startScenario({
      adapter,
      controllers: [ReportsController],
      options: { onDecision: (decision) => decisions.push(decision), ...options },
      prepare: (app) => {
        app.useGlobalFilters(new ApiKeyProblemDetailsFilter());
        app.connectMicroservice<MicroserviceOptions>(connection, { inheritAppConfig: true });
      },
    });
    await started.app.startAllMicroservices();
    return { started, sender: ClientProxyFactory.create(connection) };
  };
  const rpcCredential = ({ apiKey }: { apiKey?: string }) => apiKey;

  beforeAll(async () => {
    ({ started: scenario, sender: client } = await start({ rpcCredential }));
  });
  afterAll(async () => {
    await client.close();
    await scenario.close();
  });
  beforeEach(() => {
    decisions.length = 0;
    scenario.emulator.clearFaults();
    scenario.emulator.resetCounters();
  });

  /** Returns the answer, or what the caller is told instead. */
  const ask = (pattern: string, data: object, sender = client): Promise<unknown> =>
    firstValueFrom(sender.send<unknown>(pattern, data)).catch((error: unknown) => error);
  const newKey = (scopes: string[] = []) => scenario.emulator.createKey({ scopes, orgCode: 'org_a' });

  it('answers messages of a good key, with or without its scheme', async () => {
    const { key: apiKey, keyId } = newKey(['read:reports']);
    expect(await ask('open', {})).toBe('open');
    expect(await ask('keyId', { apiKey })).toBe(keyId);
    expect(await ask('keyId', { apiKey: `Bearer ${apiKey}` })).toBe(keyId);
    expect(await ask('scoped', { apiKey })).toBe('scoped');
    expect(await ask('ofOrganization', { apiKey, orgCode: 'org_a' })).toBe('org_a');
    expect(scenario.emulator.counters.verifies).toBe(1);
    expect(decisions).toHaveLength(4);
  });

  const revoked = () => {
    const { key, keyId } = newKey();
    scenario.emulator.revokeKey(keyId);
    return key;
  };
  const kindeDown = () => {
    scenario.emulator.failUntilCleared(500);
    return newKey().key;
  };

  it.each<[string, string, () => unknown, object]>([
    ['no key', 'keyId', () => undefined, { statusCode: 401, code: 'MISSING_KEY' }],
    ['a bad key', 'keyId', () => BAD_KEY, { statusCode: 401, code: 'INVALID_KEY' }],
    ['a malformed key', 'keyId', () => 'short', { statusCode: 400, code: 'MALFORMED_REQUEST' }],
    ['a key that is no text', 'keyId', () => [newKey().key], { statusCode: 400, code: 'MALFORMED_REQUEST' }],
    ['a revoked key', 'keyId', revoked, { statusCode: 401, code: 'KEY_REVOKED' }],
    [
      'a missing scope',
      'scoped',
      () => newKey().key,
      { code: 'INSUFFICIENT_SCOPE', required_scopes: ['read:reports'] },
    ],
    ['another organization', 'ofOrganization', () => newKey().key, { statusCode: 403, code: 'ORG_MISMATCH' }],
    ['Kinde down', 'keyId', kindeDown, { code: 'VERIFICATION_UNAVAILABLE', retry_after: expect.any(Number) }],
  ])('refuses %s', async (_case, pattern, keyOf, told) => {
    expect(await ask(pattern, { apiKey: keyOf(), orgCode: 'org_b' })).toMatchObject({
      statusCode: expect.any(Number),
      error: expect.any(String),
      message: expect.any(String),
      ...told,
    });
    expect(decisions).toMatchObject([{ outcome: 'refused' }]);
  });

  it('refuses messages over the limit', async () => {
    const { key: apiKey } = newKey();
    expect(await ask('limited', { apiKey })).toBe('within the limit');
    expect(await ask('limited', { apiKey })).toMatchObject({ statusCode: 429, code: 'RATE_LIMITED', retry_after: 60 });
  });

  it('refuses a key that is revoked and invalidated', async () => {
    const { key: apiKey, keyId } = newKey();
    expect(await ask('keyId', { apiKey })).toBe(keyId);
    scenario.emulator.revokeKey(keyId);
    await scenario.app.get(ApiKeyVerificationService).invalidate({ keyId });
    expect(await ask('keyId', { apiKey })).toMatchObject({ code: 'KEY_REVOKED' });
  });

  it('answers each message by its own key, with messages at the same time', async () => {
    const keys = Array.from({ length: 10 }, () => newKey());
    expect(await Promise.all(keys.map(({ key: apiKey }) => ask('keyId', { apiKey })))).toEqual(
      keys.map(({ keyId }) => keyId),
    );
  });

  it('hears events of good keys alone', async () => {
    const { key: apiKey, keyId } = newKey();
    await firstValueFrom(client.emit('event', { apiKey: BAD_KEY }), { defaultValue: undefined });
    await firstValueFrom(client.emit('event', { apiKey }), { defaultValue: undefined });
    // A message over the same connection, answered after both.
    while (heard.length === 0) await ask('keyId', { apiKey });
    expect(heard.splice(0)).toEqual([keyId]);
  });

  it('refuses every message without the option rpcCredential', async () => {
    const { started, sender } = await start({});
    const { key: apiKey } = started.emulator.createKey();
    expect(await ask('keyId', { apiKey }, sender)).toMatchObject({ statusCode: 500, code: 'UNSUPPORTED_CONTEXT' });
    expect(await ask('open', {}, sender)).toBe('open');
    await sender.close();
    await started.close();
  });

  it.each<[string, () => Promise<string>]>([
    ['a promise', async () => 'k_live_1234567890abcdef'],
    ['a promise that fails', async () => Promise.reject(new Error('k_live_1234567890abcdef'))],
  ])('refuses every message if rpcCredential returns %s, says so, and goes on', async (_what, promised) => {
    const lines = jest.spyOn(Logger.prototype, 'error').mockReturnValue();
    const rpcCredential = promised as unknown as NonNullable<KindeApiKeyOptions['rpcCredential']>;
    const { started, sender } = await start({ rpcCredential });
    expect(await ask('keyId', {}, sender)).toMatchObject({ statusCode: 500, code: 'UNSUPPORTED_CONTEXT' });
    expect(lines).toHaveBeenCalledWith(
      'ReportsController.keyId was refused: the option rpcCredential returned a promise: let it return the text of the key',
    );
    await sender.close();
    await started.close();
  });
});
