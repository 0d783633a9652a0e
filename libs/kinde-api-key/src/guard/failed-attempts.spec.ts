import fc from 'fast-check';
import { TestClock } from '../testing/index.js';
import { FailedAttempts } from './failed-attempts.js';

const request = (ip: unknown = '192.0.2.1') => ({ ip });

describe('FailedAttempts', () => {
  it('lets a network make as many failures as the limit, then waits until the oldest leaves the window', () => {
    const clock = new TestClock();
    const attempts = new FailedAttempts({ limit: 3, windowMs: 60_000 }, clock);
    for (let count = 0; count < 3; count += 1) {
      expect(attempts.waitSeconds(request())).toBe(0);
      attempts.record(request());
      clock.advance(10_000);
    }
    expect(attempts.waitSeconds(request())).toBe(30);
    clock.advance(29_001);
    expect(attempts.waitSeconds(request())).toBe(1);
    clock.advance(999);
    expect(attempts.waitSeconds(request())).toBe(0);
    attempts.record(request());
    expect(attempts.waitSeconds(request())).toBe(10);
  });

  it('does not extend the wait for failures beyond the limit', () => {
    const clock = new TestClock();
    const attempts = new FailedAttempts({ limit: 1, windowMs: 60_000 }, clock);
    for (let count = 0; count < 5; count += 1) {
      attempts.record(request());
      clock.advance(10_000);
    }
    expect(attempts.waitSeconds(request())).toBe(10);
  });

  it('counts each network apart, in every spelling of its address', () => {
    const attempts = new FailedAttempts({ limit: 1, windowMs: 60_000 }, new TestClock());
    attempts.record(request('2001:db8::1'));
    expect(attempts.waitSeconds(request('2001:0DB8:0:0:ffff::2'))).toBe(60);
    expect(attempts.waitSeconds(request('2001:db8:0:1::1'))).toBe(0);
    expect(attempts.waitSeconds(request())).toBe(0);
  });

  it('counts all requests without an IP address as one network, and warns once', () => {
    const log = { warn: jest.fn() };
    const attempts = new FailedAttempts({ limit: 2, windowMs: 60_000 }, new TestClock(), log);
    attempts.record({});
    attempts.record(request('unix:'));
    expect(attempts.waitSeconds({})).toBe(60);
    expect(attempts.waitSeconds(request())).toBe(0);
    expect(log.warn.mock.calls).toEqual([[expect.stringContaining('request.ip')]]);
  });

  it('counts unknown keys that Kinde is asked about against a network that has failed, and against no other', () => {
    const attempts = new FailedAttempts({ limit: 3, windowMs: 60_000 }, new TestClock());
    const releases = [1, 2, 3, 4].map(() => attempts.reserve(request()));
    expect(attempts.waitSeconds(request())).toBe(0);
    attempts.record(request());
    expect(attempts.waitSeconds(request())).toBe(1);
    releases.splice(0, 2).forEach((release) => release());
    expect(attempts.waitSeconds(request())).toBe(1);
    releases.forEach((release) => release());
    expect(attempts.waitSeconds(request())).toBe(0);
  });

  it('keeps 10,000 networks, and evicts the one whose last failure is longest ago', () => {
    const attempts = new FailedAttempts({ limit: 1, windowMs: 60_000 }, new TestClock());
    for (let index = 0; index <= 10_000; index += 1)
      attempts.record(request(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`));
    expect(attempts.waitSeconds(request('10.0.0.0'))).toBe(0);
    for (const kept of ['10.0.0.1', '10.0.39.16']) expect(attempts.waitSeconds(request(kept))).toBe(60);
  });

  it('does not keep a network longer because it asks how long to wait', () => {
    const attempts = new FailedAttempts({ limit: 1, windowMs: 60_000 }, new TestClock());
    for (let index = 0; index <= 10_000; index += 1) {
      attempts.record(request(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`));
      if (index < 10_000) expect(attempts.waitSeconds(request('10.0.0.0'))).toBe(60);
    }
    expect(attempts.waitSeconds(request('10.0.0.0'))).toBe(0);
  });

  it('allows no more than the limit in any window', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 200 }),
        (limit, gaps) => {
          const clock = new TestClock(0);
          const windowMs = 10_000;
          const attempts = new FailedAttempts({ limit, windowMs }, clock);
          const failures: number[] = [];
          for (const gap of gaps) {
            clock.advance(gap);
            if (attempts.waitSeconds(request()) > 0) continue;
            attempts.record(request());
            failures.push(clock.now());
          }
          for (const from of failures)
            expect(failures.filter((at) => at >= from && at < from + windowMs).length).toBeLessThanOrEqual(limit);
        },
      ),
    );
  });
});
