import { redisStore, type RedisClient } from 'nestjs-kinde-api-key/redis';
import { describeSharedStore } from 'nestjs-kinde-api-key/testing';
import { CLIENTS, connectClient } from '../support/redis-clients.js';
import { describeRedis, RedisServer } from '../support/redis-server.js';

describeRedis('redisStore', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server.stop());

  for (const [name, connect] of Object.entries(CLIENTS)) {
    describeSharedStore(name, { describe, it }, async () => {
      const clients = [await connect(server.port), await connect(server.port)];
      const [one, other] = clients.map(({ client }) => redisStore({ client, timeoutMs: 2_000 }));
      if (!one || !other) throw new Error('two clients are needed');
      return { stores: [one, other], tearDown: async () => clients.forEach((client) => client.close()) };
    });
  }

  it('takes nothing else for a client', () => {
    for (const client of [undefined, null, {}, 'redis://127.0.0.1', { sendCommand() {}, isOpen: true }])
      expect(() => redisStore({ client: client as unknown as RedisClient })).toThrow(
        'takes a client of ioredis 5 or 6',
      );
  });

  it.each([0, 4, 5_001, 1.5, Number.NaN])('takes no deadline of %p ms', async (timeoutMs) => {
    const connected = await connectClient(server.port);
    expect(() => redisStore({ client: connected.client, timeoutMs })).toThrow('from 5 to 5000');
    connected.close();
  });
});
