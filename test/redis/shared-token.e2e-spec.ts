import { KindeApiKeyMisconfiguredError } from 'nestjs-kinde-api-key';
import { SharedSecrets } from '../../libs/kinde-api-key/src/shared/shared-secrets.js';
import { TestInstances, until } from '../support/instances.js';
import { describeRedis } from '../support/redis-server.js';

describeRedis('the M2M token in Redis', () => {
  let instances: TestInstances;
  beforeEach(async () => {
    instances = await TestInstances.start();
  });
  afterEach(() => instances.stop());

  const mints = () => instances.kinde.counters.mints;
  const redis = (name: string, ...args: string[]) => instances.inspector.command(name, ...args);
  const tokenNames = async () => (await redis('KEYS', '*:token:*')) as string[];
  const newKey = () => instances.kinde.createKey().key;

  async function addInstances(count: number): Promise<void> {
    for (let added = 0; added < count; added += 1) await instances.add();
  }
  /** Lets every instance verify a new key, which takes a token. */
  const verifyAll = () => Promise.all(instances.all.map(({ service }) => service.verify(newKey())));

  it('is fetched once for eight instances that start together', async () => {
    await addInstances(8);
    await verifyAll();
    expect(mints()).toBe(1);
  });

  it('is fetched once by eight instances that verify the configuration at boot', async () => {
    const booted = await Promise.all(Array.from({ length: 8 }, () => instances.add({ verifyAtBoot: 'error' })));
    expect(mints()).toBe(1);
    expect(booted.flatMap(({ warnings }) => warnings)).toEqual([]);
  });

  it('is renewed by one instance before it expires', async () => {
    await addInstances(4);
    await verifyAll();
    instances.clock.advance(86_400_000 * 0.85);
    await verifyAll();
    await verifyAll();
    expect(mints()).toBe(2);
  });

  it('is replaced once for all instances when Kinde rejects it', async () => {
    await addInstances(4);
    await verifyAll();
    instances.kinde.revokeTokens();
    expect((await verifyAll()).every(({ accepted }) => accepted)).toBe(true);
    expect(mints()).toBe(2);
  });

  it('is not renewed for bad keys that Kinde answers with 401, by no instance', async () => {
    await addInstances(4);
    await verifyAll();
    instances.kinde.invalidKeyAnswer = 401;
    for (let second = 0; second < 59; second += 1) {
      const bad = `k_live_bad_key_${String(second).padStart(4, '0')}`;
      for (const { service } of instances.all)
        await expect(service.verify(bad)).resolves.toEqual({ accepted: false, reason: 'unknown' });
      instances.clock.advance(1_000);
      if (second % 20 === 10) await (await instances.add()).service.verify(newKey());
    }
    expect(mints()).toBe(1);
  });

  it('is renewed at most once a minute by all instances together while Kinde rejects every token', async () => {
    await addInstances(4);
    await verifyAll();
    instances.kinde.failUntilCleared(401, 'verify');
    instances.kinde.failUntilCleared(401, 'keys');
    for (let second = 0; second < 59; second += 1) {
      for (const { service } of instances.all)
        await expect(service.verify(newKey())).rejects.toMatchObject({ code: 'VERIFICATION_UNAVAILABLE' });
      instances.clock.advance(1_000);
      if (second % 20 === 10) await instances.add();
    }
    expect(mints()).toBe(2);
  });

  it('is fetched by another instance when the one that holds the lock dies', async () => {
    const lock = `${await nameOfToken()}:lock`;
    const instance = await instances.add({ kinde: { timeoutMs: 10_000 } });
    await redis('SET', lock, 'an instance that died', 'PX', '1000');
    await expect(instance.service.verify(newKey())).resolves.toMatchObject({ accepted: true });
    expect(mints()).toBe(1);
  });

  it.each([
    ['never expires', []],
    ['lasts a day', ['PX', '86400000']],
  ])('is fetched by a new instance although a lock of another owner %s', async (_what, expiry) => {
    const lock = `${await nameOfToken()}:lock`;
    const instance = await instances.add({ kinde: { timeoutMs: 10_000 } });
    await redis('SET', lock, 'x', ...expiry);
    await expect(instance.service.verify(newKey())).resolves.toMatchObject({ accepted: true });
    expect([mints(), await redis('EXISTS', lock)]).toEqual([1, 0]);
  });

  it('is fetched by an instance itself when the lock holds something else than text', async () => {
    const lock = `${await nameOfToken()}:lock`;
    const instance = await instances.add({ kinde: { timeoutMs: 10_000 } });
    await redis('LPUSH', lock, 'x');
    await expect(instance.service.verify(newKey())).resolves.toMatchObject({ accepted: true });
    expect(mints()).toBe(1);
  });

  it('is locked for one second, again and again, while an instance fetches it', async () => {
    const lock = `${await nameOfToken()}:lock`;
    const instance = await instances.add({ kinde: { timeoutMs: 10_000 } });
    let sendToken = (): void => undefined;
    instances.kinde.failNext({ holdUntil: new Promise<void>((resolve) => (sendToken = resolve)) }, 'token');
    const verdict = instance.service.verify(newKey());
    const leftMs = async () => Number(await redis('PTTL', lock));
    await until(async () => (await leftMs()) > 0);
    expect(await leftMs()).toBeLessThanOrEqual(1_000);
    let before = await leftMs();
    await until(async () => {
      const isExtended = (await leftMs()) > before;
      before = await leftMs();
      return isExtended;
    });
    sendToken();
    await expect(verdict).resolves.toMatchObject({ accepted: true });
    expect(await redis('EXISTS', lock)).toBe(0);
  });

  it('is not taken from a value that was changed', async () => {
    const one = await instances.add();
    await one.service.verify(newKey());
    const [name = ''] = await tokenNames();
    await redis('SET', name, `${String(await redis('GET', name)).slice(0, -2)}AA`);
    const other = await instances.add();
    await other.service.verify(newKey());
    expect(mints()).toBe(2);
  });

  it('is not taken from a value that was copied from another audience', async () => {
    const { domain, credentials } = instances.kinde;
    const one = await instances.add();
    await one.service.verify(newKey());
    const [name = ''] = await tokenNames();
    // Kinde mints no token for this audience: only the copied one could verify the key.
    const audience = 'https://elsewhere/api';
    const elsewhere = new SharedSecrets({ origin: domain, ...credentials, audience, apiId: null });
    expect(elsewhere.tokenName).not.toBe(name);
    await redis('SET', elsewhere.tokenName, String(await redis('GET', name)));
    const other = await instances.add({ audience });
    await expect(other.service.verify(newKey())).rejects.toThrow(KindeApiKeyMisconfiguredError);
    expect(await tokenNames()).toHaveLength(2);
  });

  /** Returns where the token will be stored. Lets an instance fetch one, and deletes it. */
  async function nameOfToken(): Promise<string> {
    const first = await instances.add();
    await first.service.verify(newKey());
    const [name = ''] = await tokenNames();
    await redis('DEL', name);
    instances.kinde.resetCounters();
    return name;
  }
});
