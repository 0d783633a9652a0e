import { readFileSync } from 'node:fs';
import { Cluster as Cluster6, Redis as Ioredis6 } from 'ioredis';
import { Cluster as Cluster5, Redis as Ioredis5 } from 'ioredis5';
import { redisStore, type RedisClient } from 'nestjs-kinde-api-key/redis';
import { TestClock } from 'nestjs-kinde-api-key/testing';
import * as nodeRedis6 from 'redis';
import * as nodeRedis5 from 'redis5';
import { SharedState } from '../../libs/kinde-api-key/src/shared/shared-state.js';
import { connectClient, type TestClient } from '../support/redis-clients.js';
import { describeRedis, RedisServer } from '../support/redis-server.js';
import { RedisTopology } from '../support/redis-topologies.js';
import { connected, expectSharing, IDENTITY, start, type Connect } from '../support/sharing-instances.js';

async function expectWorks(connect: Connect): Promise<void> {
  const started = await start(connect);
  try {
    await expectSharing(started);
    expect(started.warnings).toEqual([]);
  } finally {
    await started.stop();
  }
}

describeRedis('two instances share over one Redis', () => {
  let server: RedisServer;
  let inspector: TestClient;
  beforeAll(async () => {
    server = await RedisServer.start();
    inspector = await connectClient(server.port);
    // No catch-up: what an instance learns, it learns from the message.
    const all = ['~*', '&*', '+@all'];
    await inspector.command('ACL', 'SETUSER', 'app', 'on', '>secret', ...all);
    await inspector.command(
      'ACL',
      'SETUSER',
      'least',
      'on',
      '>secret',
      '~nkak:*',
      '&nkak:*',
      '+@read',
      '+@write',
      '+@scripting',
      '+@pubsub',
      '+@connection',
      '+info',
      '+time',
    );
    await inspector.command(
      'ACL',
      'SETUSER',
      'reader',
      'on',
      '>secret',
      '~*',
      '&*',
      '+@read',
      '+@connection',
      '+info',
      '+@pubsub',
      '+info',
    );
    await inspector.command('ACL', 'SETUSER', 'timeless', 'on', '>secret', '~*', '&*', '+@all', '-time');
    await inspector.command('ACL', 'SETUSER', 'deaf', 'on', '>secret', '~*', 'resetchannels', '+@all');
  });
  afterAll(async () => {
    inspector.close();
    await server.stop();
  });

  const ioredisOptions = {
    'a key prefix': { keyPrefix: 'app:' },
    'a database index': { db: 3 },
    'an ACL user': { username: 'app', password: 'secret' },
    'an ACL user with the least permissions': { username: 'least', password: 'secret' },
    lazyConnect: { lazyConnect: true },
    'enableOfflineQueue: false': { enableOfflineQueue: false },
    'lazyConnect and enableOfflineQueue: false': { lazyConnect: true, enableOfflineQueue: false },
    enableAutoPipelining: { enableAutoPipelining: true },
    stringNumbers: { stringNumbers: true },
    'a key prefix and auto-pipelining': { keyPrefix: 'app:', enableAutoPipelining: true },
  };
  describe.each(Object.entries(ioredisOptions))('with ioredis and %s', (_name, options) => {
    it('5', () => expectWorks(() => new Ioredis5(server.port, '127.0.0.1', options)));
    it('6', () => expectWorks(() => new Ioredis6(server.port, '127.0.0.1', options)));
  });

  const nodeRedisOptions = {
    'a database index': { database: 3 },
    'an ACL user': { username: 'app', password: 'secret' },
    'an ACL user with the least permissions': { username: 'least', password: 'secret' },
    disableOfflineQueue: { disableOfflineQueue: true },
    'a key prefix': { keyPrefix: 'app:' },
    'RESP 2': { RESP: 2 as const },
    'RESP 3': { RESP: 3 as const },
  };
  describe.each(Object.entries(nodeRedisOptions))('with node-redis and %s', (_name, options) => {
    const socket = () => ({ host: '127.0.0.1', port: server.port });
    it('5', () => expectWorks(() => connected(nodeRedis5.createClient({ socket: socket(), ...options }))));
    it('6', () => expectWorks(() => connected(nodeRedis6.createClient({ socket: socket(), ...options }))));
  });

  const forbidden = {
    'a read-only user': 'reader',
    'a user without channels': 'deaf',
    'a user who may not run TIME in scripts': 'timeless',
  };
  describe.each(Object.entries(forbidden))('not with %s: the boot stops with a sentence', (_name, username) => {
    it('ioredis', async () => {
      const client = () => new Ioredis6(server.port, '127.0.0.1', { username, password: 'secret' });
      await expect(start(client)).rejects.toThrow(/Redis user .* may not do what the store needs \(NOPERM\)/);
    });
    it('node-redis', async () => {
      const socket = { host: '127.0.0.1', port: server.port };
      const client = () => connected(nodeRedis6.createClient({ socket, username, password: 'secret' }));
      await expect(start(client)).rejects.toThrow(/Redis user .* may not do what the store needs \(NOPERM\)/);
    });
  });
});

