import type { ApiKeyVerificationService } from 'nestjs-kinde-api-key';
import { RawKey } from '../../libs/kinde-api-key/src/api-key/raw-key.js';
import { TestInstances, until } from '../support/instances.js';
import { describeRedis } from '../support/redis-server.js';

/** As the page about observability states it. Redis itself is real, so it is real time. */
const WITHIN_MS = 10_000;

describeRedis('the status of an instance with Redis', () => {
  let instances: TestInstances;
  beforeEach(async () => {
    instances = await TestInstances.start();
  });
  afterEach(() => instances.stop());

  const isUp = (service: ApiKeyVerificationService) => service.status().status === 'up';
  const isDegraded = (service: ApiKeyVerificationService) => service.status().status === 'degraded';

  it('is degraded after Redis was killed, and up after it is back, without any request', async () => {
    const { service } = await instances.add();
    expect(service.status()).toMatchObject({ status: 'up', reasons: [], sharedStore: 'up' });
    await instances.redis.kill();
    await until(() => isDegraded(service), WITHIN_MS);
    expect(service.status()).toMatchObject({ reasons: ['shared_store_down'], sharedStore: 'down' });
    await instances.redis.restart();
    await until(() => isUp(service), WITHIN_MS);
    expect(service.status()).toMatchObject({ reasons: [], sharedStore: 'up' });
  });

  it('is degraded while Redis is frozen, and up when it answers again', async () => {
    const { service } = await instances.add();
    instances.redis.freeze();
    await until(() => isDegraded(service), WITHIN_MS);
    instances.redis.thaw();
    await until(() => isUp(service), WITHIN_MS);
  });

  it('is down while Kinde and Redis are both away and nothing is cached, and up again when both are back', async () => {
    const { service } = await instances.add();
    const { key } = instances.kinde.createKey();
    await instances.redis.kill();
    instances.kinde.failUntilCleared({ reset: true });
    await expect(service.verify(key)).rejects.toThrow();
    await until(() => service.status().sharedStore === 'down', WITHIN_MS);
    expect(service.status()).toMatchObject({
      status: 'down',
      reasons: ['kinde_unavailable', 'shared_store_down'],
    });
    instances.kinde.clearFaults();
    await instances.redis.restart();
    instances.clock.advance(1_000);
    await expect(service.verify(key)).resolves.toMatchObject({ accepted: true });
    await until(() => isUp(service), WITHIN_MS);
  });

  it('has answers of other instances among those that it would accept', async () => {
    const [one, other] = [await instances.add(), await instances.add()];
    const { key } = instances.kinde.createKey();
    await one.service.verify(key);
    instances.clock.advance(30_000);
    const raw = RawKey.parse(key);
    expect(raw && (await other.service.ask(raw))).toMatchObject({ verdict: { accepted: true }, source: 'shared' });
    expect(other.service.status()).toMatchObject({ oldestAcceptedAgeMs: 30_000, cachedKeys: 1 });
  });
});
