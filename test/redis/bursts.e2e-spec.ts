import { KindeEmulator } from 'nestjs-kinde-api-key/testing';
import { until } from '../support/instances.js';
import { sendBurst, startProcesses, type InstanceProcess } from '../support/processes.js';
import { CLIENTS, connectClient, type TestClient } from '../support/redis-clients.js';
import { describeRedis, RedisServer } from '../support/redis-server.js';

describeRedis('eight processes with the default timeoutMs, all client libraries among them,', () => {
  let kinde: KindeEmulator;
  let redis: RedisServer;
  let inspector: TestClient;
  let processes: readonly InstanceProcess[];

  beforeAll(async () => {
    [kinde, redis] = await Promise.all([KindeEmulator.start(), RedisServer.start()]);
    inspector = await connectClient(redis.port);
    processes = await startProcesses(8, kinde, { port: redis.port, clients: Object.keys(CLIENTS), timeoutMs: 50 });
  }, 120_000);
  afterAll(async () => {
    redis.thaw();
    await Promise.all(processes.map((process) => process.stop()));
    inspector.close();
    await kinde.stop();
    await redis.stop();
  });

  it('accept exactly 100 of 1,000 concurrent requests when the limit is 100 a minute, again and again', async () => {
    for (let times = 0; times < 3; times += 1)
      expect(await sendBurst(processes, kinde, 1_000)).toEqual({ accepted: 100, limited: 900 });
  });

  it('accept their shares of the limit, 96 of 1,000 requests, while Redis does not answer', async () => {
    // Each process counts the others once a second: all have done so after all were there.
    const [name = ''] = (await inspector.command('KEYS', '*:instances')) as string[];
    const newest = async () =>
      ((await inspector.command('ZREVRANGE', name, '0', '0', 'WITHSCORES')) as string[])[1] ?? '';
    const sinceMs = await newest();
    await until(async () => (await inspector.command('ZCOUNT', name, `(${sinceMs}`, '+inf')) === 8);
    redis.freeze();
    expect(await sendBurst(processes, kinde, 1_000)).toEqual({ accepted: 96, limited: 904 });
    redis.thaw();
  });
});
