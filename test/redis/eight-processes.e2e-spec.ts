import { KindeEmulator } from 'nestjs-kinde-api-key/testing';
import { send } from '../support/http.js';
import { until } from '../support/instances.js';
import { startProcesses, type InstanceProcess } from '../support/processes.js';
import { CLIENTS } from '../support/redis-clients.js';
import { describeRedis, RedisServer } from '../support/redis-server.js';

describeRedis('eight processes that share a Redis', () => {
  let kinde: KindeEmulator;
  let redis: RedisServer;
  let processes: readonly InstanceProcess[];

  beforeAll(async () => {
    [kinde, redis] = await Promise.all([KindeEmulator.start(), RedisServer.start()]);
    // The longest deadline: eight processes on two cores wait for each other.
    processes = await startProcesses(8, kinde, { port: redis.port, clients: Object.keys(CLIENTS), timeoutMs: 5_000 });
  }, 120_000);
  afterAll(async () => {
    await Promise.all(processes.map((process) => process.stop()));
    await kinde.stop();
    await redis.stop();
  });

  const get = ({ url }: InstanceProcess, key: string, path = '/protected') =>
    send(url + path, { headers: { authorization: `Bearer ${key}` } });

  it('fetch one M2M token when all of them start at the same time', async () => {
    const answers = await Promise.all(
      processes.flatMap((process) => [1, 2, 3, 4].map(() => get(process, kinde.createKey().key))),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(32).fill(200));
    expect(kinde.counters.mints).toBe(1);
  });

  it('ask Kinde once about a key', async () => {
    const { key } = kinde.createKey();
    const before = kinde.counters.verifies;
    for (const process of processes) expect(await get(process, key)).toMatchObject({ status: 200 });
    expect(kinde.counters.verifies).toBe(before + 1);
  });

  it('ask Kinde once about each of 50 keys that arrive at all of them at once', async () => {
    const keys = Array.from({ length: 50 }, () => kinde.createKey().key);
    const before = kinde.counters.verifies;
    const answers = await Promise.all(keys.flatMap((key) => processes.map((process) => get(process, key))));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(kinde.counters.verifies).toBe(before + 50);
  });

  it('all refuse an invalidated key under load, and never accept it again', async () => {
    const { key, keyId } = kinde.createKey();
    const statuses: number[][] = processes.map(() => []);
    let isOver = false;
    const load = processes.map(async (process, index) => {
      while (!isOver) statuses[index]?.push((await get(process, key)).status);
    });
    const all = (isSo: (seen: readonly number[]) => boolean) => until(() => statuses.every(isSo));
    await all((seen) => seen.length >= 5);
    kinde.revokeKey(keyId);
    await send(`${processes[3]?.url}/invalidate/${keyId}`, { method: 'POST' });
    await all((seen) => seen.includes(401));
    await all((seen) => seen.length - seen.indexOf(401) >= 20);
    isOver = true;
    await Promise.all(load);
    for (const seen of statuses) {
      const [accepted, refused] = [seen.slice(0, seen.indexOf(401)), seen.slice(seen.indexOf(401))];
      expect(new Set(accepted)).toEqual(new Set([200]));
      expect(new Set(refused)).toEqual(new Set([401]));
    }
  });
});
