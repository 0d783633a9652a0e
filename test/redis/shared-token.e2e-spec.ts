import { TestFleet } from '../support/fleet.js';
import { describeRedis } from '../support/redis-server.js';

describeRedis('the M2M token in Redis', () => {
  let fleet: TestFleet;
  beforeEach(async () => {
    fleet = await TestFleet.start();
  });
  afterEach(() => fleet.stop());

  const mints = () => fleet.kinde.counters.mints;
  const verifyAll = () =>
    Promise.all(fleet.instances.map(({ service }) => service.verify(fleet.kinde.createKey().key)));
  const tokenName = async () => ((await fleet.inspector.command('KEYS', '*:token:*')) as string[])[0] ?? '';

  it('is fetched once for eight instances that start at once', async () => {
    for (let count = 0; count < 8; count += 1) await fleet.add();
    await verifyAll();
    expect(mints()).toBe(1);
  });

  it('is renewed ahead of its end by one of them', async () => {
    for (let count = 0; count < 4; count += 1) await fleet.add();
    await verifyAll();
    fleet.clock.advance(86_400_000 * 0.85);
    await verifyAll();
    await verifyAll();
    expect(mints()).toBe(2);
  });

  it('that Kinde does not take any more is replaced once for all of them', async () => {
    for (let count = 0; count < 4; count += 1) await fleet.add();
    await verifyAll();
    fleet.kinde.revokeTokens();
    expect((await verifyAll()).every(({ accepted }) => accepted)).toBe(true);
    expect(mints()).toBe(2);
  });

  it('is fetched anew at most once a minute by the whole fleet, whatever bad keys are sent', async () => {
    for (let count = 0; count < 4; count += 1) await fleet.add();
    await verifyAll();
    fleet.kinde.invalidKeyAnswer = 401;
    for (let second = 0; second < 59; second += 1) {
      const bad = `k_live_bad_key_${String(second).padStart(4, '0')}`;
      for (const { service } of fleet.instances)
        await expect(service.verify(bad)).resolves.toEqual({ accepted: false, reason: 'unknown' });
      fleet.clock.advance(1_000);
      // One that starts meanwhile has replaced nothing itself, and believes the others that the token is good.
      if (second % 20 === 10) await fleet.add();
    }
    expect(mints()).toBe(2);
  });

  it('is waited for no longer than a second when the one who fetches it dies', async () => {
    const instance = await fleet.add();
    await fleet.inspector.command('SET', (await nameOfFirstToken()) + ':lock', 'somebody who died', 'PX', '1000');
    const startedAtMs = performance.now();
    await instance.service.verify(fleet.kinde.createKey().key);
    expect(performance.now() - startedAtMs).toBeLessThan(1_500);
    expect(mints()).toBe(1);
  });

  it('is not taken from an entry that was changed, moved or made by somebody else', async () => {
    const one = await fleet.add();
    await one.service.verify(fleet.kinde.createKey().key);
    const name = await tokenName();
    const sealed = String(await fleet.inspector.command('GET', name));
    const other = await fleet.add({ audience: 'https://elsewhere/api' });
    await fleet.inspector.command('SET', name, `${sealed.slice(0, -2)}AA`);
    const third = await fleet.add();
    await third.service.verify(fleet.kinde.createKey().key);
    expect(mints()).toBe(2);
    await other.service.verify(fleet.kinde.createKey().key).catch(() => undefined);
    const names = (await fleet.inspector.command('KEYS', '*:token:*')) as string[];
    for (const each of names) await fleet.inspector.command('SET', each, sealed);
    expect(mints()).toBe(2);
  });

  /** Where the token of this fleet will be: an instance that fetches one shows it. */
  async function nameOfFirstToken(): Promise<string> {
    const scout = await fleet.add();
    await scout.service.verify(fleet.kinde.createKey().key);
    const name = await tokenName();
    await fleet.inspector.command('DEL', name);
    fleet.kinde.resetCounters();
    return name;
  }
});
