import { SharedStoreError } from '../shared-store.js';
import { RedisCircuit } from './redis-circuit.js';
import { RedisHealthLog } from './redis-health-log.js';

const TIMEOUT_MS = 20;
const never = () => new Promise<never>(() => undefined);

// Node's own setImmediate: the class uses it to let an answer that is here already win over the deadline.
beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] }));
afterEach(() => jest.useRealTimers());

/** A circuit before a Redis that answers probes when the test says so. */
function setUp() {
  const warnings: string[] = [];
  const redis: { probe: () => Promise<unknown>; probes: number; ups: number } = {
    probe: async () => 'PONG',
    probes: 0,
    ups: 0,
  };
  const probe = () => {
    redis.probes += 1;
    return redis.probe();
  };
  const effect = 'Each instance counts';
  const log = new RedisHealthLog({ warn: (message) => warnings.push(message) }, TIMEOUT_MS, () => effect);
  const circuit = new RedisCircuit(probe, TIMEOUT_MS, log, () => (redis.ups += 1));
  return { circuit, redis, warnings };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));
/** Lets time pass, with everything that becomes due. */
async function pass(ms: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(ms);
  await settle();
}

const refuseConnection = async () => {
  throw new Error('connect ECONNREFUSED');
};
/** A call that gets no answer takes the circuit down. */
async function takeDown(circuit: RedisCircuit): Promise<void> {
  await expect(circuit.run(refuseConnection)).rejects.toThrow(new SharedStoreError('Redis did not answer'));
}

