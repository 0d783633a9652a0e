import { TestInstances, until, type TestInstance } from '../support/instances.js';
import { CLIENTS } from '../support/redis-clients.js';
import { describeRedis } from '../support/redis-server.js';

describeRedis('an instance whose Redis', () => {
  let instances: TestInstances;
  beforeEach(async () => {
    instances = await TestInstances.start();
  });
  afterEach(() => instances.stop());

  const redis = (name: string, ...args: string[]) => instances.inspector.command(name, ...args);
  const verdictsInRedis = async () => ((await redis('KEYS', '*:key:*')) as string[]).length;
  /** Each verification of a new key reads Redis, unless it is known to be down. */
  const reads = ({ redis: { sent } }: TestInstance) => sent.filter((name) => name === 'GETRANGE').length;

  async function verifyNewKeys(instance: TestInstance, count = 1): Promise<void> {
    for (let times = 0; times < count; times += 1) {
      const { key } = instances.kinde.createKey();
      await expect(instance.service.verify(key)).resolves.toMatchObject({ accepted: true });
    }
  }

  /** Verifies keys without Redis. The first one may wait for its deadline, and no other one sends anything. */
  async function expectOneRead(instance: TestInstance): Promise<void> {
    const before = reads(instance);
    await verifyNewKeys(instance, 20);
    expect(reads(instance)).toBeLessThanOrEqual(before + 1);
    expect(instance.warnings).toEqual([expect.stringContaining('Redis does not answer')]);
  }

  async function expectRecovery(instance: TestInstance): Promise<void> {
    await until(() => instance.warnings.includes('Redis answers again'));
    const before = await verdictsInRedis();
    await verifyNewKeys(instance);
    expect(await verdictsInRedis()).toBe(before + 1);
  }

  it.each(Object.keys(CLIENTS))('is frozen sends one command, then none until it is back, with %s', async (name) => {
    const instance = await instances.add({}, CLIENTS[name]);
    await verifyNewKeys(instance);
    instances.redis.freeze();
    await expectOneRead(instance);
    instances.redis.thaw();
    await expectRecovery(instance);
  });

  it.each(Object.keys(CLIENTS))('is killed sends one command, then none until it is back, with %s', async (name) => {
    const instance = await instances.add({}, CLIENTS[name]);
    await verifyNewKeys(instance);
    await instances.redis.kill();
    await expectOneRead(instance);
    await instances.redis.restart();
    await expectRecovery(instance);
  });

  it.each(Object.keys(CLIENTS))('dies while commands are in flight verifies with Kinde, with %s', async (name) => {
    const instance = await instances.add({}, CLIENTS[name]);
    instances.redis.freeze();
    const keys = Array.from({ length: 50 }, () => instances.kinde.createKey().key);
    const verdicts = Promise.all(keys.map((key) => instance.service.verify(key)));
    await instances.redis.kill();
    expect((await verdicts).every(({ accepted }) => accepted)).toBe(true);
  });

  it('is out of memory goes on verifying, and shares again when there is memory', async () => {
    const instance = await instances.add();
    await redis('CONFIG', 'SET', 'maxmemory', '1');
    await verifyNewKeys(instance, 5);
    expect(instance.warnings).toEqual([expect.stringContaining('(OOM)')]);
    await redis('CONFIG', 'SET', 'maxmemory', '0');
    await verifyNewKeys(instance);
    expect(await verdictsInRedis()).toBe(1);
  });

  it('rejects writes goes on reading what is there', async () => {
    const [one, other] = [await instances.add(), await instances.add()];
    const { key } = instances.kinde.createKey();
    await one.service.verify(key);
    await redis('CONFIG', 'SET', 'min-replicas-to-write', '1');
    await verifyNewKeys(other);
    await other.service.verify(key);
    expect(instances.kinde.counters.verifies).toBe(2);
    expect(other.warnings).toEqual([expect.stringContaining('(NOREPLICAS)')]);
  });

  it('is blocked by a script behaves as if it were frozen', async () => {
    const instance = await instances.add();
    await verifyNewKeys(instance);
    // Otherwise it replies with BUSY after 5 s.
    await redis('CONFIG', 'SET', 'lua-time-limit', '600000');
    void redis('EVAL', 'while true do end', '0').catch(() => undefined);
    await expectOneRead(instance);
  });

  it('is frozen from the beginning boots, and uses it when it answers', async () => {
    instances.redis.freeze();
    const instance = await instances.add();
    await expectOneRead(instance);
    instances.redis.thaw();
    await expectRecovery(instance);
  });
});
