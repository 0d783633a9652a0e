import { Cluster as Cluster6, Redis as Ioredis6 } from 'ioredis';
import { Cluster as Cluster5, Redis as Ioredis5 } from 'ioredis5';
import { createCluster, createSentinel } from 'redis';
import { SharedSecrets } from '../../libs/kinde-api-key/src/shared/shared-secrets.js';
import { describeRedis } from '../support/redis-server.js';
import { RedisTopology } from '../support/redis-topologies.js';
import { connected, expectSharingEventually, IDENTITY, start, type Connect } from '../support/sharing-instances.js';

describeRedis('two instances share again', () => {
  let topology: RedisTopology;
  beforeEach(() => void (topology = new RedisTopology()));
  afterEach(() => topology.stop());

  /** Checks that two instances with each client share before and after the fault. */
  async function expectSurvives(clients: Readonly<Record<string, Connect>>, cause: () => unknown): Promise<void> {
    const all = await Promise.all(Object.values(clients).map(start));
    try {
      for (const started of all) await expectSharingEventually(started);
      await cause();
      for (const started of all) await expectSharingEventually(started);
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

  it('over a Cluster of three masters with a replica each, after the one with the invalidations was killed', async () => {
    const ports = await topology.cluster({ replicas: 1 });
    const nodes = ports.map((port) => ({ host: '127.0.0.1', port }));
    const rootNodes = ports.map((port) => ({ url: `redis://127.0.0.1:${port}` }));
    const clients: Record<string, Connect> = {
      'ioredis 5': () => new Cluster5(nodes),
      'ioredis 6': () => new Cluster6(nodes),
      // Not node-redis 5: it goes on asking the old master.
      'node-redis 6': () => connected(createCluster({ rootNodes })),
    };
    const master = topology.masterOf(new SharedSecrets(IDENTITY).invalidations, ports[0] ?? 0);
    await expectSurvives(clients, () => topology.kill(master));
  });
});
