import { Agent } from 'node:http';
import { inspect } from 'node:util';
import { newVerifier, unknownKey } from '../../../../test/support/key-verifier.js';
import { failureOf, startKeysService } from '../../../../test/support/keys-service.js';
import { Relay, type RelayMode } from '../../../../test/support/relay.js';
import { ApiKeysService } from '../keys/api-keys.service.js';
import { KindeEmulator, TestClock, type KindeEmulatorFault, type KindeEmulatorOptions } from '../testing/index.js';
import { AxiosKindeHttp, unsharedHttpService } from './axios-http.js';

const INPUT = { name: 'CI', scopes: ['read:users'], owner: { orgCode: 'org_a' } } as const;
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(options: Parameters<typeof startKeysService>[0] = {}, emulator: KindeEmulatorOptions = {}) {
  const started = await startKeysService(options, emulator);
  cleanups.push(started.stop);
  return started;
}

describe('a call without its permission', () => {
  it.each([
    ['list', 'read:api_keys', ['create:api_keys'], (keys: ApiKeysService) => keys.list().next()],
    ['get', 'read:api_keys', [], (keys: ApiKeysService, keyId: string) => keys.get(keyId)],
    ['create', 'create:api_keys', ['read:apis'], (keys: ApiKeysService) => keys.create(INPUT)],
    ['create, for scopes', 'read:apis', ['create:api_keys'], (keys: ApiKeysService) => keys.create(INPUT)],
    [
      'create, for scopes of a given API',
      'read:api_scopes',
      ['create:api_keys', 'read:apis'],
      (keys: ApiKeysService) => keys.create({ ...INPUT, apiId: 'api_1' }),
    ],
    ['rotate', 'update:api_keys', ['read:api_keys'], (keys: ApiKeysService, keyId: string) => keys.rotate(keyId)],
    ['revoke', 'delete:api_keys', ['read:api_keys'], (keys: ApiKeysService, keyId: string) => keys.revoke(keyId)],
  ] as const)('names, for %s, the scope %s and where to grant it', async (_name, scope, scopes, call) => {
    const { kinde, keys } = await start({}, { scopes });
    const failure = await failureOf(call(keys, kinde.createKey().keyId));
    expect(failure).toMatchObject({ code: 'PERMISSION_MISSING', isOutcomeUnknown: false });
    expect(failure.message).toContain(scope);
    expect(failure.message).toContain('Kinde > Settings > Applications');
    expect(failure.retryAfterSeconds).toBeGreaterThanOrEqual(1);
  });

  it('succeeds once the scope is granted, without a restart', async () => {
    const { kinde, keys, clock } = await start({}, { scopes: ['read:api_keys'] });
    const { keyId } = kinde.createKey();
    await keys.get(keyId);
    expect(await failureOf(keys.revoke(keyId))).toMatchObject({ code: 'PERMISSION_MISSING', retryAfterSeconds: 60 });
    kinde.changeApplication({ scopes: ['read:api_keys', 'delete:api_keys'] });
    expect(await failureOf(keys.revoke(keyId))).toMatchObject({ code: 'PERMISSION_MISSING' });
    clock.advance(60_000);
    await keys.revoke(keyId);
    expect(kinde.getKey(keyId)).toMatchObject({ status: 'revoked' });
  });

  it('succeeds at once for another scope that is granted later', async () => {
    const { kinde, keys, clock } = await start({}, { scopes: [] });
    const { keyId } = kinde.createKey();
    await failureOf(keys.get(keyId));
    clock.advance(60_000);
    kinde.changeApplication({ scopes: ['read:api_keys'] });
    await keys.get(keyId);
    kinde.changeApplication({ scopes: ['read:api_keys', 'update:api_keys'] });
    await expect(keys.rotate(keyId)).resolves.toMatchObject({ keyId });
  });

  it('shares one new token with calls that are rejected at the same time, and with one whose rejection arrives late', async () => {
    const { kinde, keys } = await start({}, { scopes: ['read:api_keys'] });
    const ids = [1, 2, 3].map(() => kinde.createKey().keyId);
    await keys.get(ids[0] ?? '');
    let release = (): void => {};
    kinde.failNext({ holdUntil: new Promise<void>((resolve) => (release = resolve)) }, 'keys');
    const late = keys.revoke(ids[0] ?? '');
    await kinde.nextRequest('keys');
    kinde.changeApplication({ scopes: ['read:api_keys', 'delete:api_keys'] });
    await Promise.all(ids.slice(1).map((keyId) => keys.revoke(keyId)));
    release();
    await late;
    expect(kinde.counters.mints).toBe(2);
  });

  it('mints ever fewer tokens for the same missing scope: Kinde bills them', async () => {
    const { kinde, keys, clock } = await start({}, { scopes: ['read:api_keys'] });
    const { keyId } = kinde.createKey();
    for (let minute = 0; minute < 8; minute += 1) {
      for (let call = 0; call < 3; call += 1) await failureOf(keys.revoke(keyId));
      clock.advance(60_000);
    }
    // The first, and those after 0, 1, 3 and 7 minutes.
    expect(kinde.counters.mints).toBe(5);
  });

  it('does not keep verifications from renewing a token that Kinde has revoked', async () => {
    const { kinde, keys, verify } = await start({}, { scopes: ['read:api_keys'] });
    const { keyId, key } = kinde.createKey();
    await failureOf(keys.revoke(keyId));
    await failureOf(keys.revoke(keyId));
    kinde.revokeTokens();
    await expect(verify(key)).resolves.toMatchObject({ verdict: { accepted: true } });
  });

  it.each([403, 401])('is recognized by the claims of the token, where Kinde only answers %d', async (status) => {
    const { kinde, keys } = await start({}, { scopes: ['read:api_keys'] });
    const { keyId } = kinde.createKey();
    const body = { errors: [{ code: 'FORBIDDEN', message: 'Forbidden' }] };
    kinde.failUntilCleared({ status, body }, 'keys');
    expect(await failureOf(keys.revoke(keyId))).toMatchObject({ code: 'PERMISSION_MISSING' });
  });
});

