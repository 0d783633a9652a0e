import {
  newLog,
  newVerifier,
  rawKey,
  unknownKey,
  type VerifierOptions,
} from '../../../../test/support/key-verifier.js';
import { KindeApiKeyUnavailableError } from '../kinde-api-key.errors.js';
import { KindeEmulator, TestClock, type KindeEmulatorFault } from '../testing/index.js';
import type { KindeHttp } from './http.js';
import { KeyVerifier } from './key-verifier.js';
import type { Priority } from './limits/admission.js';

const ACCEPTED = { verdict: { accepted: true } };
const cleanups: (() => unknown)[] = [];
const clock = new TestClock();
let kinde: KindeEmulator;

beforeAll(async () => {
  kinde = await KindeEmulator.start({ clock });
});
afterAll(() => kinde.stop());
// Deadlines, pauses and the emulator's delays wait for the spec; sockets do not.
beforeEach(
  () =>
    void jest.useFakeTimers({
      doNotFake: ['Date', 'hrtime', 'nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate'],
    }),
);
afterEach(async () => {
  jest.useRealTimers();
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  kinde.clearFaults();
  kinde.resetCounters();
});

function start(options: VerifierOptions = {}) {
  const started = newVerifier(kinde, clock, options);
  cleanups.push(() => started.verifier.close());
  const { key } = kinde.createKey();
  /** The outage that a verification ends with; fails the test if it ends otherwise. */
  const outageOf = async (rawKey = key, priority: Priority = 'new'): Promise<KindeApiKeyUnavailableError> => {
    const outcome = await started.verify(rawKey, priority).catch((error: unknown) => error);
    if (outcome instanceof KindeApiKeyUnavailableError) return outcome;
    throw new Error(`expected an outage, got ${JSON.stringify(outcome)}`);
  };
  return { ...started, verify: (rawKey = key, priority?: Priority) => started.verify(rawKey, priority), key, outageOf };
}

/** Ends the pauses between retries, so that a spec with retries does not wait for them. */
async function passingTime<T>(promise: Promise<T>): Promise<T> {
  let settled = false;
  const done = promise.finally(() => (settled = true));
  while (!settled) {
    await new Promise((resolve) => setImmediate(resolve));
    await jest.advanceTimersByTimeAsync(1);
  }
  return done;
}

/** A gate for the emulator's `holdUntil`. */
function gate() {
  let open = (): void => {};
  const holdUntil = new Promise<void>((resolve) => (open = resolve));
  return { holdUntil, open: () => open() };
}

const JSON_TYPE = { 'content-type': 'application/json' };
const UNKNOWN = { status: 404, headers: JSON_TYPE, body: '{"errors":{"code":"API_KEY_NOT_FOUND"}}' };
const GOOD = { is_valid: true, key_id: 'api_key_1', status: 'active', scopes: [] };

describe('KeyVerifier while an M2M token cannot be had', () => {
  it('lets maxConcurrent + maxQueued verifications of a priority wait for a token, and rejects the others at once', async () => {
    const { verifier, outageOf } = start({ maxConcurrent: 2, maxQueued: 3 });
    kinde.failUntilCleared({ hang: true }, 'token');
    const messages: string[] = [];
    const waiting = Array.from({ length: 100 }, async (_, index) => {
      const { message } = await outageOf(unknownKey(index));
      messages.push(message);
    });
    const known = outageOf(unknownKey(100), 'known');
    await kinde.nextRequest('token');
    expect(messages).toHaveLength(95);
    expect(new Set(messages)).toEqual(new Set([expect.stringContaining('too many verifications')]));
    verifier.close();
    await Promise.all([...waiting, known]);
    expect(messages.slice(95)).toEqual(Array(5).fill('the app is shutting down'));
    expect((await known).message).toBe('the app is shutting down');
  });
});

