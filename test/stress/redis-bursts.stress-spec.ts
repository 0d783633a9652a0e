import { KindeEmulator } from 'nestjs-kinde-api-key/testing';
import { sendBurst, startProcesses } from '../support/processes.js';
import { CLIENTS } from '../support/redis-clients.js';
import { describeRedis, RedisServer } from '../support/redis-server.js';

describeRedis(
  'twenty bursts of 1,000 concurrent requests over eight processes, with a limit of 100 and the default timeoutMs',
  () => {
    it.each(Object.keys(CLIENTS))(
      'are accepted 100 times each with %s',
      async (library) => {
        const [kinde, redis] = await Promise.all([KindeEmulator.start(), RedisServer.start()]);
        const processes = await startProcesses(8, kinde, { port: redis.port, clients: [library], timeoutMs: 50 });
        try {
          const accepted: number[] = [];
          for (let times = 0; times < 20; times += 1)
            accepted.push((await sendBurst(processes, kinde, 1_000)).accepted);
          expect(accepted).toEqual(Array(20).fill(100));
        } finally {
          await Promise.all(processes.map((process) => process.stop()));
          await kinde.stop();
          await redis.stop();
        }
      },
      240_000,
    );
  },
);
