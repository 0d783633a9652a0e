import { TestClock } from '../../testing/index.js';
import { Circuit } from './circuit.js';
import { Outage } from '../outage.js';

const fail = () => Promise.reject(new Outage('kinde', 'down'));
const succeed = () => Promise.resolve('ok');

function newBreaker() {
  const clock = new TestClock(1_000_000);
  const openings: Outage[] = [];
  const breaker = new Circuit(clock, (refusal) => openings.push(refusal));
  const failTimes = async (times: number) => {
    for (let index = 0; index < times; index += 1) await breaker.run(fail).catch(() => undefined);
  };
  return { breaker, clock, openings, failTimes };
}

describe('Circuit', () => {
  it('stays closed for nine failures in a row', async () => {
    const { breaker, failTimes, openings } = newBreaker();
    await failTimes(9);
    expect(breaker.refusal()).toBeUndefined();
    await expect(breaker.run(succeed)).resolves.toBe('ok');
    expect(openings).toEqual([]);
  });

  it('opens at the tenth, says so once, and calls nobody', async () => {
    const { breaker, failTimes, openings } = newBreaker();
    await failTimes(10);
    const call = jest.fn(succeed);
    await expect(breaker.run(call)).rejects.toMatchObject({ kind: 'breaker_open', retryAfterSeconds: 1 });
    expect(call).not.toHaveBeenCalled();
    expect(openings).toEqual([expect.objectContaining({ kind: 'breaker_open', retryAfterSeconds: 1 })]);
  });

  it('starts to count again after a success', async () => {
    const { breaker, failTimes } = newBreaker();
    await failTimes(9);
    await breaker.run(succeed);
    await failTimes(9);
    expect(breaker.refusal()).toBeUndefined();
  });

  it('does not count what says nothing about Kinde', async () => {
    const { breaker } = newBreaker();
    for (let index = 0; index < 20; index += 1) {
      await expect(breaker.run(() => Promise.reject(new Outage('busy', 'full')))).rejects.toThrow('full');
    }
    expect(breaker.refusal()).toBeUndefined();
  });

  it('lets one probe through after a second, and nobody else meanwhile', async () => {
    const { breaker, clock, failTimes } = newBreaker();
    await failTimes(10);
    clock.advance(999);
    await expect(breaker.run(succeed)).rejects.toMatchObject({ kind: 'breaker_open' });
    clock.advance(1);
    expect(breaker.refusal()).toBeUndefined();
    let finish = (_value: string): void => {};
    const probes: boolean[] = [];
    const probe = breaker.run((isProbe) => {
      probes.push(isProbe);
      return new Promise<string>((resolve) => (finish = resolve));
    });
    const others = await Promise.allSettled(Array.from({ length: 100 }, () => breaker.run(succeed)));
    expect(others.filter(({ status }) => status === 'rejected')).toHaveLength(100);
    expect(breaker.refusal()).toMatchObject({ retryAfterSeconds: 1 });
    finish('ok');
    await expect(probe).resolves.toBe('ok');
    await breaker.run(async (isProbe) => void probes.push(isProbe));
    expect(probes).toEqual([true, false]);
  });

  it('doubles the pause with each failing probe, up to 30 s, and says how long it is', async () => {
    const { breaker, clock, failTimes, openings } = newBreaker();
    await failTimes(10);
    const pauses: (number | undefined)[] = [];
    for (let index = 0; index < 7; index += 1) {
      const seconds = breaker.refusal()?.retryAfterSeconds;
      pauses.push(seconds);
      clock.advance((seconds ?? 0) * 1_000);
      await failTimes(1);
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 30, 30]);
    expect(openings.map(({ retryAfterSeconds }) => retryAfterSeconds)).toEqual([1, 2, 4, 8, 16, 30, 30, 30]);
  });

  it('rounds the rest of the pause up to whole seconds', async () => {
    const { breaker, clock, failTimes } = newBreaker();
    await failTimes(10);
    clock.advance(1_000);
    await failTimes(1);
    clock.advance(300);
    expect(breaker.refusal()?.retryAfterSeconds).toBe(2);
    clock.advance(1_000);
    expect(breaker.refusal()?.retryAfterSeconds).toBe(1);
  });

  it('begins with a second again after a success', async () => {
    const { breaker, clock, failTimes } = newBreaker();
    await failTimes(10);
    clock.advance(1_000);
    await failTimes(1);
    clock.advance(2_000);
    await breaker.run(succeed);
    await failTimes(10);
    expect(breaker.refusal()?.retryAfterSeconds).toBe(1);
  });

  it('does not wait longer because the wall clock was set back', async () => {
    jest.useFakeTimers({ now: Date.now(), doNotFake: ['nextTick', 'queueMicrotask', 'performance'] });
    try {
      const { breaker, clock, failTimes } = newBreaker();
      await failTimes(10);
      jest.setSystemTime(Date.now() - 3_600_000);
      clock.advance(1_000);
      await expect(breaker.run(succeed)).resolves.toBe('ok');
    } finally {
      jest.useRealTimers();
    }
  });
});