describe('KeyVerifier during an outage', () => {
  /** Their answers are complete, or broken off, without any delay. */
  const FAST: readonly [string, KindeEmulatorFault][] = [
    ['500', 500],
    ['503', 503],
    ['429', { status: 429, rateLimitReset: 5 }],
    ['a reset', { reset: true }],
    ['broken JSON', { malformed: true }],
    ['a body cut short', { truncated: true }],
    ['50 MB', { huge: 50_000_000 }],
    ['50 MB, announced', { huge: 50_000_000, declared: true }],
    ['an endless body', { endless: true }],
    ['a redirect', { redirect: 'http://127.0.0.1:1/' }],
    ['an HTML page', { status: 200, body: '<html>', headers: { 'content-type': 'text/html' } }],
    [
      'a good answer that is not UTF-8',
      {
        status: 200,
        headers: JSON_TYPE,
        body: Buffer.from(`${JSON.stringify(GOOD).slice(0, -1)},"x":"\u00ff"}`, 'latin1'),
      },
    ],
    [
      'a good answer behind a byte order mark',
      { status: 200, headers: JSON_TYPE, body: `\ufeff${JSON.stringify(GOOD)}` },
    ],
  ];
  const SLOW: readonly [string, KindeEmulatorFault][] = [
    ['a hang', { hang: true }],
    ['a byte now and then', { trickleMs: 40 }],
    ['an answer after the deadline', { delayMs: 5_000 }],
  ];

  it.each(FAST)(
    'treats %s on verify as an outage without waiting, and accepts the next answer',
    async (_name, fault) => {
      const { verify, outageOf } = start();
      await verify();
      kinde.failUntilCleared(fault, 'verify');
      expect(await outageOf()).toMatchObject({ code: 'VERIFICATION_UNAVAILABLE', retryAfterSeconds: 5 });
      kinde.clearFaults();
      clock.advance(5_000);
      await expect(verify()).resolves.toMatchObject(ACCEPTED);
    },
  );

  it.each(SLOW)('ends %s on verify at the deadline, and accepts the next answer', async (_name, fault) => {
    const { verify, outageOf } = start({ timeoutMs: 500 });
    await verify();
    kinde.failNext(fault, 'verify');
    const arrived = kinde.nextRequest('verify');
    let ended = false;
    const outage = outageOf().finally(() => (ended = true));
    await arrived;
    await jest.advanceTimersByTimeAsync(499);
    expect(ended).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(await outage).toMatchObject({ code: 'VERIFICATION_UNAVAILABLE', retryAfterSeconds: 5 });
    await expect(verify()).resolves.toMatchObject(ACCEPTED);
  });

  it.each(FAST)(
    'treats %s on the token endpoint as an outage without waiting, and mints later',
    async (_name, fault) => {
      const { verify, outageOf } = start();
      kinde.failNext(fault, 'token');
      await outageOf();
      clock.advance(10_000);
      await expect(verify()).resolves.toMatchObject(ACCEPTED);
    },
  );

  it.each(SLOW)('ends %s on the token endpoint at the deadline, and mints later', async (_name, fault) => {
    const { verify, outageOf } = start({ timeoutMs: 500 });
    kinde.failNext(fault, 'token');
    const arrived = kinde.nextRequest('token');
    const outage = outageOf();
    await arrived;
    await jest.advanceTimersByTimeAsync(500);
    await outage;
    await expect(verify()).resolves.toMatchObject(ACCEPTED);
  });

  it('names the size limit for an endless body', async () => {
    const { verify, outageOf } = start();
    await verify();
    kinde.failNext({ endless: true }, 'verify');
    expect((await outageOf()).message).toBe("Kinde's answer was larger than the limit");
  });

  it('covers the token, the queue and the call with one deadline', async () => {
    const { outageOf } = start({ timeoutMs: 600, maxConcurrent: 1 });
    kinde.failNext({ delayMs: 400 }, 'token');
    kinde.failUntilCleared({ delayMs: 400 }, 'verify');
    let ended = 0;
    const arrived = kinde.nextRequest('token');
    const outages = [outageOf(), outageOf()].map((outage) => outage.finally(() => (ended += 1)));
    await arrived;
    const verifyArrived = kinde.nextRequest('verify');
    await jest.advanceTimersByTimeAsync(400);
    await verifyArrived;
    await jest.advanceTimersByTimeAsync(199);
    expect(ended).toBe(0);
    await jest.advanceTimersByTimeAsync(1);
    await Promise.all(outages);
  });

  it('names the network failure as the cause, without the request', async () => {
    const { verify, outageOf } = start();
    await verify();
    kinde.failUntilCleared({ reset: true }, 'verify');
    const { cause } = await outageOf();
    expect(cause).toMatchObject({ name: 'KindeTransportError', reason: 'network' });
    expect(Object.keys(cause as object).toSorted()).toEqual(['name', 'reason', 'systemCode']);
  });

  it('survives an HTTP client that breaks its contract', async () => {
    const answers: (() => unknown)[] = [
      () => ({ status: 200, headers: JSON_TYPE, body: '{"access_token":"opaque","expires_in":3600}' }),
      () => ({ status: 200 }),
      () => {
        throw new TypeError('secret');
      },
    ];
    const http = { send: async () => answers.shift()?.(), close: () => {} } as unknown as KindeHttp;
    const { verify, lines } = start({ http });
    await expect(verify()).rejects.toMatchObject({
      code: 'VERIFICATION_UNAVAILABLE',
      message: 'the verification failed',
    });
    await expect(verify()).rejects.toMatchObject({
      code: 'VERIFICATION_UNAVAILABLE',
      message: 'the call to Kinde failed',
    });
    expect(lines).toEqual([
      expect.stringContaining('A verification failed unexpectedly (TypeError)'),
      expect.stringContaining('Kinde cannot verify API keys: the call to Kinde failed'),
    ]);
  });

  it('logs an outage when it begins and when it ends, and not per request', async () => {
    const { verify, outageOf, lines } = start();
    await verify();
    kinde.failUntilCleared(500, 'verify');
    for (let index = 0; index < 30; index += 1) await outageOf();
    kinde.clearFaults();
    clock.advance(30_000);
    await verify();
    await verify();
    expect(lines).toEqual([
      expect.stringContaining('Kinde cannot verify API keys: Kinde answered with status 500'),
      'Kinde verifies API keys again, after 30 s',
    ]);
  });
});

