import { KindeApiKeyMisconfiguredError } from '../kinde-api-key.errors.js';
import { TestClock } from '../testing/index.js';
import { Outage, type OutageKind } from './outage.js';
import { HealthLog } from './health-log.js';

function newTrouble() {
  const clock = new TestClock(1_000_000);
  const lines: string[] = [];
  const write = (level: string) => (message: string) => void lines.push(`${level}: ${message}`);
  const trouble = new HealthLog({ debug: write('debug'), warn: write('warn'), error: write('error') }, clock);
  return { trouble, clock, lines };
}
const down = new Outage('kinde', 'Kinde answered with status 503');

describe('HealthLog', () => {
  it('reports an outage when it begins and when it ends, and how long it took', () => {
    const { trouble, clock, lines } = newTrouble();
    trouble.answered();
    for (let index = 0; index < 100; index += 1) trouble.failed(down);
    clock.advance(42_000);
    trouble.failed(down);
    for (let index = 0; index < 100; index += 1) trouble.answered();
    expect(lines).toEqual([
      'warn: Kinde cannot verify API keys at the moment: Kinde answered with status 503. Keys that are not cached are answered 503 until it can',
      'warn: Kinde verifies API keys again, after 42 s',
    ]);
  });

  it('reports an outage that comes and goes once in ten seconds', () => {
    const { trouble, clock, lines } = newTrouble();
    for (let second = 0; second < 20; second += 1) {
      trouble.failed(down);
      trouble.answered();
      clock.advance(1_000);
    }
    expect(lines).toHaveLength(4);
  });

  it.each<[OutageKind, number]>([
    ['kinde', 1],
    ['deadline', 1],
    ['throttled', 1],
    ['busy', 1],
    ['breaker_open', 0],
    ['closed', 0],
  ])('has for an outage of the kind %s %d line', (kind, count) => {
    const { trouble, lines } = newTrouble();
    for (let index = 0; index < 3; index += 1) trouble.failed(new Outage(kind, 'text'));
    expect(lines).toHaveLength(count);
  });

  it('does not take a full queue of ours for an outage of Kinde', () => {
    const { trouble, lines } = newTrouble();
    trouble.failed(new Outage('busy', 'too many wait'));
    trouble.answered();
    expect(lines).toEqual([
      "warn: too many wait. Answered 503; look for a flood of new keys, or raise the limits in 'kinde'",
    ]);
  });

  it('reports everything else at most once a minute', () => {
    const { trouble, clock, lines } = newTrouble();
    const report = () => {
      trouble.misconfigured(new KindeApiKeyMisconfiguredError('Grant it', { retryAfterSeconds: 10 }));
      trouble.unknownStatus();
      trouble.renewalFailed(new Error('no answer'));
      trouble.unexpected(new TypeError('secret'));
      trouble.failed(new Outage('busy', 'full'));
    };
    report();
    clock.advance(59_999);
    report();
    expect(lines).toHaveLength(5);
    clock.advance(1);
    report();
    expect(lines).toHaveLength(10);
  });

  it('asks for help at the level error, and only where somebody has to help', () => {
    const { trouble, lines } = newTrouble();
    trouble.misconfigured(new KindeApiKeyMisconfiguredError('Grant it', { retryAfterSeconds: 10 }));
    trouble.unknownStatus();
    trouble.renewalFailed(new Error('no answer'));
    expect(lines.map((line) => line.slice(0, 5))).toEqual(['error', 'warn:', 'warn:']);
  });

  it.each([
    ['TypeError', new TypeError('secret')],
    ['string', 'secret'],
  ])('names the class of an unexpected failure, %s, and repeats nothing of it', (name, error) => {
    const { trouble, lines } = newTrouble();
    trouble.unexpected(error);
    expect(lines).toEqual([`error: A verification failed for a reason that should not exist (${name})`]);
  });

  it('survives a log that throws', () => {
    const broken = () => {
      throw new Error('disk full');
    };
    const trouble = new HealthLog({ debug: broken, warn: broken, error: broken }, new TestClock(0));
    expect(() => trouble.failed(down)).not.toThrow();
    expect(() => trouble.answered()).not.toThrow();
    expect(() => trouble.unexpected(down)).not.toThrow();
  });
});
