import { TestClock } from '../../testing/index.js';
import { Backoff } from './backoff.js';

describe('Backoff', () => {
  it('is over until it starts, and then doubles up to the longest wait', () => {
    const clock = new TestClock(1_000_000);
    const backoff = new Backoff(clock, 1_000, 5_000);
    expect(backoff.remainingMs).toBe(0);
    for (const waitMs of [1_000, 2_000, 4_000, 5_000, 5_000]) {
      backoff.start();
      expect(backoff.remainingMs).toBe(waitMs);
      clock.advance(waitMs - 1);
      expect(backoff.remainingMs).toBe(1);
      clock.advance(1);
      expect(backoff.remainingMs).toBe(0);
    }
  });

  it('starts again with the first wait after a reset', () => {
    const backoff = new Backoff(new TestClock(0), 1_000, 5_000);
    backoff.start();
    backoff.start();
    backoff.reset();
    expect(backoff.remainingMs).toBe(0);
    backoff.start();
    expect(backoff.remainingMs).toBe(1_000);
  });

  it('is as long as the first after it was shortened, now and when it starts again', () => {
    const backoff = new Backoff(new TestClock(0), 1_000, 5_000);
    backoff.start();
    backoff.start();
    backoff.shorten();
    expect(backoff.remainingMs).toBe(1_000);
    backoff.start();
    expect(backoff.remainingMs).toBe(1_000);
  });

  it('is over when the clock is set back to before its start', () => {
    const clock = new TestClock(3_600_000);
    const backoff = new Backoff(clock, 60_000);
    backoff.start();
    clock.set(0);
    expect(backoff.remainingMs).toBe(0);
  });
});