describe('KeyVerifier with retries', () => {
  it.each<[string, KindeEmulatorFault]>([
    ['502', 502],
    ['503', 503],
    ['504', 504],
    ['a reset', { reset: true }],
    ['a body cut short', { truncated: true }],
  ])('retries the call after %s', async (_name, fault) => {
    const { verify } = start({ retries: 1 });
    kinde.failNext(fault, 'verify');
    await expect(passingTime(verify())).resolves.toMatchObject(ACCEPTED);
    expect(kinde.counters.verifies).toBe(2);
  });

  it.each<[string, KindeEmulatorFault]>([
    ['500', 500],
    ['429', 429],
    ['422', 422],
    ['a redirect', { redirect: '/', status: 307 }],
    ['broken JSON', { malformed: true }],
    ['an answer over the size limit', { huge: 100_000 }],
  ])('does not retry the call after %s', async (_name, fault) => {
    const { outageOf } = start({ retries: 5 });
    kinde.failNext(fault, 'verify');
    await outageOf();
    expect(kinde.counters.verifies).toBe(1);
  });

  it.each([400, 404])('does not retry the call after %d, which is a verdict', async (status) => {
    const { verify } = start({ retries: 5 });
    kinde.failNext(status, 'verify');
    await expect(verify()).resolves.toMatchObject({ verdict: { reason: 'unknown' } });
    expect(kinde.counters.verifies).toBe(1);
  });

  it('fails after the last retry', async () => {
    const { outageOf } = start({ retries: 2 });
    kinde.failUntilCleared(503, 'verify');
    await passingTime(outageOf());
    expect(kinde.counters.verifies).toBe(3);
  });

  it('retries a mint', async () => {
    const { verify } = start({ retries: 1 });
    kinde.failNext({ reset: true }, 'token');
    await expect(passingTime(verify())).resolves.toMatchObject(ACCEPTED);
    expect(kinde.counters.tokenRequests).toBe(2);
  });

  it('stops retrying when the circuit opens', async () => {
    const { verify, outageOf } = start({ retries: 5, timeoutMs: 60_000 });
    await verify();
    kinde.failUntilCleared(503, 'verify');
    await passingTime(outageOf());
    await passingTime(outageOf());
    expect(kinde.counters.verifies).toBe(1 + 10);
  });
});