describe('a call with a token that Kinde rejects', () => {
  it('is sent again with a new token', async () => {
    const { kinde, keys } = await start();
    const { keyId } = kinde.createKey();
    await keys.get(keyId);
    kinde.revokeTokens();
    const { key } = await keys.create(INPUT);
    expect(key).toMatch(/^k_live_/);
    expect(kinde.counters.mints).toBe(2);
  });

  it('is sent again with a new token once a minute, as long as that helps', async () => {
    const { kinde, keys, clock } = await start();
    const { keyId } = kinde.createKey();
    for (let minute = 0; minute < 4; minute += 1) {
      await keys.get(keyId);
      kinde.revokeTokens();
      clock.advance(60_000);
    }
    expect(kinde.counters.mints).toBe(4);
  });

  it('ends with UNAVAILABLE when Kinde rejects the call and accepts the token, without another token', async () => {
    const { kinde, keys, verify } = await start();
    const { keyId, key } = kinde.createKey();
    await keys.get(keyId);
    kinde.failNext(401, 'keys');
    expect(await failureOf(keys.revoke(keyId))).toMatchObject({ code: 'UNAVAILABLE', isOutcomeUnknown: false });
    expect(kinde.counters.mints).toBe(1);
    await expect(verify(key)).resolves.toMatchObject({ verdict: { accepted: true } });
  });

  it('ends with UNAVAILABLE when Kinde rejects the new token as well', async () => {
    const { kinde, keys } = await start();
    const { keyId } = kinde.createKey();
    kinde.failUntilCleared(401, 'keys');
    for (let call = 0; call < 5; call += 1)
      expect(await failureOf(keys.revoke(keyId))).toMatchObject({ code: 'UNAVAILABLE' });
    expect(kinde.counters.mints).toBe(2);
  });

  it('ends with UNAVAILABLE, and names the cure, when the credentials are wrong', async () => {
    const { kinde, keys } = await start();
    kinde.changeApplication({ clientSecret: 'rotated' });
    const failure = await failureOf(keys.list().next());
    expect(failure).toMatchObject({ code: 'UNAVAILABLE', retryAfterSeconds: 10 });
    expect(failure.message).toContain('invalid_client');
  });
});

