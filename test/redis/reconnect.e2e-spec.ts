import { TestInstances, until } from '../support/instances.js';
import { CLIENTS } from '../support/redis-clients.js';
import { describeRedis } from '../support/redis-server.js';
import { Relay } from '../support/relay.js';

describeRedis('an instance whose connection to Redis is lost while commands are in flight', () => {
  let instances: TestInstances;
  let relay: Relay;
  beforeEach(async () => {
    instances = await TestInstances.start();
    relay = await Relay.start(instances.redis.port);
  });
  afterEach(async () => {
    await relay.stop();
    await instances.stop();
  });

  const verdictsInRedis = async () =>
    ((await instances.inspector.command('KEYS', '*:key:*')) as string[]).filter((name) => !name.endsWith(':claim'));

  describe.each(Object.entries(CLIENTS))('with %s,', (_name, connect) => {
    it.each(['reset', 'close'] as const)('%s: verifies with Kinde, throws nothing and shares again', async (mode) => {
      const unhandled: unknown[] = [];
      const onUnhandled = (reason: unknown): unknown => unhandled.push(reason);
      process.on('unhandledRejection', onUnhandled);
      const instance = await instances.add({}, () => connect(Number(new URL(relay.origin).port)));
      const verifyNew = () => instance.service.verify(instances.kinde.createKey().key);
      await verifyNew();
      relay.breakOpen(mode);
      const verdicts = await Promise.all(Array.from({ length: 20 }, verifyNew));
      expect(verdicts.filter(({ accepted }) => accepted)).toHaveLength(20);
      relay.breakOpen('pass');
      const before = (await verdictsInRedis()).length;
      await until(async () => {
        await verifyNew();
        return (await verdictsInRedis()).length > before;
      });
      process.off('unhandledRejection', onUnhandled);
      expect(unhandled).toEqual([]);
    });
  });
});
