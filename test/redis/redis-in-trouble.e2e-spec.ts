import { CLIENTS } from '../support/redis-clients.js';
import { TestFleet, until, type Instance } from '../support/fleet.js';
import { describeRedis } from '../support/redis-server.js';

/** Long enough to be told from a busy machine; the default is 50 ms. */
const DEADLINE_MS = 1_000;

describeRedis('Redis in trouble', () => {
  let fleet: TestFleet;
  beforeEach(async () => {
    fleet = await TestFleet.start();
  });
  afterEach(() => fleet.stop());

  /** Verifies a key that nobody knows yet. @returns how long that took, in milliseconds */
  async function verifyNew({ service }: Instance): Promise<number> {
    const { key } = fleet.kinde.createKey();
    const startedAtMs = performance.now();
    await expect(service.verify(key)).resolves.toMatchObject({ accepted: true });
    return performance.now() - startedAtMs;
  }

  const sharedKeys = async () => ((await fleet.inspector.command('KEYS', '*:key:*')) as string[]).length;

  it.each(Object.keys(CLIENTS))('frozen costs one deadline and then nothing, and is used again: %s', async (name) => {
    const instance = await fleet.add({}, CLIENTS[name], DEADLINE_MS);
    await verifyNew(instance);
    fleet.redis.freeze();
    const first = await verifyNew(instance);
    expect(first).toBeGreaterThanOrEqual(DEADLINE_MS - 1);
    expect(first).toBeLessThan(1.25 * DEADLINE_MS);
    const later: number[] = [];
    for (let times = 0; times < 20; times += 1) later.push(await verifyNew(instance));
    expect(later.toSorted((a, b) => a - b)[10]).toBeLessThan(DEADLINE_MS / 2);
    expect(instance.warnings).toEqual([expect.stringContaining('Redis does not answer')]);
    fleet.redis.thaw();
    await until(() => instance.warnings.length === 2, 10_000);
    expect(instance.warnings[1]).toBe('Redis answers again');
    const before = await sharedKeys();
    await verifyNew(instance);
    expect(await sharedKeys()).toBe(before + 1);
  });

  it.each(Object.keys(CLIENTS))(
    'killed and restarted holds up nobody and is used again: %s',
    async (name) => {
      const instance = await fleet.add({}, CLIENTS[name], DEADLINE_MS);
      await verifyNew(instance);
      await fleet.redis.kill();
      const times: number[] = [];
      for (let count = 0; count < 20; count += 1) times.push(await verifyNew(instance));
      expect(Math.max(...times)).toBeLessThan(1.25 * DEADLINE_MS);
      expect(times.toSorted((a, b) => a - b)[10]).toBeLessThan(DEADLINE_MS / 2);
      await fleet.redis.restart();
      await until(() => instance.warnings.includes('Redis answers again'), 15_000);
      await verifyNew(instance);
      expect(await sharedKeys()).toBeGreaterThanOrEqual(1);
    },
    20_000,
  );

  it.each(Object.keys(CLIENTS))('that dies while calls are under way is no unhandled error: %s', async (name) => {
    const instance = await fleet.add({}, CLIENTS[name]);
    fleet.redis.freeze();
    const keys = Array.from({ length: 50 }, () => fleet.kinde.createKey().key);
    const verdicts = Promise.all(keys.map((key) => instance.service.verify(key)));
    await fleet.redis.kill();
    expect((await verdicts).every(({ accepted }) => accepted)).toBe(true);
  });

  it('that is full refuses to keep anything, and requests go on', async () => {
    const instance = await fleet.add();
    await fleet.inspector.command('CONFIG', 'SET', 'maxmemory', '1');
    for (let times = 0; times < 5; times += 1) await verifyNew(instance);
    expect(instance.warnings).toEqual([expect.stringContaining('(OOM)')]);
    await fleet.inspector.command('CONFIG', 'SET', 'maxmemory', '0');
    await verifyNew(instance);
    expect(await sharedKeys()).toBe(1);
  });

  it('that may only be read is read, and requests go on', async () => {
    const [one, other] = [await fleet.add(), await fleet.add()];
    const { key } = fleet.kinde.createKey();
    await one.service.verify(key);
    await fleet.inspector.command('CONFIG', 'SET', 'min-replicas-to-write', '1');
    await verifyNew(other);
    await other.service.verify(key);
    expect(fleet.kinde.counters.verifies).toBe(2);
    expect(other.warnings).toEqual([expect.stringContaining('NOREPLICAS')]);
  });

  it('that is slow is left alone like one that is frozen', async () => {
    const instance = await fleet.add();
    await verifyNew(instance);
    void fleet.inspector.command('DEBUG', 'SLEEP', '1').catch(() => undefined);
    void fleet.inspector.command('EVAL', 'while true do end', '0').catch(() => undefined);
    await until(async () => (await verifyNew(instance)) > 0 && instance.warnings.length > 0);
    for (let times = 0; times < 10; times += 1) await verifyNew(instance);
    expect(instance.warnings).toEqual([expect.stringContaining('does not answer')]);
  });

  it('from the beginning does not keep an app from booting', async () => {
    fleet.redis.freeze();
    const startedAtMs = performance.now();
    const instance = await fleet.add();
    expect(performance.now() - startedAtMs).toBeLessThan(3_000);
    await verifyNew(instance);
    fleet.redis.thaw();
    await until(() => instance.warnings.includes('Redis answers again'), 10_000);
  });
});
