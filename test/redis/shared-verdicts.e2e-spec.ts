import { TestInstances, until } from '../support/instances.js';
import { describeRedis } from '../support/redis-server.js';

describeRedis('verdicts in Redis', () => {
  let instances: TestInstances;
  beforeEach(async () => {
    instances = await TestInstances.start();
  });
  afterEach(() => instances.stop());

  const redis = (name: string, ...args: string[]) => instances.inspector.command(name, ...args);
  const verifies = () => instances.kinde.counters.verifies;

  it('are used by every instance after one has asked Kinde', async () => {
    const [one, other] = [await instances.add(), await instances.add()];
    const { key, keyId } = instances.kinde.createKey({ scopes: ['read:users'], orgCode: 'org_ä', userId: 'kp_1' });
    const first = await one.service.verify(key);
    expect(first).toMatchObject({ accepted: true, apiKey: { keyId, scopes: ['read:users'], orgCode: 'org_ä' } });
    await expect(other.service.verify(key)).resolves.toEqual(first);
    expect(other.service.verifyCached(key)).toEqual(first);
    expect(instances.kinde.counters).toMatchObject({ verifies: 1, mints: 1 });
  });

  it('keep their age: one that is 59 s old is served by another instance for one more second', async () => {
    const [one, other] = [await instances.add(), await instances.add()];
    const { key } = instances.kinde.createKey();
    await one.service.verify(key);
    instances.clock.advance(59_000);
    await other.service.verify(key);
    expect(verifies()).toBe(1);
    instances.clock.advance(1_000);
    expect(other.service.verifyCached(key)).toBeUndefined();
    await other.service.verify(key);
    expect(verifies()).toBe(2);
  });

  it('are served during an outage of Kinde by an instance that never asked, until maxAcceptedAgeMs', async () => {
    const [one, other, third] = [await instances.add(), await instances.add(), await instances.add()];
    const { key } = instances.kinde.createKey();
    await one.service.verify(key);
    instances.kinde.failUntilCleared(500);
    instances.clock.advance(299_999);
    await expect(other.service.verify(key)).resolves.toMatchObject({ accepted: true });
    instances.clock.advance(1);
    await expect(other.service.verify(key)).rejects.toThrow('Kinde');
    await expect(third.service.verify(key)).rejects.toThrow('Kinde');
  });

  it('that are older than ttlMs are not served while Kinde answers', async () => {
    const [one, other] = [await instances.add(), await instances.add()];
    const { key, keyId } = instances.kinde.createKey();
    await one.service.verify(key);
    instances.kinde.revokeKey(keyId);
    instances.clock.advance(60_000);
    await expect(other.service.verify(key)).resolves.toMatchObject({ accepted: false });
  });

  it('are removed when Kinde refuses the key', async () => {
    const [one, other] = [await instances.add(), await instances.add()];
    const { key, keyId } = instances.kinde.createKey();
    await one.service.verify(key);
    instances.kinde.revokeKey(keyId);
    instances.clock.advance(60_000);
    await one.service.verify(key);
    instances.kinde.failUntilCleared(500);
    await expect(other.service.verify(key)).rejects.toThrow('Kinde');
  });

  it('are waited for: Kinde is asked once about each of 50 new keys that arrive at eight instances at once', async () => {
    // The longest deadline: each waits for a quarter of it.
    const options = { kinde: { timeoutMs: 60_000 } };
    const all = await Promise.all(Array.from({ length: 8 }, () => instances.add(options)));
    const keys = Array.from({ length: 50 }, () => instances.kinde.createKey().key);
    const verdicts = await Promise.all(keys.flatMap((key) => all.map(({ service }) => service.verify(key))));
    expect(verdicts.filter(({ accepted }) => accepted)).toHaveLength(400);
    expect(verifies()).toBe(50);
  });

  it('are not waited for when the instance that asks gets none: each asks Kinde itself', async () => {
    const all = [await instances.add(), await instances.add(), await instances.add()];
    instances.kinde.failUntilCleared(500);
    const { key } = instances.kinde.createKey();
    const outages = await Promise.allSettled(all.map(({ service }) => service.verify(key)));
    expect(outages.map(({ status }) => status)).toEqual(Array(3).fill('rejected'));
    instances.kinde.clearFaults();
    await expect(all[0]?.service.verify(key)).resolves.toMatchObject({ accepted: true });
  });

  it('are not waited for longer than a quarter of timeoutMs, if the instance that asks has died', async () => {
    const one = await instances.add();
    const { key } = instances.kinde.createKey();
    await one.service.verify(key);
    const [name] = (await redis('KEYS', '*:key:*')) as string[];
    await redis('DEL', `${name}`);
    await redis('SET', `${name}:claim`, 'an instance that died', 'PX', '60000');
    const other = await instances.add();
    await expect(other.service.verify(key)).resolves.toMatchObject({ accepted: true });
    expect(verifies()).toBe(2);
  });

  it('are refreshed by one instance for all', async () => {
    for (let added = 0; added < 4; added += 1) await instances.add();
    const { key } = instances.kinde.createKey();
    for (const { service } of instances.all) await service.verify(key);
    const knownCounts = () =>
      instances.all.map(({ service }) => {
        const verdict = service.verifyCached(key);
        return verdict?.accepted ? verdict.apiKey.verificationCount : undefined;
      });
    for (let round = 2; round <= 4; round += 1) {
      instances.clock.advance(50_000);
      expect(knownCounts()).toEqual(Array(4).fill(round - 1));
      await until(() => verifies() === round);
      // The other instances look into Redis again after a second, and serve the key meanwhile.
      await until(() => {
        instances.clock.advance(100);
        return knownCounts().every((count) => count === round);
      });
    }
    expect(verifies()).toBe(4);
  });

  it('are not shared between registrations with different apiId', async () => {
    const other = await instances.add({ apiId: 'another_api' });
    const one = await instances.add({ apiId: instances.kinde.apiId });
    const third = await instances.add();
    const { key } = instances.kinde.createKey();
    await expect(one.service.verify(key)).resolves.toMatchObject({ accepted: true });
    await expect(third.service.verify(key)).resolves.toMatchObject({ accepted: true });
    await expect(other.service.verify(key)).resolves.toEqual({ accepted: false, reason: 'other_api' });
    expect(verifies()).toBe(3);
  });

  it('are not used after the client secret was changed, and the key is verified again', async () => {
    const one = await instances.add();
    const { key } = instances.kinde.createKey();
    await one.service.verify(key);
    const rotated = instances.kinde.changeApplication({ clientSecret: 'another_secret' });
    const other = await instances.add(rotated);
    await expect(other.service.verify(key)).resolves.toMatchObject({ accepted: true });
    expect(instances.kinde.counters).toMatchObject({ verifies: 2, mints: 2 });
  });

  it('and everything else in Redis show no raw key, client secret or token, and expire', async () => {
    const one = await instances.add();
    const { key } = instances.kinde.createKey();
    await one.service.verify(key);
    await one.service.invalidate({ orgCode: 'org_x' });
    const names = (await redis('KEYS', '*')) as string[];
    expect(names).toHaveLength(4);
    const everything: unknown[] = [...names];
    for (const name of names) {
      if (/:(gone|instances)$/.test(name)) everything.push(await redis('ZRANGE', name, '0', '-1'));
      else everything.push(await redis('GET', name));
      expect(Number(await redis('PTTL', name))).toBeGreaterThan(0);
    }
    const text = JSON.stringify(everything);
    expect(text).toContain('key_id');
    expect(text).toContain('orgCode:org_x');
    expect(text).not.toContain(key);
    expect(text).not.toContain(instances.kinde.credentials.clientSecret);
    expect(text).not.toContain(instances.kinde.credentials.clientId);
    expect(text).not.toContain('eyJ');
    for (const name of names) expect(name).toMatch(/^nkak:v1:[\w-]{22}:/);
  });

  it('of a rotated key are not used once its new secret was verified by any instance', async () => {
    const [one, other] = [await instances.add(), await instances.add()];
    const { key, keyId } = instances.kinde.createKey();
    await one.service.verify(key);
    const { key: fresh } = instances.kinde.rotateKey(keyId);
    instances.clock.advance(10);
    await other.service.verify(fresh);
    await expect(other.service.verify(key)).resolves.toMatchObject({ accepted: false });
  });
});