describe('a call during an outage', () => {
  it('is THROTTLED after a 429, for as long as Kinde asks', async () => {
    const { kinde, keys, clock } = await start();
    kinde.failNext({ status: 429, rateLimitReset: 7 }, 'keys');
    const failure = await failureOf(keys.create(INPUT));
    expect(failure).toMatchObject({ code: 'THROTTLED', retryAfterSeconds: 7, isOutcomeUnknown: false });
    const { requests } = kinde.counters;
    expect(await failureOf(keys.get('api_key_1'))).toMatchObject({ code: 'THROTTLED', retryAfterSeconds: 7 });
    expect(kinde.counters.requests).toBe(requests);
    clock.advance(7_000);
    await keys.create(INPUT);
  });

  const faults: [what: string, fault: KindeEmulatorFault][] = [
    ['a 500', 500],
    ['a 503', 503],
    ['a 409', 409],
    ['a 422', 422],
    ['a redirect', { redirect: 'https://example.com/' }],
    ['a page of a proxy', { status: 200, body: '<html></html>', headers: { 'content-type': 'text/html' } }],
    ['a 404 of a proxy', { status: 404, body: '<html></html>', headers: { 'content-type': 'text/html' } }],
    ['a 404 about the route', { status: 404, body: { errors: { code: 'ROUTE_NOT_FOUND', message: 'x' } } }],
    ['a 204', { status: 204, body: '' }],
    ['JSON of an unknown shape', { status: 200, body: { success: true } }],
    ['broken JSON', { malformed: true }],
    ['a cut answer', { truncated: true }],
    ['an endless answer', { endless: true }],
    ['a reset', { reset: true }],
    ['no answer', { hang: true }],
  ];
  it.each(faults)('is UNAVAILABLE after %s', async (_what, fault) => {
    const { kinde, keys } = await start({ timeoutMs: 400 });
    const { keyId } = kinde.createKey();
    await keys.get(keyId);
    kinde.failUntilCleared(fault, 'keys');
    for (const read of [() => keys.list().next(), () => keys.get(keyId)])
      expect(await failureOf(read())).toMatchObject({ code: 'UNAVAILABLE', isOutcomeUnknown: false });
    for (const change of [() => keys.rotate(keyId), () => keys.revoke(keyId)])
      expect(await failureOf(change())).toMatchObject({ code: 'UNAVAILABLE', isOutcomeUnknown: true });
  });

  it.each(faults)('is sent once, if it creates a key, before %s', async (_what, fault) => {
    const { kinde, keys } = await start({ timeoutMs: 400, retries: 3 });
    kinde.failUntilCleared(fault, 'keys');
    const failure = await failureOf(keys.create(INPUT));
    expect(failure).toMatchObject({ code: 'UNAVAILABLE', isOutcomeUnknown: true });
    expect(failure.message).toContain('may have been created');
    expect(failure.message).toContain('list()');
    expect(kinde.counters.changes).toBe(1);
  });

  it.each(['rotate', 'revoke'] as const)('is retried for %s only if a second call changes nothing', async (method) => {
    const { kinde, keys } = await start({ retries: 1 });
    const { keyId } = kinde.createKey();
    kinde.failNext(503, 'keys');
    const result = await keys[method](keyId).catch((error: unknown) => error);
    expect(kinde.counters.changes).toBe(method === 'rotate' ? 1 : 2);
    if (method === 'revoke') expect(result).toBeUndefined();
    else expect(result).toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('stays unknown when the answer to a revocation is lost and the retry is throttled', async () => {
    const { kinde, keys } = await start({ retries: 1 });
    const { keyId } = kinde.createKey();
    kinde.failNext(503, 'keys');
    kinde.failNext(429, 'keys');
    expect(await failureOf(keys.revoke(keyId))).toMatchObject({ code: 'UNAVAILABLE', isOutcomeUnknown: true });
  });

  it('is retried if it reads', async () => {
    const { kinde, keys } = await start({ retries: 1 });
    kinde.failNext(503, 'keys');
    await expect(keys.get(kinde.createKey().keyId)).resolves.toMatchObject({ status: 'active' });
  });

  it('was not sent, and says so, while the circuit is open', async () => {
    const { kinde, keys, verify } = await start();
    const { keyId } = kinde.createKey();
    kinde.failUntilCleared(500);
    for (let call = 0; call < 10; call += 1) await verify(unknownKey(call)).catch(() => undefined);
    const { requests } = kinde.counters;
    expect(await failureOf(keys.rotate(keyId))).toMatchObject({ code: 'UNAVAILABLE', isOutcomeUnknown: false });
    expect(kinde.counters.requests).toBe(requests);
  });

  it('does not open the circuit: Kinde may still verify keys', async () => {
    const { kinde, keys, verify } = await start({ retries: 0 });
    const { keyId, key } = kinde.createKey();
    kinde.failUntilCleared(500, 'keys');
    for (let call = 0; call < 12; call += 1) await failureOf(call % 2 === 0 ? keys.get(keyId) : keys.create(INPUT));
    await expect(verify(key)).resolves.toMatchObject({ verdict: { accepted: true } });
  });

  it('does not close the circuit, which verifications opened', async () => {
    const { kinde, keys, clock, verify } = await start({ retries: 0 });
    const { keyId } = kinde.createKey();
    await keys.get(keyId);
    kinde.failUntilCleared(500, 'verify');
    for (let call = 0; call < 10; call += 1) await verify(unknownKey(call)).catch(() => undefined);
    clock.advance(1_000);
    await keys.get(keyId);
    const { verifies } = kinde.counters;
    await Promise.all([1, 2, 3].map((call) => verify(unknownKey(call)).catch(() => undefined)));
    expect(kinde.counters.verifies).toBe(verifies + 1);
  });

  it('is UNAVAILABLE after the app has shut down', async () => {
    const { keys, verifier } = await start();
    verifier.close();
    expect(await failureOf(keys.get('api_key_1'))).toMatchObject({ code: 'UNAVAILABLE', isOutcomeUnknown: false });
  });
});

describe('a connection that died unnoticed', () => {
  async function startBehindRelay(http: ConstructorParameters<typeof AxiosKindeHttp>[1] = {}) {
    const kinde = await KindeEmulator.start();
    const relay = await Relay.start(Number(new URL(kinde.domain).port));
    const clock = new TestClock();
    const { verifier } = newVerifier(kinde, clock, {
      origin: relay.origin,
      audience: `${kinde.domain}/api`,
      timeoutMs: 1_000,
      http: new AxiosKindeHttp(unsharedHttpService(), http, 100),
    });
    cleanups.push(
      () => kinde.stop(),
      () => relay.stop(),
      () => verifier.close(),
    );
    const keys = new ApiKeysService(
      verifier.management,
      { invalidate: () => Promise.resolve() },
      { clock, log: { error() {} } },
    );
    return { kinde, relay, keys };
  }

  it.each<RelayMode>(['reset', 'close', 'silent'])('is not used to create a key (%s)', async (mode) => {
    const { kinde, relay, keys } = await startBehindRelay();
    await keys.list().next();
    relay.breakOpen(mode);
    await keys.create({ ...INPUT, scopes: [], apiId: kinde.apiId });
    expect(kinde.counters.changes).toBe(1);
    await keys.list().next();
  });

  it.each<RelayMode>(['reset', 'close', 'silent'])(
    "does not make a call that creates a key be sent twice where the app's own agent keeps it (%s)",
    async (mode) => {
      const httpAgent = new Agent({ keepAlive: true });
      cleanups.push(() => httpAgent.destroy());
      const { kinde, relay, keys } = await startBehindRelay({ httpAgent });
      await keys.list().next();
      const { opened } = relay;
      relay.breakOpen(mode);
      const input = { ...INPUT, scopes: [], apiId: kinde.apiId };
      expect(await failureOf(keys.create(input))).toMatchObject({ code: 'UNAVAILABLE', isOutcomeUnknown: true });
      expect(relay.opened).toBe(opened);
      expect(kinde.counters.changes).toBe(0);
    },
  );
});

describe('many calls', () => {
  it('are sent four at a time, so that they cannot hold the connections of verifications', async () => {
    const { kinde, keys, verify } = await start({ timeoutMs: 10_000 });
    const { keyId, key } = kinde.createKey();
    await verify(key);
    kinde.resetCounters();
    let release = (): void => {};
    kinde.failUntilCleared({ holdUntil: new Promise<void>((resolve) => (release = resolve)) }, 'keys');
    const reads = Array.from({ length: 30 }, () => keys.get(keyId));
    while (kinde.counters.reads < 3) await kinde.nextRequest('keys');
    // A change need not wait for them.
    const changed = keys.revoke(keyId);
    while (kinde.counters.changes === 0) await kinde.nextRequest('keys');
    await expect(verify(key, 'known')).resolves.toMatchObject({ verdict: { accepted: false } });
    expect(kinde.counters).toMatchObject({ reads: 3, changes: 1, verifies: 1 });
    kinde.clearFaults();
    release();
    await changed;
    await Promise.all(reads);
  });

  it('fail beyond a hundred that wait, without a call', async () => {
    const { kinde, keys, verifier } = await start();
    kinde.failUntilCleared({ hang: true });
    const calls = Array.from({ length: 120 }, () => failureOf(keys.get('api_key_1')));
    const first = await Promise.race(calls);
    expect(first).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('wait') as unknown });
    verifier.close();
    await Promise.all(calls);
  });
});

describe('secrets', () => {
  it('are in no error and no part of the service that can be inspected', async () => {
    const { kinde, keys } = await start();
    const { key } = await keys.create(INPUT);
    kinde.failUntilCleared({ status: 400, echo: true, headers: { 'content-type': 'application/json' } }, 'keys');
    const failure = await failureOf(keys.create(INPUT));
    const seen = inspect([failure, keys], { depth: Infinity, showHidden: true, getters: true });
    for (const secret of [key, kinde.credentials.clientSecret, 'Bearer']) expect(seen).not.toContain(secret);
  });
});