describe('KeyVerifier after 429', () => {
  it('sends nothing for as long as RateLimit-Reset says, and passes the remaining time on', async () => {
    const { verify, outageOf, key } = start({ retries: 5 });
    await verify();
    kinde.failNext({ status: 429, rateLimitReset: 7 }, 'verify');
    expect((await outageOf()).retryAfterSeconds).toBe(7);
    clock.advance(2_500);
    expect((await outageOf(key, 'known')).retryAfterSeconds).toBe(5);
    expect(kinde.counters.verifies).toBe(2);
    clock.advance(4_499);
    expect((await outageOf()).retryAfterSeconds).toBe(1);
    clock.advance(1);
    await expect(verify()).resolves.toMatchObject(ACCEPTED);
  });

  it('asks again after a minute, even if Retry-After is longer, and passes that minute on', async () => {
    const { verify, outageOf } = start();
    kinde.failNext({ status: 429, headers: { 'retry-after': '7200' } }, 'verify');
    expect((await outageOf()).retryAfterSeconds).toBe(60);
    clock.advance(59_999);
    expect((await outageOf()).retryAfterSeconds).toBe(1);
    clock.advance(1);
    await expect(verify()).resolves.toMatchObject(ACCEPTED);
  });

  it('asks again after a second if the 429 names no time, and passes that second on', async () => {
    const { verify, outageOf } = start();
    kinde.failNext(429, 'verify');
    expect((await outageOf()).retryAfterSeconds).toBe(1);
    expect((await outageOf()).retryAfterSeconds).toBe(1);
    expect(kinde.counters.verifies).toBe(1);
    clock.advance(1_000);
    await expect(verify()).resolves.toMatchObject(ACCEPTED);
  });

  it.each<[string, Record<string, string>, number]>([
    ['a reset in epoch seconds', { 'ratelimit-reset': '{now+7}' }, 7],
    ['a reset of 0 beside Retry-After', { 'ratelimit-reset': '0', 'retry-after': '30' }, 30],
    ['a doubled header', { 'ratelimit-reset': '3, 9' }, 9],
  ])('reads %s, keeps that time and passes it on', async (_what, given, seconds) => {
    const { verify, outageOf } = start();
    const epoch = String(Math.floor(clock.now() / 1_000) + 7);
    const headers = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, value.replace('{now+7}', epoch)]),
    );
    kinde.failNext({ status: 429, headers }, 'verify');
    expect((await outageOf()).retryAfterSeconds).toBeLessThanOrEqual(seconds);
    clock.advance((seconds - 2) * 1_000);
    expect((await outageOf()).retryAfterSeconds).toBeLessThanOrEqual(2);
    expect(kinde.counters.verifies).toBe(1);
    clock.advance(2_000);
    await expect(verify()).resolves.toMatchObject(ACCEPTED);
  });

  it('passes the Retry-After of a 503 on, does not retry before it, and opens no circuit for it', async () => {
    const { verify, outageOf } = start({ retries: 5 });
    kinde.failNext({ status: 503, headers: { 'retry-after': '30' } }, 'verify');
    expect((await outageOf()).retryAfterSeconds).toBe(30);
    expect(kinde.counters.verifies).toBe(1);
    await expect(verify()).resolves.toMatchObject(ACCEPTED);
  });

  it('rejects queued verifications', async () => {
    const { outageOf, key } = start({ maxPerSecond: 1 });
    const { holdUntil, open } = gate();
    kinde.failNext({ holdUntil }, 'token');
    kinde.failNext({ status: 429, rateLimitReset: 9 }, 'verify');
    const all = [outageOf(), outageOf(), outageOf(key, 'known')];
    await kinde.nextRequest('token');
    open();
    expect((await Promise.all(all)).map(({ retryAfterSeconds }) => retryAfterSeconds)).toEqual([9, 9, 9]);
    expect(kinde.counters.verifies).toBe(1);
  });

  it('does not open the circuit', async () => {
    const { verify, outageOf } = start();
    kinde.failNext(429, { where: 'verify', times: 12 });
    for (let index = 0; index < 12; index += 1) {
      await outageOf();
      clock.advance(1_000);
    }
    await expect(verify()).resolves.toMatchObject(ACCEPTED);
  });

  it('verifies with the current token while the token endpoint is throttled', async () => {
    const { verify } = start();
    await verify();
    clock.advance(0.8 * 86_400_000);
    kinde.failNext({ status: 429, rateLimitReset: 30 }, 'token');
    const arrived = kinde.nextRequest('token');
    await verify();
    await arrived;
    await expect(verify()).resolves.toMatchObject(ACCEPTED);
  });

  it('does not mint while the token endpoint is throttled, and passes the remaining time on', async () => {
    const { outageOf, verify } = start();
    kinde.failNext({ status: 429, rateLimitReset: 30 }, 'token');
    expect((await outageOf()).retryAfterSeconds).toBe(30);
    clock.advance(29_999);
    expect((await outageOf()).retryAfterSeconds).toBe(1);
    expect(kinde.counters.tokenRequests).toBe(1);
    clock.advance(1);
    await expect(verify()).resolves.toMatchObject(ACCEPTED);
  });
});

