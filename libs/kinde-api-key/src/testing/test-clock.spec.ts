import { TestClock } from './test-clock.js';

describe('TestClock', () => {
  it('stays at the instant of its start', () => {
    const clock = new TestClock(1_000);
    expect(clock.now()).toBe(1_000);
    expect(clock.now()).toBe(1_000);
  });

  it('starts at the current time by default', () => {
    const before = Date.now();
    const started = new TestClock().now();
    expect(started).toBeGreaterThanOrEqual(before);
    expect(started).toBeLessThanOrEqual(Date.now());
  });

  it('advances by the given milliseconds, zero and fractions included', () => {
    const clock = new TestClock(0);
    clock.advance(60_000);
    clock.advance(0);
    clock.advance(0.5);
    expect(clock.now()).toBe(60_000.5);
  });

  it('goes back in time by set() only', () => {
    const clock = new TestClock(5_000);
    expect(() => clock.advance(-1)).toThrow(
      'TestClock.advance(ms): ms must not be negative, got -1. Use set(ms) to go back in time',
    );
    clock.set(1_000);
    expect(clock.now()).toBe(1_000);
  });

  it.each([NaN, Infinity, -Infinity, '5' as unknown as number, undefined as unknown as number])(
    'refuses to advance by %p and stays where it was',
    (ms) => {
      const clock = new TestClock(5_000);
      expect(() => clock.advance(ms)).toThrow(RangeError);
      expect(clock.now()).toBe(5_000);
    },
  );

  it.each([NaN, Infinity, 8.64e15 + 1, '5' as unknown as number])('throws a RangeError when set to %p', (ms) => {
    const clock = new TestClock(5_000);
    expect(() => clock.set(ms)).toThrow('TestClock.set(ms): expected milliseconds since the Unix epoch');
    expect(() => new TestClock(ms)).toThrow('TestClock(startMs): expected milliseconds since the Unix epoch');
    expect(clock.now()).toBe(5_000);
  });

  it('does not advance beyond the last instant of a Date', () => {
    const clock = new TestClock(8.64e15);
    expect(() => clock.advance(1)).toThrow(RangeError);
    expect(clock.now()).toBe(8.64e15);
  });
});
