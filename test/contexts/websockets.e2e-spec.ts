import { UseGuards } from '@nestjs/common';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  AnyValidKey,
  ApiKeyGuard,
  ApiKeyVerificationService,
  CurrentApiKey,
  getVerifiedApiKey,
  OrgScoped,
  PublicRoute,
  RateLimit,
  RequireScopes,
  ScopedResource,
  type ApiKeyDecision,
  type KindeApiKeyOptions,
  type VerifiedApiKey,
} from 'nestjs-kinde-api-key';
import { ADAPTERS, startScenario, type Scenario } from '../support/scenario.js';
import { PLATFORMS, type SocketClient } from './support/socket-clients.js';

const BAD_KEY = 'k_live_bad_00000000000';
const answer = (data: unknown) => ({ event: 'answer', data });

@WebSocketGateway()
@UseGuards(ApiKeyGuard)
class ReportsGateway {
  @SubscribeMessage('open')
  @PublicRoute()
  open(@CurrentApiKey() apiKey: VerifiedApiKey | undefined) {
    return answer(apiKey ?? 'no key');
  }

  @SubscribeMessage('keyId')
  @AnyValidKey()
  keyId(@CurrentApiKey() apiKey: VerifiedApiKey, @ConnectedSocket() client: object) {
    return answer([apiKey.keyId, getVerifiedApiKey(client)?.keyId]);
  }

  @SubscribeMessage('scoped')
  @RequireScopes('read:reports')
  scoped() {
    return answer('scoped');
  }

  @SubscribeMessage('ofOrganization')
  @OrgScoped({ arg: 'orgCode' })
  ofOrganization(@MessageBody() { orgCode }: { orgCode: string }) {
    return answer(orgCode);
  }

  @SubscribeMessage('loaded')
  @OrgScoped({ resolve: async (_context, { orgCode }) => ({ orgCode, resource: 'loaded' }) })
  loaded(@ScopedResource() resource: string) {
    return answer(resource);
  }

  @SubscribeMessage('limited')
  @AnyValidKey()
  @RateLimit({ limit: 2, windowMs: 60_000 })
  limited() {
    return answer('within the limit');
  }
}

const CELLS = PLATFORMS.flatMap(([name, platform]) => ADAPTERS.map((adapter) => [name, adapter, platform] as const));

