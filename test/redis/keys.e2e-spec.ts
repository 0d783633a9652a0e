import { TestInstances, until } from '../support/instances.js';
import { failureOf } from '../support/keys-service.js';
import { describeRedis } from '../support/redis-server.js';

/** Less than the interval in which an instance catches up with messages that it lost, in milliseconds. */
const WITHIN_MS = 3_000;

describeRedis('keys that one instance changes', () => {
  let instances: TestInstances;
  beforeEach(async () => {
    instances = await TestInstances.start();
  });
  afterEach(() => instances.stop());

  /** Two instances that have both accepted a key of Kinde's. */
  async function startTwo() {
    const [one, other] = [await instances.add(), await instances.add()];
    const { key, keyId } = await one.keys.create({ name: 'n', owner: { orgCode: 'org_a' } });
    for (const { service } of [one, other])
      await expect(service.verify(key)).resolves.toMatchObject({ accepted: true });
    return { one, other, key, keyId };
  }

  it('are refused by every other one once they are revoked', async () => {
    const { one, other, key, keyId } = await startTwo();
    await one.keys.revoke(keyId);
    await until(() => other.service.verifyCached(key) === undefined, WITHIN_MS);
    for (const { service } of [one, other])
      await expect(service.verify(key)).resolves.toEqual({ accepted: false, reason: 'revoked' });
  });

  it('are refused with the old secret, and accepted with the new one, once they are rotated', async () => {
    const { one, other, key, keyId } = await startTwo();
    const rotated = await one.keys.rotate(keyId);
    await until(() => other.service.verifyCached(key) === undefined, WITHIN_MS);
    for (const { service } of [one, other]) {
      await expect(service.verify(key)).resolves.toMatchObject({ accepted: false });
      await expect(service.verify(rotated.key)).resolves.toMatchObject({ accepted: true });
    }
  });

  it('are asked about again by every instance when the answer to the change is lost', async () => {
    const { one, other, key, keyId } = await startTwo();
    instances.kinde.failUntilCleared({ truncated: true }, 'keys');
    await expect(failureOf(one.keys.revoke(keyId))).resolves.toMatchObject({ isOutcomeUnknown: true });
    await until(() => other.service.verifyCached(key) === undefined, WITHIN_MS);
    await expect(other.service.verify(key)).resolves.toMatchObject({ reason: 'revoked' });
  });

  it('are published to Redis before the call resolves', async () => {
    const { one, keyId } = await startTwo();
    await one.keys.revoke(keyId);
    const channel = ((await instances.inspector.command('PUBSUB', 'CHANNELS', 'nkak:*')) as string[])[0] ?? '';
    expect(await instances.inspector.command('ZSCORE', channel, `keyId:${keyId}`)).not.toBeNull();
  });

  it('are revoked without a wait while Redis is down, and refused at once by the instance that did it', async () => {
    const { one, key, keyId } = await startTwo();
    await instances.redis.kill();
    await one.keys.revoke(keyId);
    await expect(one.service.verify(key)).resolves.toMatchObject({ reason: 'revoked' });
  });
});
