import { CLIENTS } from '../support/redis-clients.js';
import { TestFleet, until } from '../support/fleet.js';
import { describeRedis } from '../support/redis-server.js';

describeRedis('invalidation over Redis', () => {
  let fleet: TestFleet;
  beforeEach(async () => {
    fleet = await TestFleet.start();
  });
  afterEach(() => fleet.stop());

  const channel = async () => ((await fleet.inspector.command('PUBSUB', 'CHANNELS', 'nkak:*')) as string[])[0] ?? '';
  const listeners = async () => ((await fleet.inspector.command('PUBSUB', 'NUMSUB', await channel())) as unknown[])[1];
  const allListen = () => until(async () => (await listeners()) === fleet.instances.length);

  it.each([
    ['a key id', (keyId: string) => ({ keyId })],
    ['an organization', () => ({ orgCode: 'org_a' })],
    ['a user', () => ({ userId: 'kp_ö' })],
  ])('of %s reaches every instance within 100 ms', async (_what, target) => {
    for (const connect of Object.values(CLIENTS)) await fleet.add({}, connect);
    await allListen();
    const { key, keyId } = fleet.kinde.createKey({ orgCode: 'org_a', userId: 'kp_ö' });
    const other = fleet.kinde.createKey({ orgCode: 'org_b' });
    for (const { service } of fleet.instances) await Promise.all([service.verify(key), service.verify(other.key)]);
    fleet.kinde.revokeKey(keyId);
    await fleet.instances[0]?.service.invalidate(target(keyId));
    await until(() => fleet.instances.every(({ service }) => !service.verifyCached(key)?.accepted), 100);
    for (const { service } of fleet.instances) {
      await expect(service.verify(key)).resolves.toMatchObject({ accepted: false });
      expect(service.verifyCached(other.key)).toMatchObject({ accepted: true });
    }
  });

  it('of everything reaches every instance, refusals included', async () => {
    const [one, other] = [await fleet.add(), await fleet.add()];
    await allListen();
    const { key, keyId } = fleet.kinde.createKey();
    fleet.kinde.setKeyStatus(keyId, 'inactive');
    await other.service.verify(key);
    fleet.kinde.setKeyStatus(keyId, 'active');
    await one.service.invalidateAll();
    await until(() => other.service.verifyCached(key) === undefined);
    await expect(other.service.verify(key)).resolves.toMatchObject({ accepted: true });
  });

  it('does not believe what Kinde answers to a call that another instance had under way', async () => {
    const [one, other] = [await fleet.add({ kinde: { timeoutMs: 10_000 } }), await fleet.add()];
    await allListen();
    const { key, keyId } = fleet.kinde.createKey();
    await other.service.verify(fleet.kinde.createKey().key);
    fleet.kinde.failNext({ delayMs: 500 }, 'verify');
    const asked = one.service.verify(key);
    // Kinde has made up its mind, and its answer is on the way.
    await until(() => fleet.kinde.getKey(keyId)?.verificationCount === 1);
    fleet.kinde.revokeKey(keyId);
    await other.service.invalidate({ keyId });
    await expect(asked).resolves.toMatchObject({ accepted: false });
  });

  it('is caught up with by an instance whose connection was lost, which forgets nothing else', async () => {
    const [one, other] = [await fleet.add(), await fleet.add()];
    await allListen();
    const gone = fleet.kinde.createKey();
    const kept = fleet.kinde.createKey();
    for (const { key } of [gone, kept]) await Promise.all([one.service.verify(key), other.service.verify(key)]);
    const verifies = fleet.kinde.counters.verifies;
    // A invalidation that was never announced is what an instance finds that was not there.
    await fleet.inspector.command('ZADD', await channel(), String(Math.ceil(fleet.clock.now())), `keyId:${gone.keyId}`);
    expect(other.service.verifyCached(gone.key)).toMatchObject({ accepted: true });
    await fleet.inspector.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until(() => [one, other].every(({ service }) => service.verifyCached(gone.key) === undefined));
    for (const { service } of [one, other]) expect(service.verifyCached(kept.key)).toMatchObject({ accepted: true });
    expect(fleet.kinde.counters.verifies).toBe(verifies);
  });

  it('holds for an instance that has no connection to listen: what it finds in Redis it checks', async () => {
    const [one, other] = [await fleet.add(), await fleet.add()];
    const { key, keyId } = fleet.kinde.createKey();
    await one.service.verify(key);
    fleet.kinde.revokeKey(keyId);
    await fleet.inspector.command('ZADD', await channel(), String(Math.ceil(fleet.clock.now())), `keyId:${keyId}`);
    await expect(other.service.verify(key)).resolves.toMatchObject({ accepted: false });
  });

  it('is told when Redis is back, if it happened while Redis was away', async () => {
    const [one, other] = [await fleet.add(), await fleet.add()];
    await allListen();
    const created = [1, 2, 3].map(() => fleet.kinde.createKey());
    for (const { key } of created) await Promise.all([one.service.verify(key), other.service.verify(key)]);
    await fleet.redis.kill();
    for (const { keyId } of created) await one.service.invalidate({ keyId });
    for (const { key } of created) {
      expect(one.service.verifyCached(key)).toBeUndefined();
      expect(other.service.verifyCached(key)).toMatchObject({ accepted: true });
    }
    await fleet.redis.restart();
    await until(() => created.every(({ key }) => other.service.verifyCached(key) === undefined), 15_000);
  }, 20_000);

  it('is not brought about by garbage on the channel', async () => {
    const one = await fleet.add();
    await allListen();
    const { key, keyId } = fleet.kinde.createKey();
    await one.service.verify(key);
    const garbage = [
      '',
      '*',
      'x *',
      '1 ',
      `1 ${'x'.repeat(100_000)}`,
      '-5 *',
      '1e99 *',
      '\u0000',
      `NaN keyId:${keyId}`,
    ];
    for (const message of garbage) await fleet.inspector.command('PUBLISH', await channel(), message);
    const { key: last, keyId: lastId } = fleet.kinde.createKey();
    await one.service.verify(last);
    await fleet.inspector.command('PUBLISH', await channel(), `${Math.ceil(fleet.clock.now())} keyId:${lastId}`);
    await until(() => one.service.verifyCached(last) === undefined);
    expect(one.service.verifyCached(key)).toMatchObject({ accepted: true });
  });

  it('leaves at most 10,000 invalidations, and one of everything in place of those that made room', async () => {
    const one = await fleet.add();
    const nowMs = Math.ceil(fleet.clock.now());
    const script =
      "for i = 1, 10000 do redis.call('ZADD', KEYS[1], ARGV[1] - 10000 + i, 'keyId:' .. i) end return redis.status_reply('OK')";
    await fleet.inspector.command('EVAL', script, '1', await channel(), String(nowMs));
    await one.service.invalidate({ keyId: 'one more' });
    expect(await fleet.inspector.command('ZSCORE', await channel(), 'keyId:1')).toBeNull();
    expect(await fleet.inspector.command('ZSCORE', await channel(), '*')).toBe(String(nowMs - 9_999));
    expect(await fleet.inspector.command('ZCARD', await channel())).toBe(10_001);
  });
});