describe.each(CELLS)('a gateway of %s on %s', (name, adapter, platform) => {
  let scenario: Scenario;
  const decisions: ApiKeyDecision[] = [];
  const clients: SocketClient[] = [];

  const start = (options: KindeApiKeyOptions = {}) =>
    startScenario({
      adapter,
      providers: [ReportsGateway],
      options: { onDecision: (decision) => decisions.push(decision), ...options },
      prepare: (app) => platform.use(app),
    });
  const connect = async (key?: string, { url } = scenario): Promise<SocketClient> => {
    const client = await platform.connect(url, key ? { authorization: `Bearer ${key}` } : {});
    clients.push(client);
    return client;
  };
  const newKey = (scopes: string[] = []) => scenario.emulator.createKey({ scopes, orgCode: 'org_a' });

  beforeAll(async () => {
    scenario = await start();
  });
  afterAll(() => scenario.close());
  beforeEach(() => {
    decisions.length = 0;
    scenario.emulator.clearFaults();
    scenario.emulator.resetCounters();
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });

  it('reads the key once, when the connection is opened, and verifies it once', async () => {
    const { key, keyId } = newKey(['read:reports']);
    const client = await connect(key);
    expect(await client.ask('keyId')).toEqual(answer([keyId, keyId]));
    expect(await client.ask('keyId', 'a text')).toEqual(answer([keyId, keyId]));
    expect(await client.ask('scoped', { any: 'payload' })).toEqual(answer('scoped'));
    expect(await client.ask('ofOrganization', { orgCode: 'org_a' })).toEqual(answer('org_a'));
    expect(await client.ask('loaded', {})).toEqual(answer('loaded'));
    expect(scenario.emulator.counters.verifies).toBe(1);
    expect(decisions.map(({ outcome, cached }) => [outcome, cached])).toEqual([
      ['accepted', false],
      ...Array.from({ length: 4 }, () => ['accepted', true]),
    ]);
  });

  it('knows no key in a public handler', async () => {
    const client = await connect(newKey().key);
    await client.ask('keyId');
    expect(await client.ask('open')).toEqual(answer('no key'));
    expect(await client.ask('open', {})).toEqual(answer('no key'));
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

  it.each<[string, () => string | undefined, string, object | undefined, object]>([
    ['no key', () => undefined, 'keyId', undefined, { statusCode: 401, code: 'MISSING_KEY' }],
    ['a bad key', () => BAD_KEY, 'keyId', undefined, { statusCode: 401, code: 'INVALID_KEY' }],
    ['a malformed key', () => 'short', 'keyId', undefined, { statusCode: 400, code: 'MALFORMED_REQUEST' }],
    ['a revoked key', revoked, 'keyId', undefined, { statusCode: 401, code: 'KEY_REVOKED' }],
    [
      'a missing scope',
      () => newKey().key,
      'scoped',
      {},
      { statusCode: 403, code: 'INSUFFICIENT_SCOPE', required_scopes: ['read:reports'] },
    ],
    ['another organization', () => newKey().key, 'ofOrganization', { orgCode: 'org_b' }, { code: 'ORG_MISMATCH' }],
    ['no organization', () => newKey().key, 'ofOrganization', { other: 1 }, { code: 'ORG_MISMATCH' }],
    [
      'an inherited one',
      () => newKey().key,
      'ofOrganization',
      { ['__proto__']: { orgCode: 'org_a' } },
      { code: 'ORG_MISMATCH' },
    ],
    [
      'Kinde down',
      kindeDown,
      'keyId',
      undefined,
      { code: 'VERIFICATION_UNAVAILABLE', retry_after: expect.any(Number) },
    ],
  ])('refuses %s with an exception event', async (_case, keyOf, event, payload, body) => {
    const client = await connect(keyOf());
    expect(await client.ask(event, payload)).toMatchObject({
      event: 'exception',
      data: { statusCode: expect.any(Number), error: expect.any(String), message: expect.any(String), ...body },
    });
    expect(decisions).toMatchObject([{ outcome: 'refused' }]);
  });

  it('refuses messages over the limit, and says when to come back', async () => {
    const client = await connect(newKey().key);
    expect(await client.ask('limited')).toEqual(answer('within the limit'));
    expect(await client.ask('limited', {})).toEqual(answer('within the limit'));
    expect(await client.ask('limited')).toMatchObject({
      event: 'exception',
      data: { statusCode: 429, code: 'RATE_LIMITED', retry_after: 60 },
    });
  });

  it('refuses the next message of a key that is revoked and invalidated', async () => {
    const { key, keyId } = newKey();
    const client = await connect(key);
    expect(await client.ask('keyId')).toEqual(answer([keyId, keyId]));
    scenario.emulator.revokeKey(keyId);
    expect(await client.ask('keyId')).toEqual(answer([keyId, keyId]));
    const unused = await connect(key);
    await scenario.app.get(ApiKeyVerificationService).invalidate({ keyId });
    await client.closed;
    expect(await unused.ask('keyId')).toMatchObject({ event: 'exception', data: { code: 'KEY_REVOKED' } });
  });

  it('closes the sockets of a key that is invalidated, with a reason, and no others', async () => {
    const { key, keyId } = newKey();
    const other = newKey();
    const [first, second, ofOther, unused] = await Promise.all([key, key, other.key, key].map((one) => connect(one)));
    for (const client of [first, second, ofOther]) await client?.ask('keyId');
    await scenario.app.get(ApiKeyVerificationService).invalidate({ keyId });
    const reason = name === 'ws' ? 'API key invalidated' : 'io server disconnect';
    expect(await Promise.all([first?.closed, second?.closed])).toEqual([reason, reason]);
    expect(await ofOther?.ask('keyId')).toEqual(answer([other.keyId, other.keyId]));
    expect(await unused?.ask('keyId')).toEqual(answer([keyId, keyId]));
    await scenario.app.get(ApiKeyVerificationService).invalidate({ orgCode: 'org_a' });
    expect(await Promise.all([ofOther?.closed, unused?.closed])).toEqual([reason, reason]);
  });

  it('verifies the key again when the cached answer is too old', async () => {
    const { key, keyId } = newKey();
    const client = await connect(key);
    await client.ask('keyId');
    scenario.emulator.revokeKey(keyId);
    scenario.clock.advance(300_000);
    expect(await client.ask('keyId')).toMatchObject({ event: 'exception', data: { code: 'KEY_REVOKED' } });
  });

  it('answers each client by its own key, with messages at the same time', async () => {
    const keys = [newKey(), newKey(), newKey()];
    const all = await Promise.all(keys.map(({ key }) => connect(key)));
    const answers = await Promise.all(all.map((client) => client.ask('keyId')));
    expect(answers).toEqual(keys.map(({ keyId }) => answer([keyId, keyId])));
  });

  it('hides what belongs to another organization', async () => {
    const hiding = await start({ hideExistence: true });
    const { key } = hiding.emulator.createKey({ orgCode: 'org_a' });
    const client = await connect(key, hiding);
    const { data } = await client.ask('ofOrganization', { orgCode: 'org_b' });
    expect(data).toEqual({ statusCode: 404, error: 'Not Found', message: 'Not Found', code: 'NOT_FOUND' });
    client.close();
    await hiding.close();
  });

  if (name === 'socket.io')
    it('accepts the key of socket.io in auth, under the name of its header, and refuses two', async () => {
      const { key, keyId } = newKey();
      const client = await platform.connect(scenario.url, {}, { authorization: `Bearer ${key}` });
      const both = await platform.connect(
        scenario.url,
        { authorization: `Bearer ${key}` },
        { authorization: `Bearer ${key}` },
      );
      clients.push(client, both);
      expect(await client.ask('keyId')).toEqual(answer([keyId, keyId]));
      expect(await both.ask('keyId')).toMatchObject({ event: 'exception', data: { code: 'MALFORMED_REQUEST' } });
    });
});
