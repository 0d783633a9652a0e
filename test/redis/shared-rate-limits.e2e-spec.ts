import { redisStore } from 'nestjs-kinde-api-key/redis';
import { TestClock } from 'nestjs-kinde-api-key/testing';
import fc from 'fast-check';
import type { RateDecision } from '../../libs/kinde-api-key/src/rate-limit/rate-limit-store.js';
import { SharedState } from '../../libs/kinde-api-key/src/shared/shared-state.js';
import { until } from '../support/fleet.js';
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
const PLACE = 'Users.find';
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

  function limits(limitsOnOutage?: 'local' | 'refuse', timeoutMs = 50) {
    const store = redisStore({ client: connected.client, timeoutMs, ...(limitsOnOutage && { limitsOnOutage }) });
    return new SharedState(store, IDENTITY, new TestClock(), { warn() {} }).rateLimits({ take: () => LOCAL });
  }
  const keys = async () => ((await connected.command('KEYS', 'nkak:*')) as string[]).length;

  it('let exactly the limit pass out of a crowd', async () => {
    const rates = limits('local', 5_000);
    const all = await Promise.all(Array.from({ length: 1_000 }, () => rates.take(PLACE, 'one key', 100, 60_000)));
    expect(all.filter(({ accepted }) => accepted)).toHaveLength(100);
    expect(all.every(({ limit }) => limit === 100)).toBe(true);
  });

  it('never let more than the limit pass in any window, whatever the schedule, and refuse nobody too early', async () => {
    const WINDOW_MS = 1_000;
    let bucket = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.integer({ min: 0, max: 120 }), { minLength: 10, maxLength: 25 }),
        async (limit, pausesMs) => {
          bucket += 1;
          const rates = [limits('local', 5_000), limits('local', 5_000)];
          const name = `schedule ${bucket}`;
          const passed: { from: number; to: number }[] = [];
          for (const [index, pauseMs] of pausesMs.entries()) {
            await new Promise((resolve) => setTimeout(resolve, pauseMs));
            const from = performance.now();
            const { accepted } = await (rates[index % 2] as (typeof rates)[number]).take(PLACE, name, limit, WINDOW_MS);
            const to = performance.now();
            // The server's clock is read somewhere between the two.
            const surely = passed.filter((earlier) => earlier.to > from - WINDOW_MS && to - earlier.from < WINDOW_MS);
            const perhaps = passed.filter((earlier) => earlier.to > from - WINDOW_MS - 1);
            if (accepted) expect(surely.length).toBeLessThan(limit);
            else expect(perhaps.length).toBeGreaterThanOrEqual(limit);
            if (accepted) passed.push({ from, to });
          }
        },
      ),
      { numRuns: 4, endOnFailure: true },
    );
  }, 60_000);

  it('count keys, places and windows apart', async () => {
    const rates = limits();
    for (const [place, keyId, windowMs] of [
      ['*', 'a', 1_000],
      ['*', 'b', 1_000],
      ['Users.find', 'a', 1_000],
      ['*', 'a', 2_000],
    ] as const)
      expect(await rates.take(place, keyId, 1, windowMs)).toMatchObject({ accepted: true });
    expect(await rates.take('*', 'a', 1, 1_000)).toMatchObject({ accepted: false, remaining: 0 });
  });

  it('keep no more than the limit, and nothing when the window is over', async () => {
    await connected.command('FLUSHALL');
    const rates = limits();
    for (let times = 0; times < 50; times += 1) await rates.take(PLACE, 'a key', 10, 1_000);
    const [name = ''] = (await connected.command('KEYS', 'nkak:*')) as string[];
    expect(await connected.command('LLEN', name)).toBe(10);
    await until(async () => (await keys()) === 0);
  });

  it('are counted by each instance, or refused, while Redis is out of reach', async () => {
    const [local, refusing] = [limits(), limits('refuse')];
    await local.take(PLACE, 'a key', 7, 60_000);
    server.freeze();
    expect(await local.take(PLACE, 'a key', 7, 60_000)).toEqual(LOCAL);
    const refused = { accepted: false, limit: 7, remaining: 0, resetAfterMs: 5_000 };
    expect(await refusing.take(PLACE, 'a key', 7, 60_000)).toEqual(refused);
    const startedAtMs = performance.now();
    // A hundred deadlines would be five seconds.
    for (let times = 0; times < 100; times += 1) await local.take(PLACE, 'a key', 7, 60_000);
    expect(performance.now() - startedAtMs).toBeLessThan(1_000);
    server.thaw();
    await until(async () => (await local.take(PLACE, 'a key', 7, 60_000)) !== LOCAL, 10_000);
    await until(async () => (await refusing.take(PLACE, 'another', 7, 60_000)).accepted, 10_000);
  });

  it('with a bucket that holds something else count in this instance', async () => {
    const rates = limits();
    await connected.command('FLUSHALL');
    await rates.take(PLACE, 'a key', 7, 60_000);
    const [name = ''] = (await connected.command('KEYS', 'nkak:*')) as string[];
    await connected.command('SET', name, 'garbage');
    expect(await rates.take(PLACE, 'a key', 7, 60_000)).toEqual(LOCAL);
    await connected.command('DEL', name);
    await connected.command('RPUSH', name, 'garbage');
    expect(await rates.take(PLACE, 'a key', 7, 60_000)).toEqual(LOCAL);
  });
});
