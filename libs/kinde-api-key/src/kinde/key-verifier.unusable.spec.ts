import { newVerifier, unknownKey, type VerifierOptions } from '../../../../test/support/key-verifier.js';
import { KindeEmulator, TestClock, type KindeEmulatorFault } from '../testing/index.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const HTML_TYPE = { 'content-type': 'text/html' };
const UNAVAILABLE = { code: 'VERIFICATION_UNAVAILABLE' };
const GOOD = { is_valid: true, status: 'active', key_id: 'api_key_1', scopes: [], org_code: 'org_a', user_id: null };
const POISONED = { status: 200, headers: JSON_TYPE, body: { ...GOOD, scopes: 'read:users' } };
const CHALLENGE = '<html><title>Just a moment...</title></html>';

const cleanups: (() => unknown)[] = [];
const clock = new TestClock();
let kinde: KindeEmulator;

beforeAll(async () => {
  kinde = await KindeEmulator.start({ clock });
});
afterAll(() => kinde.stop());
afterEach(() => {
  for (const cleanup of cleanups.splice(0).toReversed()) cleanup();
  kinde.clearFaults();
  kinde.resetCounters();
});

function start(options: VerifierOptions = {}) {
  const started = newVerifier(kinde, clock, options);
  cleanups.push(() => started.verifier.close());
  const outcomeOf = (key: string) =>
    started.verify(key).then(
      ({ verdict }) => (verdict.accepted ? 'accepted' : verdict.reason),
      ({ code }: { code: string }) => code,
    );
  return { ...started, outcomeOf };
}

/** Answers that came in time and cannot be used, although Kinde is up. */
const UNUSABLE: readonly [string, KindeEmulatorFault][] = [
  ['scopes that are a string', POISONED],
  ['a key id that is a number', { ...POISONED, body: { ...GOOD, key_id: 7 } }],
  ['is_valid "true"', { ...POISONED, body: { ...GOOD, is_valid: 'true' } }],
  ['broken JSON', { malformed: true }],
  ['more than 64 KiB', { huge: 100_000 }],
  ['bytes that are not UTF-8', { status: 200, headers: JSON_TYPE, body: Buffer.from([0x7b, 0xff, 0x7d]) }],
  ["a firewall's page with status 403", { status: 403, headers: HTML_TYPE, body: CHALLENGE }],
  ["a gateway's JSON with status 401", { status: 401, headers: JSON_TYPE, body: { message: 'Unauthorized' } }],
];

describe('KeyVerifier after an answer about one key that cannot be used', () => {
  it.each(UNUSABLE)('accepts fifty new keys while a key gets %s twenty times a second', async (_what, fault) => {
    const { outcomeOf } = start();
    await outcomeOf(unknownKey());
    const outcomes: string[] = [];
    for (let tick = 0; tick < 1_000; tick += 1) {
      kinde.failUntilCleared(fault, 'verify');
      expect(await outcomeOf(unknownKey(1))).toBe('VERIFICATION_UNAVAILABLE');
      kinde.clearFaults();
      if (tick % 20 === 0) outcomes.push(await outcomeOf(kinde.createKey().key));
      clock.advance(50);
    }
    expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(50);
    expect(kinde.counters.verifies).toBe(1 + 50 + 10);
  });

  it('asks about twelve such keys in a row, and accepts the next one', async () => {
    const { outcomeOf } = start();
    kinde.failNext(POISONED, { where: 'verify', times: 12 });
    for (let index = 0; index < 12; index += 1) await outcomeOf(unknownKey(index));
    expect(await outcomeOf(kinde.createKey().key)).toBe('accepted');
    expect(kinde.counters.verifies).toBe(13);
  });

  it('forgets failures before it, because Kinde is up', async () => {
    const { outcomeOf } = start();
    for (let index = 0; index < 4; index += 1) {
      kinde.failNext(500, { where: 'verify', times: 9 });
      kinde.failNext(POISONED, 'verify');
      for (let call = 0; call < 10; call += 1) await outcomeOf(unknownKey(10 * index + call));
    }
    expect(kinde.counters.verifies).toBe(40);
  });

  it('does not ask about the key for five seconds, and says so', async () => {
    const { verify, outcomeOf } = start();
    const { key } = kinde.createKey();
    kinde.failNext(POISONED, 'verify');
    await expect(verify(key)).rejects.toMatchObject({ ...UNAVAILABLE, retryAfterSeconds: 5 });
    clock.advance(3_500);
    await expect(verify(key)).rejects.toMatchObject({ ...UNAVAILABLE, retryAfterSeconds: 2 });
    clock.advance(1_499);
    await expect(verify(key)).rejects.toMatchObject({ ...UNAVAILABLE, retryAfterSeconds: 1 });
    expect(kinde.counters.verifies).toBe(1);
    clock.advance(1);
    expect(await outcomeOf(key)).toBe('accepted');
  });

  it('does not hold the key for longer if the clock is set back', async () => {
    const { outcomeOf } = start();
    const { key } = kinde.createKey();
    kinde.failNext(POISONED, 'verify');
    await outcomeOf(key);
    clock.set(clock.now() - 3_600_000);
    expect(await outcomeOf(key)).toBe('accepted');
  });

  it('keeps at most a thousand keys on hold', async () => {
    const { outcomeOf } = start();
    kinde.failUntilCleared(POISONED, 'verify');
    for (let index = 0; index <= 1_000; index += 1) await outcomeOf(unknownKey(index));
    await outcomeOf(unknownKey(1_000));
    expect(kinde.counters.verifies).toBe(1_001);
    await outcomeOf(unknownKey(0));
    expect(kinde.counters.verifies).toBe(1_002);
  });

  it('holds a key whose details cannot be used, too', async () => {
    const { outcomeOf } = start({ apiId: 'api_a' });
    const { key } = kinde.createKey();
    kinde.failUntilCleared({ status: 404, headers: HTML_TYPE, body: CHALLENGE }, 'keys');
    for (let index = 0; index < 12; index += 1) expect(await outcomeOf(key)).toBe('VERIFICATION_UNAVAILABLE');
    expect(kinde.counters).toMatchObject({ verifies: 1, reads: 1 });
    kinde.clearFaults();
    expect(await outcomeOf(kinde.createKey().key)).toBe('other_api');
  });

  it('logs it once a minute, with where to look and without the key', async () => {
    const { outcomeOf, lines } = start();
    kinde.failUntilCleared({ status: 403, headers: HTML_TYPE, body: CHALLENGE }, 'verify');
    for (let index = 0; index < 30; index += 1) await outcomeOf(unknownKey(index));
    expect(lines).toEqual([expect.stringMatching(/status 403 .*a firewall, a proxy.* 503.*'domain'/)]);
    expect(lines.join()).not.toMatch(/k_live|moment/);
  });

  it('counts an unusable answer of the token endpoint as an outage of Kinde', async () => {
    const { outcomeOf } = start();
    kinde.failUntilCleared({ status: 403, headers: HTML_TYPE, body: CHALLENGE }, 'token');
    for (let index = 0; index < 30; index += 1) await outcomeOf(unknownKey());
    expect(kinde.counters.tokenRequests).toBe(10);
  });
});
