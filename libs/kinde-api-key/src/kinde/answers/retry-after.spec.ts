import fc from 'fast-check';
import { parseRetryAfterSeconds } from './retry-after.js';

const NOW_MS = Date.parse('2026-11-22T10:00:00Z');
const parse = (headers: Record<string, string>) => parseRetryAfterSeconds(headers, NOW_MS);

describe('parseRetryAfterSeconds', () => {
  it.each([
    ['RateLimit-Reset', { 'ratelimit-reset': '17' }, 17],
    ['Retry-After in seconds', { 'retry-after': '30' }, 30],
    ['the longer of two, Retry-After', { 'ratelimit-reset': '17', 'retry-after': '30' }, 30],
    ['the longer of two, RateLimit-Reset', { 'ratelimit-reset': '17', 'retry-after': '3' }, 17],
    ['a reset of 0 beside Retry-After', { 'ratelimit-reset': '0', 'retry-after': '30' }, 30],
    ['a reset in epoch seconds', { 'ratelimit-reset': String(NOW_MS / 1_000 + 17) }, 17],
    ['a reset in epoch milliseconds', { 'ratelimit-reset': String(NOW_MS + 17_000) }, 17],
    ['a Retry-After in epoch seconds', { 'retry-after': String(NOW_MS / 1_000 + 17) }, 17],
    ['an epoch that has passed', { 'ratelimit-reset': String(NOW_MS / 1_000 - 17) }, 1],
    ['a header that was sent twice', { 'ratelimit-reset': '3, 9' }, 9],
    ['a header that was sent twice, without a space', { 'retry-after': '9,3' }, 9],
    ['a date beside a shorter reset', { 'ratelimit-reset': '5', 'retry-after': 'Sun, 22 Nov 2026 10:00:30 GMT' }, 30],
    ['Retry-After where RateLimit-Reset cannot be read', { 'ratelimit-reset': 'soon', 'retry-after': '30' }, 30],
    ['Retry-After as a date', { 'retry-after': 'Sun, 22 Nov 2026 10:00:50 GMT' }, 50],
    ['a date that has passed', { 'retry-after': 'Sun, 22 Nov 2026 09:00:00 GMT' }, 1],
    ['a date that is far away', { 'retry-after': 'Sun, 22 Nov 2099 09:00:00 GMT' }, 60],
    ['a fraction, rounded up', { 'ratelimit-reset': '1.2' }, 2],
    ['a longer fraction', { 'ratelimit-reset': '1.234567891' }, 2],
    ['nothing to wait for', { 'ratelimit-reset': '0' }, 1],
    ['a day, cut to a minute', { 'ratelimit-reset': '86400' }, 60],
    ['spaces around the number', { 'retry-after': ' 5 ' }, 5],
    ['spaces before a date', { 'retry-after': ' Sun, 22 Nov 2026 10:00:50 GMT' }, 50],
  ])('reads %s', (_what, headers, seconds) => {
    expect(parse(headers)).toBe(seconds);
  });

  it.each([
    {},
    { 'retry-after': '' },
    { 'retry-after': '-5' },
    { 'retry-after': '2026-11-22' },
    { 'retry-after': '1e3' },
    { 'retry-after': 'Never' },
    { 'retry-after': '22 Nov 2026 10:01:30 GMT' },
    { 'retry-after': 'Su, 22 Nov 2026 10:01:30 GMT' },
    { 'ratelimit-reset': '0x10' },
    { 'ratelimit-reset': '5,' },
    { 'ratelimit-reset': '5, soon' },
    { 'ratelimit-reset': ',5' },
  ])('reads nothing from %j', (headers) => {
    expect(parse(headers)).toBeUndefined();
  });

  it('returns only whole seconds from 1 to 60', () => {
    const value = fc.oneof(
      fc.string(),
      fc.nat().map(String),
      fc.double().map(String),
      fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    );
    fc.assert(
      fc.property(value, value, (reset, after) => {
        const seconds = parse({ 'ratelimit-reset': reset, 'retry-after': after }) ?? 1;
        expect(Number.isInteger(seconds) && seconds >= 1 && seconds <= 60).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});
