import { SharedStoreError } from '../shared-store.js';
import { RedisCircuit } from './redis-circuit.js';

/** A server that answers when the test says so. */
function setUp(timeoutMs = 20) {
  const warnings: string[] = [];
  let isUp = true;
  let probes = 0;
  let back = 0;
  const lifeline = new RedisCircuit({
    probe: async () => {
      probes += 1;
      if (!isUp) throw new Error('connect ECONNREFUSED');
    },
    timeoutMs,
    log: { warn: (message) => warnings.push(message) },
    onBack: () => (back += 1),
  });
  const never = () => new Promise<never>(() => undefined);
  return { lifeline, warnings, never, set: (up: boolean) => (isUp = up), counts: () => ({ probes, back }) };
}

const until = async (isSo: () => boolean) => {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe('the lifeline', () => {
  it('passes answers on', async () => {
    const { lifeline } = setUp();
    await expect(lifeline.run(async () => 'answer')).resolves.toBe('answer');
  });

  it('costs one deadline, and then nothing while there is no answer', async () => {
    const { lifeline, never, set, warnings } = setUp();
    set(false);
    await expect(lifeline.run(never)).rejects.toThrow(SharedStoreError);
    let sent = 0;
    const startedAtMs = performance.now();
    // A hundred deadlines would be two seconds.
    for (let times = 0; times < 100; times += 1)
      await expect(lifeline.run(async () => (sent += 1))).rejects.toThrow('out of reach');
    expect(performance.now() - startedAtMs).toBeLessThan(1_000);
    expect(sent).toBe(0);
    expect(warnings).toHaveLength(1);
    lifeline.close();
  });

  it('notices by itself that the other side is back, and no call is the probe', async () => {
    const { lifeline, set, warnings, counts } = setUp();
    set(false);
    await expect(
      lifeline.run(() => {
        throw new Error('The client is closed');
      }),
    ).rejects.toThrow(SharedStoreError);
    await until(() => counts().probes === 1);
    await expect(lifeline.run(async () => 1)).rejects.toThrow('out of reach');
    set(true);
    await until(() => counts().back === 1);
    await expect(lifeline.run(async () => 1)).resolves.toBe(1);
    expect(warnings).toEqual([expect.stringContaining('does not answer'), 'Redis answers again']);
  });

  it('goes on after an answer that refuses, says so once, and repeats nothing of it but its first word', async () => {
    const { lifeline, warnings, counts } = setUp();
    const refuse = async () => {
      throw new Error('OOM command not allowed, args beginning with: the secret');
    };
    for (let times = 0; times < 3; times += 1)
      await expect(lifeline.run(refuse)).rejects.toThrow('Redis refused (OOM)');
    await expect(lifeline.run(async () => 1)).resolves.toBe(1);
    expect(warnings).toEqual([expect.stringMatching(/^Redis refuses [^:]*\(OOM\): /)]);
    expect(warnings.join()).not.toContain('secret');
    expect(counts().probes).toBe(0);
  });

  it('does not blame the other side for a time in which this process stood still', async () => {
    const { lifeline } = setUp(20);
    const answered = new Promise<string>((resolve) => setTimeout(() => setImmediate(() => resolve('in time')), 0));
    const running = lifeline.run(() => answered);
    const endsAtMs = performance.now() + 60;
    while (performance.now() < endsAtMs);
    await expect(running).resolves.toBe('in time');
  });

  it('goes on after a call that was not answered in time while others were', async () => {
    const { lifeline, never, warnings } = setUp();
    const slow = lifeline.run(never);
    await lifeline.run(async () => 1);
    await expect(slow).rejects.toThrow('too slow');
    await expect(lifeline.run(async () => 2)).resolves.toBe(2);
    expect(warnings).toEqual([]);
  });

  it('sends nothing after it was closed', async () => {
    const { lifeline } = setUp();
    lifeline.close();
    lifeline.close();
    await expect(lifeline.run(async () => 1)).rejects.toThrow(SharedStoreError);
  });
});
