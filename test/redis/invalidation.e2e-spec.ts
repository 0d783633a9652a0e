import { TestInstances, until } from '../support/instances.js';
import { CLIENTS } from '../support/redis-clients.js';
import { describeRedis } from '../support/redis-server.js';

describeRedis('invalidation over Redis', () => {
  let instances: TestInstances;
  beforeEach(async () => {
    instances = await TestInstances.start();
  });
  afterEach(() => instances.stop());

  const redis = (name: string, ...args: string[]) => instances.inspector.command(name, ...args);
  const channel = async () => ((await redis('PUBSUB', 'CHANNELS', 'nkak:*')) as string[])[0] ?? '';
  const subscribers = async () => ((await redis('PUBSUB', 'NUMSUB', await channel())) as unknown[])[1];
  const allListen = () => until(async () => (await subscribers()) === instances.all.length);
  const nowMs = () => Math.ceil(instances.clock.now());
  /** Stores an invalidation without publishing it, as if its message were lost. */
  const storeSilently = async (tag: string) => redis('ZADD', await channel(), String(nowMs()), tag);

  it.each([
    ['a key id', (keyId: string) => ({ keyId })],
    ['an organization', () => ({ orgCode: 'org_a' })],
    ['a user', () => ({ userId: 'kp_ö' })],
  ])('of %s reaches every instance as a message, with every client library', async (_what, target) => {
    for (const connect of Object.values(CLIENTS)) await instances.add({}, connect);
    await allListen();
    // Without this command no instance can catch up: what it learns, it learns from the message.
    await redis('ACL', 'SETUSER', 'default', '-zrangebyscore');
    const { key, keyId } = instances.kinde.createKey({ orgCode: 'org_a', userId: 'kp_ö' });
    const other = instances.kinde.createKey({ orgCode: 'org_b' });
    for (const { service } of instances.all) await Promise.all([service.verify(key), service.verify(other.key)]);
    instances.kinde.revokeKey(keyId);
    await instances.all[0]?.service.invalidate(target(keyId));
    await until(() => instances.all.every(({ service }) => !service.verifyCached(key)?.accepted));
    for (const { service } of instances.all) {
      await expect(service.verify(key)).resolves.toMatchObject({ accepted: false });
      expect(service.verifyCached(other.key)).toMatchObject({ accepted: true });
    }
  });

  it('of every key reaches every instance, cached refusals included', async () => {
    const [one, other] = [await instances.add(), await instances.add()];
    await allListen();
    const { key, keyId } = instances.kinde.createKey();
    instances.kinde.setKeyStatus(keyId, 'inactive');
    await other.service.verify(key);
    instances.kinde.setKeyStatus(keyId, 'active');
    await one.service.invalidateAll();
    await until(() => other.service.verifyCached(key) === undefined);
    await expect(other.service.verify(key)).resolves.toMatchObject({ accepted: true });
  });

  it('discards the answer to a call that another instance had in flight', async () => {
    const [one, other] = [await instances.add(), await instances.add()];
    await allListen();
    const { key, keyId } = instances.kinde.createKey();
    let sendAnswer = (): void => undefined;
    instances.kinde.failNext({ holdUntil: new Promise<void>((resolve) => (sendAnswer = resolve)) }, 'verify');
    const verdict = one.service.verify(key);
    await until(() => instances.kinde.getKey(keyId)?.verificationCount === 1);
    instances.kinde.revokeKey(keyId);
    await other.service.invalidate({ keyId });
    sendAnswer();
    await expect(verdict).resolves.toMatchObject({ accepted: false });
  });

  it('reaches an instance that lost its connection, which keeps its other keys', async () => {
    const [one, other] = [await instances.add(), await instances.add()];
    await allListen();
    const [invalidated, kept] = [instances.kinde.createKey(), instances.kinde.createKey()];
    for (const { key } of [invalidated, kept]) await Promise.all([one.service.verify(key), other.service.verify(key)]);
    const { verifies } = instances.kinde.counters;
    await storeSilently(`keyId:${invalidated.keyId}`);
    expect(other.service.verifyCached(invalidated.key)).toMatchObject({ accepted: true });
    await redis('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until(() => [one, other].every(({ service }) => service.verifyCached(invalidated.key) === undefined));
    for (const { service } of [one, other]) expect(service.verifyCached(kept.key)).toMatchObject({ accepted: true });
    expect(instances.kinde.counters.verifies).toBe(verifies);
  });

  it('holds for a verdict that an instance finds in Redis after missing the message', async () => {
    const [one, other] = [await instances.add(), await instances.add()];
    await allListen();
    const { key, keyId } = instances.kinde.createKey();
    await one.service.verify(key);
    instances.kinde.revokeKey(keyId);
    await storeSilently(`keyId:${keyId}`);
    await expect(other.service.verify(key)).resolves.toMatchObject({ accepted: false });
  });

  it('that happens while Redis is down is published when Redis is back', async () => {
    const [one, other] = [await instances.add(), await instances.add()];
    await allListen();
    const created = [1, 2, 3].map(() => instances.kinde.createKey());
    for (const { key } of created) await Promise.all([one.service.verify(key), other.service.verify(key)]);
    await instances.redis.kill();
    for (const { keyId } of created) await one.service.invalidate({ keyId });
    for (const { key } of created) {
      expect(one.service.verifyCached(key)).toBeUndefined();
      expect(other.service.verifyCached(key)).toMatchObject({ accepted: true });
    }
    await instances.redis.restart();
    await until(() => created.every(({ key }) => other.service.verifyCached(key) === undefined));
  });

  it('ignores malformed messages on the channel', async () => {
    const one = await instances.add();
    await allListen();
    const [kept, last] = [instances.kinde.createKey(), instances.kinde.createKey()];
    for (const { key } of [kept, last]) await one.service.verify(key);
    const malformed = ['', '*', 'x *', '1 ', `1 ${'x'.repeat(100_000)}`, '-5 *', '1e99 *', '\u0000'];
    for (const message of [...malformed, `NaN keyId:${kept.keyId}`]) await redis('PUBLISH', await channel(), message);
    await redis('PUBLISH', await channel(), `${nowMs()} keyId:${last.keyId}`);
    await until(() => one.service.verifyCached(last.key) === undefined);
    expect(one.service.verifyCached(kept.key)).toMatchObject({ accepted: true });
  });

  it('keeps at most 10,000 entries in Redis, and one for every key in place of those that were evicted', async () => {
    const one = await instances.add();
    await allListen();
    const atMs = nowMs();
    const script =
      "for i = 1, 10000 do redis.call('ZADD', KEYS[1], ARGV[1] - 10000 + i, 'keyId:' .. i) end return redis.status_reply('OK')";
    await redis('EVAL', script, '1', await channel(), String(atMs));
    await one.service.invalidate({ keyId: 'one more' });
    expect(await redis('ZSCORE', await channel(), 'keyId:1')).toBeNull();
    expect(await redis('ZSCORE', await channel(), '*')).toBe(String(atMs - 9_999));
    expect(await redis('ZCARD', await channel())).toBe(10_001);
  });
});
