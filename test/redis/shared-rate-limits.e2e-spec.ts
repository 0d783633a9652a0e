import { redisStore } from 'nestjs-kinde-api-key/redis';
import { TestClock } from 'nestjs-kinde-api-key/testing';
import fc from 'fast-check';
import type { RateDecision } from '../../libs/kinde-api-key/src/rate-limit/rate-limit-store.js';
import { SharedState } from '../../libs/kinde-api-key/src/shared/shared-state.js';
import { until } from '../support/instances.js';
import { connectClient, type TestClient } from '../support/redis-clients.js';
import { describeRedis, RedisServer } from '../support/redis-server.js';

const IDENTITY = {
  origin: 'https://acme.kinde.com',
  clientId: 'client',
  clientSecret: 'secret',
  audience: 'audience',
  apiId: null,
  timeoutMs: 2_000,
  maxAcceptedAgeMs: 300_000,
};
const SCOPE = 'Users.find';
const LOCAL: RateDecision = { accepted: true, limit: 7, remaining: 6, resetAfterMs: 1 };

describeRedis('rate limits in Redis', () => {
  let server: RedisServer;
  let connected: TestClient;
  beforeAll(async () => {
    server = await RedisServer.start();
    connected = await connectClient(server.port);
  });
  afterAll(async () => {
    connected.close();
    await server.stop();
  });

  /** Limits as one instance has them. The default deadline is one that a busy machine does not exceed. */
  function limits(limitsOnOutage: 'local' | 'refuse' = 'local', timeoutMs = 5_000) {
    const store = redisStore({ client: connected.client, timeoutMs, limitsOnOutage });
    return new SharedState(store, IDENTITY, new TestClock(), { warn() {} }).rateLimits({ take: () => LOCAL });
  }
  const names = async () => (await connected.command('KEYS', 'nkak:*')) as string[];

  it('accept exactly the limit of 1,000 concurrent requests', async () => {
    const rates = limits();
    const all = await Promise.all(Array.from({ length: 1_000 }, async () => rates.take(SCOPE, 'one key', 100, 60_000)));
    expect(all.filter(({ accepted }) => accepted)).toHaveLength(100);
    expect(all.every(({ limit }) => limit === 100)).toBe(true);
  });

  it('accept at most the limit in any window and refuse no request too early, on any schedule', async () => {
    const WINDOW_MS = 1_000;
    let bucket = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.integer({ min: 0, max: 120 }), { minLength: 10, maxLength: 25 }),
        async (limit, pausesMs) => {
          bucket += 1;
          const rates = [limits(), limits()];
          const name = `schedule ${bucket}`;
          const accepted: { from: number; to: number }[] = [];
          for (const [index, pauseMs] of pausesMs.entries()) {
            await new Promise((resolve) => setTimeout(resolve, pauseMs));
            const from = performance.now();
            const decision = await (rates[index % 2] as (typeof rates)[number]).take(SCOPE, name, limit, WINDOW_MS);
            const to = performance.now();
            // The server reads its clock at some moment between the two.
            const surely = accepted.filter((earlier) => earlier.to > from - WINDOW_MS && to - earlier.from < WINDOW_MS);
            const perhaps = accepted.filter((earlier) => earlier.to > from - WINDOW_MS - 1);
            if (decision.accepted) expect(surely.length).toBeLessThan(limit);
            else expect(perhaps.length).toBeGreaterThanOrEqual(limit);
            if (decision.accepted) accepted.push({ from, to });
          }
        },
      ),
      { numRuns: 4, endOnFailure: true },
    );
  }, 60_000);

  it('count keys, scopes and windows separately', async () => {
    const rates = limits();
    for (const [scope, keyId, windowMs] of [
      ['*', 'a', 1_000],
      ['*', 'b', 1_000],
      ['Users.find', 'a', 1_000],
      ['*', 'a', 2_000],
    ] as const)
      expect(await rates.take(scope, keyId, 1, windowMs)).toMatchObject({ accepted: true });
    expect(await rates.take('*', 'a', 1, 1_000)).toMatchObject({ accepted: false, remaining: 0 });
  });

  it('keep at most as many times as the limit, and delete them after the window', async () => {
    await connected.command('FLUSHALL');
    const rates = limits();
    for (let times = 0; times < 50; times += 1) await rates.take(SCOPE, 'a key', 10, 1_000);
    const [name = ''] = await names();
    expect(await connected.command('LLEN', name)).toBe(10);
    await until(async () => (await names()).length === 0);
  });

  it('count in each instance or refuse while Redis does not answer, as limitsOnOutage says', async () => {
    const [local, refusing] = [limits('local', 50), limits('refuse', 50)];
    server.freeze();
    expect(await local.take(SCOPE, 'a key', 7, 60_000)).toEqual(LOCAL);
    const refused = { accepted: false, limit: 7, remaining: 0, resetAfterMs: 5_000 };
    expect(await refusing.take(SCOPE, 'a key', 7, 60_000)).toEqual(refused);
    const takes = () => connected.sent.filter((name) => name.startsWith('EVAL')).length;
    const before = takes();
    for (let times = 0; times < 100; times += 1) await local.take(SCOPE, 'a key', 7, 60_000);
    expect(takes()).toBe(before);
    server.thaw();
    await until(async () => (await local.take(SCOPE, 'a key', 7, 60_000)) !== LOCAL);
    await until(async () => (await refusing.take(SCOPE, 'another', 7, 60_000)).accepted);
  });

  it.each(['RPUSH', 'LPUSH'])('drop times beyond now and 2 s from a bucket (%s): it accepts requests', async (push) => {
    const rates = limits();
    await connected.command('FLUSHALL');
    await rates.take(SCOPE, 'a key', 7, 60_000);
    const [name = ''] = await names();
    const future = Array<string>(20).fill(`${(Date.now() + 86_400_000) * 1_000}`);
    await connected.command(push, name, ...future);
    expect(await rates.take(SCOPE, 'a key', 7, 60_000)).toMatchObject({ accepted: true, remaining: 5 });
    expect(await connected.command('LLEN', name)).toBe(2);
  });

  it('count in this instance when a bucket in Redis holds something else', async () => {
    const rates = limits();
    await connected.command('FLUSHALL');
    await rates.take(SCOPE, 'a key', 7, 60_000);
    const [name = ''] = await names();
    await connected.command('SET', name, 'garbage');
    expect(await rates.take(SCOPE, 'a key', 7, 60_000)).toEqual(LOCAL);
    await connected.command('DEL', name);
    await connected.command('RPUSH', name, 'garbage');
    expect(await rates.take(SCOPE, 'a key', 7, 60_000)).toEqual(LOCAL);
  });
});
