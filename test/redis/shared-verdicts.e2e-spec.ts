import { TestFleet, until } from '../support/fleet.js';
import { describeRedis } from '../support/redis-server.js';

describeRedis('verdicts in Redis', () => {
  let fleet: TestFleet;
  beforeEach(async () => {
    fleet = await TestFleet.start();
  });
  afterEach(() => fleet.stop());

  const verifies = () => fleet.kinde.counters.verifies;

  it('are known to every instance after one has asked Kinde', async () => {
    const [one, other] = [await fleet.add(), await fleet.add()];
    const { key, keyId } = fleet.kinde.createKey({ scopes: ['read:users'], orgCode: 'org_ä', userId: 'kp_1' });
    const first = await one.service.verify(key);
    expect(first).toMatchObject({ accepted: true, apiKey: { keyId, scopes: ['read:users'], orgCode: 'org_ä' } });
    await expect(other.service.verify(key)).resolves.toEqual(first);
    expect(other.service.verifyCached(key)).toEqual(first);
    expect(fleet.kinde.counters).toMatchObject({ verifies: 1, mints: 1 });
  });

  it('keep their age: what one instance has asked 59 s ago, another serves for one second', async () => {
    const [one, other] = [await fleet.add(), await fleet.add()];
    const { key } = fleet.kinde.createKey();
    await one.service.verify(key);
    fleet.clock.advance(59_000);
    await other.service.verify(key);
    expect(verifies()).toBe(1);
    fleet.clock.advance(1_000);
    expect(other.service.verifyCached(key)).toBeUndefined();
    await other.service.verify(key);
    expect(verifies()).toBe(2);
  });

  it('are served by an instance that never asked while Kinde is down, up to maxAcceptedAgeMs and not beyond', async () => {
    const [one, other, third] = [await fleet.add(), await fleet.add(), await fleet.add()];
    const { key } = fleet.kinde.createKey();
    await one.service.verify(key);
    fleet.kinde.failUntilCleared(500);
    fleet.clock.advance(299_999);
    await expect(other.service.verify(key)).resolves.toMatchObject({ accepted: true });
    fleet.clock.advance(1);
    await expect(other.service.verify(key)).rejects.toThrow('Kinde');
    await expect(third.service.verify(key)).rejects.toThrow('Kinde');
  });

  it('that are older than the time to live do not keep a revoked key alive while Kinde can be asked', async () => {
    const [one, other] = [await fleet.add(), await fleet.add()];
    const { key, keyId } = fleet.kinde.createKey();
    await one.service.verify(key);
    fleet.kinde.revokeKey(keyId);
    fleet.clock.advance(60_000);
    await expect(other.service.verify(key)).resolves.toMatchObject({ accepted: false });
  });

  it('are taken back when Kinde refuses the key', async () => {
    const [one, other] = [await fleet.add(), await fleet.add()];
    const { key, keyId } = fleet.kinde.createKey();
    await one.service.verify(key);
    fleet.kinde.revokeKey(keyId);
    fleet.clock.advance(60_000);
    await one.service.verify(key);
    fleet.kinde.failUntilCleared(500);
    await expect(other.service.verify(key)).rejects.toThrow('Kinde');
  });

  it('are refreshed by one instance, and adopted by the others', async () => {
    const instances = [await fleet.add(), await fleet.add(), await fleet.add(), await fleet.add()];
    const { key } = fleet.kinde.createKey();
    for (const { service } of instances) await service.verify(key);
    const countsKnown = () =>
      instances.map(({ service }) => {
        const verdict = service.verifyCached(key);
        return verdict?.accepted ? verdict.apiKey.verificationCount : undefined;
      });
    for (let round = 2; round <= 4; round += 1) {
      fleet.clock.advance(50_000);
      expect(countsKnown()).toEqual(Array(4).fill(round - 1));
      await until(() => verifies() === round);
      // Those who were not the first look again after a second, and need not wait meanwhile.
      await until(() => {
        fleet.clock.advance(100);
        return countsKnown().every((count) => count === round);
      });
    }
    expect(verifies()).toBe(4);
  });

  it('of registrations with different apiId are never mixed', async () => {
    const other = await fleet.add({ apiId: 'another_api' });
    const one = await fleet.add({ apiId: fleet.kinde.apiId });
    const third = await fleet.add();
    const { key } = fleet.kinde.createKey();
    await expect(one.service.verify(key)).resolves.toMatchObject({ accepted: true });
    await expect(third.service.verify(key)).resolves.toMatchObject({ accepted: true });
    await expect(other.service.verify(key)).resolves.toEqual({ accepted: false, reason: 'other_api' });
    expect(verifies()).toBe(3);
  });

  it('are not read with another client secret, and harm nobody', async () => {
    const one = await fleet.add();
    const { key } = fleet.kinde.createKey();
    await one.service.verify(key);
    const rotated = fleet.kinde.changeApplication({ clientSecret: 'another_secret' });
    const other = await fleet.add(rotated);
    await expect(other.service.verify(key)).resolves.toMatchObject({ accepted: true });
    expect(fleet.kinde.counters).toMatchObject({ verifies: 2, mints: 2 });
  });

  it('show neither a key, a digest, a secret nor the token in Redis', async () => {
    const one = await fleet.add();
    const { key } = fleet.kinde.createKey();
    await one.service.verify(key);
    await one.service.invalidate({ orgCode: 'org_x' });
    const names = (await fleet.inspector.command('KEYS', '*')) as string[];
    expect(names).toHaveLength(3);
    const everything: unknown[] = [...names];
    for (const name of names) {
      if (name.endsWith(':gone')) everything.push(await fleet.inspector.command('ZRANGE', name, '0', '-1'));
      else everything.push(await fleet.inspector.command('GET', name));
      expect(Number(await fleet.inspector.command('PTTL', name))).toBeGreaterThan(0);
    }
    const text = JSON.stringify(everything);
    expect(text).toContain('key_id');
    expect(text).toContain('orgCode:org_x');
    expect(text).not.toContain(key);
    expect(text).not.toContain(fleet.kinde.credentials.clientSecret);
    expect(text).not.toContain(fleet.kinde.credentials.clientId);
    expect(text).not.toContain('eyJ');
    for (const name of names) expect(name).toMatch(/^nkak:v1:[\w-]{22}:/);
  });

  it('do not let an old secret outlive the rotation of its key for longer than the new one is known', async () => {
    const [one, other] = [await fleet.add(), await fleet.add()];
    const { key, keyId } = fleet.kinde.createKey();
    await one.service.verify(key);
    const { key: fresh } = fleet.kinde.rotateKey(keyId);
    fleet.clock.advance(10);
    await other.service.verify(fresh);
    await expect(other.service.verify(key)).resolves.toMatchObject({ accepted: false });
  });
});