describe('KeyVerifier with an open circuit', () => {
  it('rejects 1,000 new keys at once, without a call', async () => {
    const { verify, outageOf } = start({ timeoutMs: 500 });
    await verify();
    kinde.failUntilCleared({ hang: true });
    const opening = Promise.all(Array.from({ length: 10 }, () => outageOf()));
    while (kinde.counters.verifies < 11) await kinde.nextRequest('verify');
    await jest.advanceTimersByTimeAsync(500);
    await opening;
    const { requests } = kinde.counters;
    const outages = await Promise.all(Array.from({ length: 1_000 }, (_, index) => outageOf(unknownKey(index))));
    expect(new Set(outages.map(({ retryAfterSeconds }) => retryAfterSeconds))).toEqual(new Set([1]));
    expect(kinde.counters.requests).toBe(requests);
  });

  it('does not mint', async () => {
    const { outageOf } = start();
    kinde.failUntilCleared(500, 'token');
    for (let index = 0; index < 12; index += 1) await outageOf();
    expect(kinde.counters.tokenRequests).toBe(10);
  });

  it('still verifies after nine failures', async () => {
    const { verify, outageOf } = start();
    kinde.failNext(500, { where: 'verify', times: 9 });
    for (let index = 0; index < 9; index += 1) await outageOf();
    await expect(verify()).resolves.toMatchObject(ACCEPTED);
  });

  it('sends one probe after a second, whose answer closes the circuit', async () => {
    const { verify, outageOf } = start();
    await verify();
    kinde.failNext(500, { where: 'verify', times: 10 });
    for (let index = 0; index < 10; index += 1) await outageOf();
    clock.advance(999);
    await outageOf();
    clock.advance(1);
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => verify()));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(kinde.counters.verifies).toBe(12);
    await expect(verify()).resolves.toMatchObject(ACCEPTED);
  });

  it('rejects queued verifications when it opens', async () => {
    const { verify, outageOf } = start({ maxConcurrent: 10, maxQueued: 100 });
    await verify();
    kinde.failUntilCleared(500, 'verify');
    const outages = await Promise.all(Array.from({ length: 60 }, () => outageOf()));
    expect(outages).toHaveLength(60);
    expect(kinde.counters.verifies).toBeLessThan(30);
  });

  it('is not opened by refused keys or by credentials that Kinde rejects', async () => {
    const { verify } = start();
    for (let index = 0; index < 15; index += 1) {
      await expect(verify(unknownKey())).resolves.toMatchObject({ verdict: { accepted: false } });
    }
    clock.advance(86_400_000);
    kinde.failNext({ tokenError: 'invalid_client' }, { where: 'token', times: 12 });
    for (let index = 0; index < 12; index += 1) {
      await expect(verify()).rejects.toMatchObject({ code: 'VERIFICATION_MISCONFIGURED' });
      clock.advance(10_000);
    }
    await expect(verify()).resolves.toMatchObject(ACCEPTED);
  });
});

