import { TestInstances } from '../support/instances.js';
import { failureOf } from '../support/keys-service.js';
import { CLIENTS } from '../support/redis-clients.js';
import { describeRedis } from '../support/redis-server.js';

describeRedis('keys that one instance changes', () => {
  let instances: TestInstances;
  beforeEach(async () => {
    instances = await TestInstances.start();
  });
  afterEach(() => instances.stop());

  /** Two instances that have both accepted a key of Kinde's. */
  async function startTwo(connect = CLIENTS['ioredis 6']) {
    const [one, other] = [await instances.add({}, connect), await instances.add({}, connect)];
    const { key, keyId } = await one.keys.create({ name: 'n', owner: { orgCode: 'org_a' } });
    for (const { service } of [one, other])
      await expect(service.verify(key)).resolves.toMatchObject({ accepted: true });
    return { one, other, key, keyId };
  }

  it.each(Object.entries(CLIENTS))(
    'are not accepted by any once revoke() has resolved (%s)',
    async (_client, connect) => {
      const { one, other, key, keyId } = await startTwo(connect);
      await one.keys.revoke(keyId);
      // Nothing is waited for here: no request after this point may be accepted.
      expect([one, other].map(({ service }) => service.verifyCached(key))).toEqual([undefined, undefined]);
      for (const { service } of [one, other])
        await expect(service.verify(key)).resolves.toEqual({ accepted: false, reason: 'revoked' });
    },
  );

  it('are refused with the old secret, and accepted with the new one, once rotate() has resolved', async () => {
    const { one, other, key, keyId } = await startTwo();
    const rotated = await one.keys.rotate(keyId);
    expect(other.service.verifyCached(key)).toBeUndefined();
    for (const { service } of [one, other]) {
      await expect(service.verify(key)).resolves.toMatchObject({ accepted: false });
      await expect(service.verify(rotated.key)).resolves.toMatchObject({ accepted: true });
    }
  });

  it('are asked about again by every instance when the answer to the change is lost', async () => {
    const { one, other, key, keyId } = await startTwo();
    instances.kinde.failUntilCleared({ truncated: true }, 'keys');
    await expect(failureOf(one.keys.revoke(keyId))).resolves.toMatchObject({ isOutcomeUnknown: true });
    expect(other.service.verifyCached(key)).toBeUndefined();
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