describeRedis('two instances share over', () => {
  let topology: RedisTopology;
  beforeEach(() => void (topology = new RedisTopology()));
  afterEach(() => topology.stop());

  const clusters: Record<string, (ports: readonly number[]) => Connect> = {
    'ioredis 5': (ports) => () => new Cluster5(ports.map((port) => ({ host: '127.0.0.1', port }))),
    'ioredis 6': (ports) => () => new Cluster6(ports.map((port) => ({ host: '127.0.0.1', port }))),
    'ioredis 6 with a key prefix': (ports) => () =>
      new Cluster6(
        ports.map((port) => ({ host: '127.0.0.1', port })),
        { keyPrefix: 'app:' },
      ),
    'node-redis 5': (ports) => () =>
      connected(nodeRedis5.createCluster({ rootNodes: ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })) })),
    'node-redis 6': (ports) => () =>
      connected(nodeRedis6.createCluster({ rootNodes: ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })) })),
  };
  it('a Cluster of three nodes, with every client library', async () => {
    const ports = await topology.cluster();
    for (const connect of Object.values(clusters)) await expectWorks(connect(ports));
  });

  const sentinels: Record<string, (port: number) => Connect> = {
    'ioredis 5': (port) => () => new Ioredis5({ sentinels: [{ host: '127.0.0.1', port }], name: 'main' }),
    'ioredis 6': (port) => () => new Ioredis6({ sentinels: [{ host: '127.0.0.1', port }], name: 'main' }),
    'node-redis 6': (port) => () =>
      connected(nodeRedis6.createSentinel({ name: 'main', sentinelRootNodes: [{ host: '127.0.0.1', port }] })),
  };
  it('Sentinel, with ioredis 5 and 6 and node-redis 6', async () => {
    const { sentinel } = await topology.sentinel();
    for (const connect of Object.values(sentinels)) await expectWorks(connect(sentinel));
  });

  it('TLS with a self-signed certificate, with every client library', async () => {
    const { port, certFile } = await topology.tls();
    const ca = readFileSync(certFile, 'utf8');
    const socket = { host: 'localhost', port, tls: true as const, ca };
    await expectWorks(() => new Ioredis5({ host: 'localhost', port, tls: { ca } }));
    await expectWorks(() => new Ioredis6({ host: 'localhost', port, tls: { ca } }));
    await expectWorks(() => connected(nodeRedis5.createClient({ socket })));
    await expectWorks(() => connected(nodeRedis6.createClient({ socket })));
  });

  it('no Sentinel with node-redis 5, which cannot duplicate its client: the boot stops', () => {
    const client = nodeRedis5.createSentinel({ name: 'main', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }] });
    expect(() => redisStore({ client: client as unknown as RedisClient })).toThrow('takes a client of ioredis 5 or 6');
  });
});

describe('a client with the methods of a library that it is not', () => {
  const nothing = () => undefined;
  const methods = { duplicate: () => fake(), on: nothing, subscribe: async () => undefined, disconnect: nothing };
  const fake = (more: object = {}) => ({ ...methods, ...more }) as unknown as RedisClient;
  const lookalikes: Record<string, object> = {
    'a call() that takes a list': {
      call: async (args: { map(): void }) => args.map(),
    },
    'a sendCommand() that answers something else': {
      sendCommand: async () => 'OK',
      connect: async () => undefined,
      destroy: nothing,
      isOpen: true,
    },
    'answers as bytes': { call: async () => Buffer.from('PONG') },
  };
  it.each(Object.entries(lookalikes))('stops the boot: %s', async (_name, more) => {
    const store = redisStore({ client: fake(more) });
    const state = new SharedState(store, IDENTITY, new TestClock(), { warn() {} });
    await expect(state.start()).rejects.toThrow('does not answer as ioredis and node-redis do');
  });
});
