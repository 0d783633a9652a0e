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
    describeSharedStore(`with ${name}`, { describe, it }, async () => {
      const clients = [await connect(server.port), await connect(server.port)];
      const [one, other] = clients.map(({ client }) => redisStore({ client, timeoutMs: 5_000 }));
      if (!one || !other) throw new Error('two clients are needed');
      return { stores: [one, other], tearDown: async () => clients.forEach((client) => client.close()) };
    });
  }

  it('rejects a client of any other shape', () => {
    for (const client of [undefined, null, {}, 'redis://127.0.0.1', { sendCommand() {}, isOpen: true }])
      expect(() => redisStore({ client: client as unknown as RedisClient })).toThrow(
        'takes a client of ioredis 5 or 6',
      );
  });

  it.each([0, 4, 5_001, 1.5, Number.NaN])('rejects a timeoutMs of %p', async (timeoutMs) => {
    const { client, close } = await connectClient(server.port);
    expect(() => redisStore({ client, timeoutMs })).toThrow('from 5 to 5000');
    close();
  });

  it("rejects a limitsOnOutage other than 'local' and 'refuse'", async () => {
    const { client, close } = await connectClient(server.port);
    expect(() => redisStore({ client, limitsOnOutage: 'accept' as 'local' })).toThrow("'local' or 'refuse'");
    close();
  });
});
