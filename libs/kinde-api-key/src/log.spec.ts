import { LogThrottle } from './log.js';
import { TestClock } from './testing/index.js';

describe('LogThrottle', () => {
  it('lets a key log once per interval, by the injected clock', () => {
    const clock = new TestClock();
    const throttle = new LogThrottle(clock, 60_000);
    expect([throttle.isDue('a'), throttle.isDue('a'), throttle.isDue('b')]).toEqual([true, false, true]);
    clock.advance(59_999);
    expect(throttle.isDue('a')).toBe(false);
    clock.advance(1);
    expect([throttle.isDue('a'), throttle.isDue('a')]).toEqual([true, false]);
  });

  it('lets a key log again after the clock was set back', () => {
    const clock = new TestClock();
    const throttle = new LogThrottle(clock, 60_000);
    const startMs = clock.now();
    clock.advance(3_600_000);
    throttle.isDue('a');
    clock.set(startMs);
    expect([throttle.isDue('a'), throttle.isDue('a')]).toEqual([true, false]);
  });

  it('evicts the oldest key when it holds 1,000', () => {
    const throttle = new LogThrottle(new TestClock(), 60_000);
    for (let key = 0; key < 1_000; key += 1) throttle.isDue(key);
    expect(throttle.isDue(0)).toBe(false);
    throttle.isDue(1_000);
    expect([throttle.isDue(1), throttle.isDue(0)]).toEqual([false, true]);
  });
});
