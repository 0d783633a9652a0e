import fc from 'fast-check';
import { TestClock } from '../testing/index.js';
import { FailedAttempts } from './failed-attempts.js';

const request = (ip: unknown = '192.0.2.1') => ({ ip });

describe('FailedAttempts', () => {
  it('looks at as many attempts as the limit, then at one for each share of the window that passes', () => {
    const clock = new TestClock();
    const attempts = new FailedAttempts({ limit: 3, windowMs: 60_000 }, clock);
    for (let count = 0; count < 3; count += 1) {
      expect(attempts.waitSeconds(request())).toBe(0);
      attempts.record(request());
    }
    expect(attempts.waitSeconds(request())).toBe(20);
    clock.advance(19_001);
    expect(attempts.waitSeconds(request())).toBe(1);
    clock.advance(999);
    expect(attempts.waitSeconds(request())).toBe(0);
    attempts.record(request());
    expect(attempts.waitSeconds(request())).toBe(20);
  });

  it('counts each network by itself, whatever the spelling', () => {
    const attempts = new FailedAttempts({ limit: 1, windowMs: 60_000 }, new TestClock());
    attempts.record(request('2001:db8::1'));
    expect(attempts.waitSeconds(request('2001:0DB8:0:0:ffff::2'))).toBe(60);
    expect(attempts.waitSeconds(request('2001:db8:0:1::1'))).toBe(0);
    expect(attempts.waitSeconds(request())).toBe(0);
  });

  it('counts nothing where there is no address', () => {
    const attempts = new FailedAttempts({ limit: 1, windowMs: 60_000 }, new TestClock());
    attempts.record(request(undefined));
    attempts.record({});
    expect(attempts.waitSeconds({})).toBe(0);
  });

  it('remembers a bounded number of networks', () => {
    const attempts = new FailedAttempts({ limit: 1, windowMs: 60_000 }, new TestClock());
    for (let index = 0; index <= 10_000; index += 1)
      attempts.record(request(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`));
    expect(attempts.waitSeconds(request('10.0.0.0'))).toBe(0);
    expect(attempts.waitSeconds(request('10.0.39.16'))).toBe(60);
  });

  it('never lets more than twice the limit through in a window', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 200 }),
        (limit, gaps) => {
          const clock = new TestClock(0);
          const windowMs = 10_000;
          const attempts = new FailedAttempts({ limit, windowMs }, clock);
          const looked: number[] = [];
          for (const gap of gaps) {
            clock.advance(gap);
            if (attempts.waitSeconds(request()) > 0) continue;
            attempts.record(request());
            looked.push(clock.now());
          }
          for (const from of looked)
            expect(looked.filter((at) => at >= from && at < from + windowMs).length).toBeLessThan(2 * limit + 1);
        },
      ),
    );
  });
});
