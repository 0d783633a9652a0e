import { KindeApiKeyMisconfiguredError } from '../kinde-api-key.errors.js';
import { TestClock } from '../testing/index.js';
import { HealthLog } from './health-log.js';
import { KindeTransportError } from './http.js';
import { ADVICE, misconfigured, type Misconfiguration } from './misconfigured.js';
import { VerificationFailure, type FailureKind } from './verification-failure.js';

function newHealth() {
  const clock = new TestClock(1_000_000);
  const lines: string[] = [];
  const write = (level: string) => (message: string) => void lines.push(`${level}: ${message}`);
  const health = new HealthLog(
    { debug: write('debug'), log: write('log'), warn: write('warn'), error: write('error') },
    clock,
  );
  return { health, clock, lines };
}
const down = new VerificationFailure('kinde', 'Kinde answered with status 503');

describe('HealthLog', () => {
  it('logs an outage when it begins and when it ends, with its length', () => {
    const { health, clock, lines } = newHealth();
    health.answered();
    for (let index = 0; index < 100; index += 1) health.failed(down);
    clock.advance(42_000);
    health.failed(down);
    for (let index = 0; index < 100; index += 1) health.answered();
    expect(lines).toEqual([
      "warn: Kinde cannot verify API keys: Kinde answered with status 503. Keys that are not cached get 503 until it can. If this lasts, check 'domain', Kinde's status, and whether this machine reaches Kinde on port 443 (behind a proxy: kinde.http.proxy)",
      'warn: Kinde verifies API keys again, after 42 s',
    ]);
  });

  it('logs an outage that comes and goes at most once in ten seconds', () => {
    const { health, clock, lines } = newHealth();
    for (let second = 0; second < 20; second += 1) {
      health.failed(down);
      health.answered();
      clock.advance(1_000);
    }
    expect(lines).toHaveLength(4);
  });

  it('logs a second, different cause of an outage while it lasts, and each of them once', () => {
    const { health, clock, lines } = newHealth();
    const causes = ['ENOTFOUND', 'CERT_HAS_EXPIRED'].map((code) => new KindeTransportError('network', code));
    for (let second = 0; second < 100; second += 1) {
      for (const { message } of causes) health.failed(new VerificationFailure('kinde', message));
      clock.advance(1_000);
    }
    health.answered();
    expect(lines).toEqual([
      expect.stringContaining('(ENOTFOUND: the host name cannot be resolved. Check domain and DNS'),
      expect.stringContaining('(CERT_HAS_EXPIRED: the certificate has expired'),
      'warn: Kinde verifies API keys again, after 100 s',
    ]);
  });

  it('says what to do about a 429, which is another thing than about an outage', () => {
    const { health, lines } = newHealth();
    health.failed(new VerificationFailure('throttled', 'Kinde asks this service to slow down (429)'));
    expect(lines).toEqual([expect.stringContaining('lower kinde.maxPerSecond')]);
  });

  it.each(Object.keys(ADVICE) as Misconfiguration[])(
    'logs the misconfiguration %s once a minute, also where another one was logged before',
    (what) => {
      const { health, clock, lines } = newHealth();
      health.misconfigured(misconfigured(what === 'scope' ? 'invalid_client' : 'scope', 10));
      for (let second = 0; second < 60; second += 1) {
        health.misconfigured(misconfigured(what, 10));
        clock.advance(1_000);
      }
      expect(lines).toEqual([
        expect.stringContaining('Kinde > Settings > '),
        `error: ${ADVICE[what].means}. ${ADVICE[what].cure}. Until then keys that are not cached get 503`,
      ]);
      health.misconfigured(misconfigured(what, 10));
      expect(lines).toHaveLength(3);
    },
  );

  it('logs each kind of unusable answer once a minute', () => {
    const { health, lines } = newHealth();
    for (const text of ["'scopes' is not an array of strings", 'status 403', 'status 403'])
      health.failed(new VerificationFailure('unusable', text));
    expect(lines).toHaveLength(2);
  });

  it('logs a key of another API than apiId, with the menu', () => {
    const { health, lines } = newHealth();
    for (let index = 0; index < 3; index += 1) health.otherApi();
    expect(lines).toEqual([
      expect.stringMatching(/another API than 'apiId'.*compare KINDE_API_ID with the id in Kinde > Settings > APIs/),
    ]);
  });

  it.each<[FailureKind, number]>([
    ['kinde', 1],
    ['deadline', 1],
    ['throttled', 1],
    ['busy', 1],
    ['circuit_open', 0],
    ['closed', 0],
  ])('logs a failure of kind %s in %d lines', (kind, count) => {
    const { health, lines } = newHealth();
    for (let index = 0; index < 3; index += 1) health.failed(new VerificationFailure(kind, 'text'));
    expect(lines).toHaveLength(count);
  });

  it('logs a full queue with its cure, and not as an outage of Kinde', () => {
    const { health, lines } = newHealth();
    health.failed(new VerificationFailure('busy', 'too many wait'));
    health.answered();
    expect(lines).toEqual([
      'warn: Some requests got 503: too many wait. Look for a flood of new keys, or raise these limits',
    ]);
  });

  it('logs everything else at most once a minute', () => {
    const { health, clock, lines } = newHealth();
    const report = () => {
      health.misconfigured(new KindeApiKeyMisconfiguredError('Grant it', { retryAfterSeconds: 10 }));
      health.unknownStatus();
      health.renewalFailed(new Error('no answer'));
      health.unexpected(new TypeError('secret'));
      health.failed(new VerificationFailure('busy', 'full'));
    };
    report();
    clock.advance(59_999);
    report();
    expect(lines).toHaveLength(5);
    clock.advance(1);
    report();
    expect(lines).toHaveLength(10);
  });

  it('logs a misconfiguration as an error, and what passes by itself as a warning', () => {
    const { health, lines } = newHealth();
    health.misconfigured(new KindeApiKeyMisconfiguredError('Grant it', { retryAfterSeconds: 10 }));
    health.unknownStatus();
    health.renewalFailed(new Error('no answer'));
    expect(lines.map((line) => line.slice(0, 5))).toEqual(['error', 'warn:', 'warn:']);
  });

  it.each([
    ['TypeError', new TypeError('secret')],
    ['string', 'secret'],
  ])('logs the class of an unexpected failure, %s, without its message', (name, error) => {
    const { health, lines } = newHealth();
    health.unexpected(error);
    expect(lines).toEqual([
      `error: A verification failed unexpectedly (${name}), and its request got 503. Please report this bug of nestjs-kinde-api-key`,
    ]);
  });

  it('survives a log that throws', () => {
    const broken = () => {
      throw new Error('disk full');
    };
    const health = new HealthLog({ debug: broken, log: broken, warn: broken, error: broken }, new TestClock(0));
    expect(() => health.failed(down)).not.toThrow();
    expect(() => health.answered()).not.toThrow();
    expect(() => health.unexpected(down)).not.toThrow();
  });
});