describe('KeyVerifier at its limits', () => {
  it('rejects at once what does not fit the queue, and keeps a queue for known keys', async () => {
    const { verify, outageOf, key } = start({ maxConcurrent: 1, maxQueued: 2 });
    await verify();
    const { holdUntil, open } = gate();
    kinde.failNext({ holdUntil }, 'verify');
    const first = verify();
    await kinde.nextRequest('verify');
    const waiting = [verify(), verify()];
    expect((await outageOf()).message).toContain('kinde.maxQueued');
    const known = verify(key, 'known');
    open();
    await expect(Promise.all([first, ...waiting, known])).resolves.toHaveLength(4);
  });

  it('verifies a known key while a flood of new keys uses all the capacity that it may', async () => {
    const { verify, outageOf, key } = start({ maxConcurrent: 8, maxQueued: 1_000, timeoutMs: 500 });
    await verify();
    kinde.failNext({ hang: true }, { where: 'verify', times: 6 });
    const flood = Array.from({ length: 500 }, (_, index) => outageOf(unknownKey(index)));
    while (kinde.counters.verifies < 7) await kinde.nextRequest('verify');
    await expect(verify(key, 'known')).resolves.toMatchObject(ACCEPTED);
    expect(kinde.counters.verifies).toBe(1 + 6 + 1);
    await jest.advanceTimersByTimeAsync(500);
    await expect(Promise.all(flood)).resolves.toHaveLength(500);
  });

  it('does not count its own full queue as an outage of Kinde', async () => {
    const { verify, outageOf, lines } = start({ maxConcurrent: 1, timeoutMs: 500 });
    await verify();
    kinde.failNext({ hang: true }, 'verify');
    const first = outageOf();
    await kinde.nextRequest('verify');
    const waiting = Promise.all(Array.from({ length: 20 }, () => outageOf()));
    await jest.advanceTimersByTimeAsync(500);
    for (const { message } of await waiting) expect(message).toContain('waited too long in the queue');
    await first;
    await expect(verify()).resolves.toMatchObject(ACCEPTED);
    expect(lines.filter((line) => line.includes('waited too long in the queue'))).toHaveLength(1);
  });
});

describe('KeyVerifier short of time', () => {
  const TOKEN = { status: 200, headers: JSON_TYPE, body: '{"access_token":"opaque","expires_in":3600}' };

  /** A verifier whose calls the spec answers, after as much fake time as it likes. */
  async function newTimed(retries = 0) {
    const answers: (() => void)[] = [];
    const send = jest.fn<ReturnType<KindeHttp['send']>, Parameters<KindeHttp['send']>>(({ url }) => {
      if (url.endsWith('/oauth2/token')) return Promise.resolve(TOKEN);
      return new Promise((resolve) => answers.push(() => resolve(UNKNOWN)));
    });
    const { log } = newLog();
    const options = { origin: 'https://acme.kinde.com', clientId: 'id', clientSecret: 's', audience: 'a', apiId: null };
    const limits = { timeoutMs: 1_000, retries, maxConcurrent: 1, maxPerSecond: 1_000, maxQueued: 1 };
    const verifier = new KeyVerifier({ send, close: () => {} }, { ...options, ...limits }, new TestClock(), log);
    const verify = () => verifier.verify(rawKey(unknownKey()), 'new').catch((error: unknown) => error);
    const answer = () => jest.advanceTimersByTimeAsync(0).then(() => answers.shift()?.());
    const first = verify();
    await answer();
    await first;
    send.mockClear();
    return { send, verify, answer };
  }

  it('sends a queued call with a tenth of its time left', async () => {
    const { send, verify, answer } = await newTimed();
    const first = verify();
    const second = verify();
    await jest.advanceTimersByTimeAsync(900);
    await answer();
    await first;
    expect(send).toHaveBeenCalledTimes(2);
    await answer();
    await expect(second).resolves.toMatchObject({ verdict: { reason: 'unknown' } });
  });

  it('does not send a queued call with less than a tenth of its time left, and serves the next', async () => {
    const { send, verify, answer } = await newTimed();
    const first = verify();
    const second = verify();
    await jest.advanceTimersByTimeAsync(901);
    await answer();
    await first;
    expect(await second).toMatchObject({ message: expect.stringContaining('waited too long in the queue') as string });
    expect(send).toHaveBeenCalledTimes(1);
    const third = verify();
    await answer();
    await expect(third).resolves.toMatchObject({ verdict: { reason: 'unknown' } });
  });
});