describe('RedisCircuit', () => {
  it('passes an answer on', async () => {
    const { circuit } = setUp();
    await expect(circuit.run(async () => 'answer')).resolves.toBe('answer');
    expect(jest.getTimerCount()).toBe(0);
  });

  it('rejects a call that is not answered by its deadline, and from then on every call at once', async () => {
    const { circuit, redis, warnings } = setUp();
    redis.probe = never;
    const first = circuit.run(never).catch((error: unknown) => error);
    await pass(TIMEOUT_MS);
    await expect(first).resolves.toEqual(new SharedStoreError('Redis did not answer'));
    const send = jest.fn();
    for (let times = 0; times < 100; times += 1) await expect(circuit.run(send)).rejects.toThrow('Redis is down');
    expect(send).not.toHaveBeenCalled();
    expect([warnings, redis.probes]).toEqual([[], 1]);
    circuit.close();
  });

  it('is down after a second without any answer, and logs it', async () => {
    const { circuit, redis, warnings } = setUp();
    redis.probe = never;
    const waiting = circuit.runPatiently(never).catch((error: unknown) => error);
    await pass(TIMEOUT_MS + 999);
    expect(warnings).toEqual([]);
    await pass(1);
    await expect(waiting).resolves.toEqual(new SharedStoreError('Redis did not answer'));
    await expect(circuit.runPatiently(async () => 1)).rejects.toThrow('Redis is down');
    expect(warnings).toEqual([
      expect.stringMatching(/^Redis does not answer \(timeoutMs is 20\)\. .* Each instance counts\. Check/),
    ]);
    circuit.close();
  });

  it('is down at once after a call whose own deadline of a second or more has passed', async () => {
    const { circuit, warnings } = setUp();
    const first = circuit.run(never, 1_000).catch((error: unknown) => error);
    await pass(1_000);
    await expect(first).resolves.toEqual(new SharedStoreError('Redis did not answer'));
    expect(warnings).toHaveLength(1);
    circuit.close();
  });

  it('does not go down for one late answer: a patient call gets it, and nothing is logged', async () => {
    const { circuit, redis, warnings } = setUp();
    let answer = (_value: string): void => undefined;
    const waiting = circuit.runPatiently(() => new Promise<string>((resolve) => (answer = resolve)));
    redis.probe = never;
    await pass(900);
    const second = circuit.runPatiently(async () => 'the next call');
    answer('late');
    await expect(waiting).resolves.toBe('late');
    await expect(second).resolves.toBe('the next call');
    await expect(circuit.run(async () => 1)).resolves.toBe(1);
    await pass(60_000);
    expect([warnings, redis.ups, jest.getTimerCount()]).toEqual([[], 0, 0]);
  });

  it('is up again as soon as a probe is answered in time after a late call', async () => {
    const { circuit, warnings } = setUp();
    const late = circuit.run(never).catch((error: unknown) => error);
    await pass(TIMEOUT_MS);
    await late;
    await expect(circuit.run(async () => 1)).resolves.toBe(1);
    expect(warnings).toEqual([]);
  });

  it('rejects a patient call after five seconds if Redis answers others only', async () => {
    const { circuit, warnings } = setUp();
    const lost = circuit.runPatiently(never).catch((error: unknown) => error);
    await pass(TIMEOUT_MS + 4_999);
    await circuit.run(async () => 1);
    await pass(1);
    await expect(lost).resolves.toEqual(new SharedStoreError('Redis did not answer'));
    expect(warnings).toEqual([]);
  });

  it('is too slow after five seconds of late answers, and stays so while probes are late: no request waits, one line', async () => {
    const { circuit, redis, warnings } = setUp();
    const slowly = () => new Promise((resolve) => setTimeout(resolve, 30, 'PONG'));
    redis.probe = slowly;
    for (let times = 0; times < 60; times += 1) {
      const taken = circuit.runPatiently(slowly).catch(() => undefined);
      await pass(100);
      await taken;
    }
    expect(warnings).toEqual([
      expect.stringMatching(/^Redis is too slow: it answers in 30 ms, and timeoutMs is 20\. Until it answers in time/),
    ]);
    const probes = redis.probes;
    const send = jest.fn(slowly);
    for (let second = 0; second < 3_600; second += 1) {
      await expect(circuit.run(send)).rejects.toThrow('Redis is down');
      await jest.advanceTimersByTimeAsync(1_000);
    }
    expect(send).not.toHaveBeenCalled();
    expect(redis.probes - probes).toBeLessThan(730);
    expect([warnings.length, redis.ups]).toEqual([1, 0]);
    redis.probe = async () => 'PONG';
    await pass(5_100);
    expect(warnings.slice(1)).toEqual(['Redis answers again']);
  });

  it('logs at most 120 lines an hour when Redis goes down and comes back all the time', async () => {
    const { circuit, redis, warnings } = setUp();
    for (let second = 0; second < 3_600; second += 1) {
      await circuit.run(refuseConnection).catch(() => undefined);
      await jest.advanceTimersByTimeAsync(1_000);
    }
    expect(redis.ups).toBe(3_600);
    expect(warnings.length).toBeGreaterThan(100);
    expect(warnings.length).toBeLessThanOrEqual(120);
  });

  it('logs an outage that follows another within the minute while it lasts', async () => {
    const { circuit, redis, warnings } = setUp();
    await takeDown(circuit);
    await pass(250);
    redis.probe = refuseConnection;
    await takeDown(circuit);
    await pass(50_000);
    expect(warnings).toHaveLength(2);
    await pass(20_000);
    expect(warnings.slice(2)).toEqual([expect.stringContaining('Redis does not answer')]);
    circuit.close();
  });

  it('probes Redis in the background while it is down, and passes calls on again after an answer', async () => {
    const { circuit, redis, warnings } = setUp();
    redis.probe = refuseConnection;
    await takeDown(circuit);
    await pass(250);
    expect(redis).toMatchObject({ probes: 1, ups: 0 });
    await expect(circuit.run(async () => 1)).rejects.toThrow('Redis is down');
    redis.probe = async () => 'PONG';
    await pass(500);
    expect(redis).toMatchObject({ probes: 2, ups: 1 });
    await expect(circuit.run(async () => 1)).resolves.toBe(1);
    expect(warnings).toEqual([expect.stringContaining('does not answer'), 'Redis answers again']);
    await pass(60_000);
    expect(redis.probes).toBe(2);
  });

  it('takes an error reply to a probe for an answer', async () => {
    const { circuit, redis } = setUp();
    redis.probe = async () => {
      throw new Error('NOAUTH Authentication required.');
    };
    await takeDown(circuit);
    await pass(250);
    expect(redis.ups).toBe(1);
  });

  it('doubles the pause between probes, from 250 ms to 5 s', async () => {
    const { circuit, redis } = setUp();
    redis.probe = refuseConnection;
    await takeDown(circuit);
    for (const pauseMs of [250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]) {
      const before = redis.probes;
      await pass(pauseMs - 1);
      expect(redis.probes).toBe(before);
      await pass(1);
      expect(redis.probes).toBe(before + 1);
    }
    circuit.close();
  });

  it('waits 30 s for the answer to a probe before it sends another, and does not take a late one for an answer in time', async () => {
    const { circuit, redis } = setUp();
    let answer = (_value: unknown): void => undefined;
    redis.probe = () => new Promise((resolve) => (answer = resolve));
    await takeDown(circuit);
    await pass(30_000);
    expect(redis.probes).toBe(1);
    await pass(10_000);
    expect(redis.probes).toBe(2);
    answer('PONG');
    await settle();
    expect(redis.ups).toBe(0);
    redis.probe = async () => 'PONG';
    await pass(5_000);
    expect(redis.ups).toBe(1);
  });

  it('continues after error replies, and logs one a minute by its first word only', async () => {
    const { circuit, redis, warnings } = setUp();
    const reply = async () => {
      throw new Error('OOM command not allowed, args beginning with: the secret');
    };
    for (let times = 0; times < 3; times += 1)
      await expect(circuit.run(reply)).rejects.toThrow('Redis replied with an error (OOM)');
    await expect(circuit.run(async () => 1)).resolves.toBe(1);
    expect(warnings).toEqual([expect.stringContaining('(OOM)')]);
    await pass(60_000);
    await expect(circuit.run(reply)).rejects.toThrow(SharedStoreError);
    expect(warnings).toHaveLength(2);
    expect(warnings.join()).not.toContain('secret');
    expect(redis.probes).toBe(0);
  });

  it('uses an answer that arrived while the process was suspended beyond the deadline', async () => {
    const { circuit } = setUp();
    let answer = (_value: string): void => undefined;
    const running = circuit.run(() => new Promise<string>((resolve) => (answer = resolve)));
    // After a suspension, Node runs timers that are due before it reads from sockets.
    jest.advanceTimersByTime(TIMEOUT_MS);
    answer('in time');
    await expect(running).resolves.toBe('in time');
  });

  it('stays up after a call without an answer if other calls were answered in the meantime', async () => {
    const { circuit, warnings } = setUp();
    const slow = circuit.run(never).catch((error: unknown) => error);
    await pass(1);
    await circuit.run(async () => 1);
    await pass(TIMEOUT_MS);
    await expect(slow).resolves.toEqual(new SharedStoreError('Redis did not answer'));
    await expect(circuit.run(async () => 2)).resolves.toBe(2);
    expect(warnings).toEqual([]);
  });

  it('rejects every call after close(), even if Redis was up or answers a probe later', async () => {
    const { circuit, redis, warnings } = setUp();
    circuit.close();
    await expect(circuit.run(async () => 1)).rejects.toThrow('Redis is down');
    const { circuit: other, redis: otherRedis } = setUp();
    let answer = (_value: unknown): void => undefined;
    otherRedis.probe = () => new Promise((resolve) => (answer = resolve));
    await takeDown(other);
    await pass(250);
    other.close();
    answer('PONG');
    await settle();
    await expect(other.run(async () => 1)).rejects.toThrow('Redis is down');
    expect([redis.ups, otherRedis.ups, warnings.length]).toEqual([0, 0, 0]);
  });

  it.each([
    ['refused', refuseConnection],
    ['not answered', never],
  ])('sends nothing after close(), and leaves no timer, when its probe is %s', async (_what, probe) => {
    const { circuit, redis } = setUp();
    redis.probe = probe;
    await takeDown(circuit);
    await pass(300);
    circuit.close();
    circuit.close();
    expect(jest.getTimerCount()).toBe(0);
    await expect(circuit.run(async () => 1)).rejects.toThrow(SharedStoreError);
  });
});
