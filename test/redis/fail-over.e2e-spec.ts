import { Redis as Ioredis6 } from 'ioredis';
import { Redis as Ioredis5 } from 'ioredis5';
import { createSentinel } from 'redis';
import { describeRedis } from '../support/redis-server.js';
import { RedisTopology } from '../support/redis-topologies.js';
import { connected, expectSharing, expectSharingAgain, start, type Connect } from '../support/sharing-instances.js';

describeRedis('two instances share again', () => {
  let topology: RedisTopology;
  beforeEach(() => void (topology = new RedisTopology()));
  afterEach(() => topology.stop());

  /** Checks that two instances with each client share before and after the fault. */
  async function expectSurvives(clients: Readonly<Record<string, Connect>>, cause: () => unknown): Promise<void> {
    const all = await Promise.all(Object.values(clients).map(start));
    try {
      for (const started of all) await expectSharing(started);
      await cause();
      for (const started of all) await expectSharingAgain(started);
    } finally {
      for (const started of all) await started.stop();
    }
  }

  describe('by Sentinel', () => {
    const clientsOf = (port: number, ioredisOptions = {}): Record<string, Connect> => {
      const [name, sentinels] = ['main', [{ host: '127.0.0.1', port }]];
      return {
        'ioredis 5': () => new Ioredis5({ name, sentinels, ...ioredisOptions }),
        'ioredis 6': () => new Ioredis6({ name, sentinels, ...ioredisOptions }),
        'node-redis 6': () => connected(createSentinel({ name, sentinelRootNodes: sentinels })),
      };
    };

    it('after the master was killed', async () => {
      const { master, sentinel } = await topology.sentinel();
      await expectSurvives(clientsOf(sentinel), () => topology.kill(master));
    });

    it('after a living master was exchanged for its replica', async () => {
      const servers = await topology.sentinel();
      await expectSurvives(clientsOf(servers.sentinel), () => topology.exchange(servers));
    });

    // Without the option, ioredis waits for a master that keeps its connections and does not answer.
    it('after the master froze, with failoverDetector in ioredis', async () => {
      const { master, sentinel } = await topology.sentinel();
      const clients = clientsOf(sentinel, { failoverDetector: true });
      await expectSurvives(clients, () => topology.freeze(master));
    });
  });
});
