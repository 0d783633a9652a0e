import { KindeEmulator } from 'nestjs-kinde-api-key/testing';
import { send } from '../support/http.js';
import { startProcesses, type InstanceProcess } from '../support/processes.js';
import { describeRedis, RedisServer } from '../support/redis-server.js';

describeRedis('eight processes', () => {
  let kinde: KindeEmulator;
  let redis: RedisServer;
  let instances: readonly InstanceProcess[];

  beforeAll(async () => {
    [kinde, redis] = await Promise.all([KindeEmulator.start(), RedisServer.start()]);
    instances = await startProcesses(8, kinde, redis.port);
  }, 120_000);
  afterAll(async () => {
    await Promise.all(instances.map((instance) => instance.stop()));
    await kinde.stop();
    await redis.stop();
  });

  const ask = ({ url }: InstanceProcess, key: string) =>
    send(`${url}/protected`, { headers: { authorization: `Bearer ${key}` } });

  it('that start cold at once fetch one M2M token', async () => {
    const answers = await Promise.all(
      instances.flatMap((instance) => [1, 2, 3, 4].map(() => ask(instance, kinde.createKey().key))),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(32).fill(200));
    expect(kinde.counters.mints).toBe(1);
  });

  it('ask Kinde once about a key that one of them has asked about', async () => {
    const { key } = kinde.createKey();
    const before = kinde.counters.verifies;
    for (const instance of instances) expect(await ask(instance, key)).toMatchObject({ status: 200 });
    expect(kinde.counters.verifies).toBe(before + 1);
  });

  it('accept a key on none of them from 100 ms after it was invalidated', async () => {
    const { key, keyId } = kinde.createKey();
    await Promise.all(instances.map((instance) => ask(instance, key)));
    const seen: { startedAtMs: number; status: number }[] = [];
    let isOver = false;
    const load = instances.map(async (instance) => {
      while (!isOver) {
        const startedAtMs = performance.now();
        const { status } = await ask(instance, key);
        seen.push({ startedAtMs, status });
      }
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    kinde.revokeKey(keyId);
    await send(`${instances[3]?.url}/invalidate/${keyId}`, { method: 'POST' });
    const invalidatedAtMs = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 500));
    isOver = true;
    await Promise.all(load);
    const late = seen.filter(({ startedAtMs }) => startedAtMs >= invalidatedAtMs + 100);
    expect(seen.filter(({ status }) => status === 200).length).toBeGreaterThan(8);
    expect(late.length).toBeGreaterThan(8);
    expect(late.filter(({ status }) => status !== 401)).toEqual([]);
  });

  it('let exactly 100 of 1,000 requests pass that come at once, where 100 a minute are allowed', async () => {
    const { key } = kinde.createKey();
    await Promise.all(instances.map((instance) => ask(instance, key)));
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) =>
        send(`${instances[index % instances.length]?.url}/limited`, { headers: { authorization: `Bearer ${key}` } }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(100);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(900);
  });
});
