import { HttpService } from '@nestjs/axios';
import axios from 'axios';
import { KindeApiKeyUnavailableError } from '../kinde-api-key.errors.js';
import { KindeEmulator, TestClock, type KindeEmulatorFault } from '../testing/index.js';
import { AxiosKindeHttp } from './axios-http.js';
import type { KindeHttp } from './http.js';
import { KeyVerifier, type KeyVerifierOptions } from './key-verifier.js';

const cleanups: (() => unknown)[] = [];
const clock = new TestClock();
let kinde: KindeEmulator;

beforeAll(async () => {
  kinde = await KindeEmulator.start({ clock });
});
afterAll(() => kinde.stop());
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  kinde.clearFaults();
  kinde.resetCounters();
  kinde.invalidKeyAnswer = '200';
});

const OPTIONS = {
  apiId: null,
  timeoutMs: 2_000,
  retries: 0,
  maxConcurrent: 64,
  maxPerSecond: 100_000,
  maxQueued: 1_000,
};

function start(options: Partial<KeyVerifierOptions> = {}) {
  const lines: string[] = [];
  const write = (message: string) => void lines.push(message);
  const client = new KeyVerifier(
    new AxiosKindeHttp(new HttpService(axios.create())),
    { origin: kinde.domain, ...kinde.credentials, audience: `${kinde.domain}/api`, ...OPTIONS, ...options },
    clock,
    { debug: write, warn: write, error: write },
  );
  cleanups.push(() => client.close());
  const { key } = kinde.createKey();
  return { client, lines, key };
}

/** The outage that a verification ends with; fails the test if it ends otherwise. */
async function outageOf(
  client: KeyVerifier,
  key: string,
  lane: 'proven' | 'new' = 'new',
): Promise<KindeApiKeyUnavailableError> {
  const outcome = await client.verifyKey(key, lane).catch((error: unknown) => error);
  if (outcome instanceof KindeApiKeyUnavailableError) return outcome;
  throw new Error(`expected an outage, got ${JSON.stringify(outcome)}`);
}

describe('while no M2M token can be had', () => {
  it('lets no more verifications wait for one than there is room for, and sends the others away at once', async () => {
    const { client } = start({ maxConcurrent: 2, maxQueued: 3, timeoutMs: 10_000 });
    kinde.failUntilCleared({ hang: true }, 'token');
    const messages: string[] = [];
    const waiting = Array.from({ length: 100 }, async (_, index) => {
      const { message } = await outageOf(client, `k_live_${String(index).padStart(20, '0')}`);
      messages.push(message);
    });
    const proven = outageOf(client, 'k_live_proven_00000000', 'proven');
    await kinde.nextRequest('token');
    expect(messages).toHaveLength(95);
    expect(new Set(messages)).toEqual(new Set([expect.stringContaining('too many verifications')]));
    client.close();
    await Promise.all([...waiting, proven]);
    expect(messages.slice(95)).toEqual(Array(5).fill('the app is shutting down'));
    expect((await proven).message).toBe('the app is shutting down');
  });
});

const JSON_TYPE = { 'content-type': 'application/json' };
const GOOD = { is_valid: true, key_id: 'api_key_1', status: 'active', scopes: [] };

describe('KeyVerifier, with Kinde in trouble', () => {
  const FAULTS: readonly [string, KindeEmulatorFault][] = [
    ['500', 500],
    ['503', 503],
    ['429', 429],
    ['a hang', { hang: true }],
    ['a reset', { reset: true }],
    ['broken JSON', { malformed: true }],
    ['a body cut short', { truncated: true }],
    ['50 MB', { huge: 50_000_000 }],
    ['50 MB, announced', { huge: 50_000_000, declared: true }],
    ['an endless body', { endless: true }],
    ['a byte now and then', { trickleMs: 40 }],
    ['a redirect', { redirect: 'http://127.0.0.1:1/' }],
    ['an answer that comes too late', { delayMs: 5_000 }],
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

  it.each(FAULTS)(
    'takes %s on verify for an outage within the deadline, and the next answer for what it is',
    async (_name, fault) => {
      const { client, key } = start({ timeoutMs: 500 });
      await client.verifyKey(key, 'new');
      kinde.failNext(fault, 'verify');
      const startedAtMs = performance.now();
      const { code, retryAfterSeconds } = await outageOf(client, key);
      expect({ code, retryAfterSeconds }).toEqual({ code: 'VERIFICATION_UNAVAILABLE', retryAfterSeconds: 5 });
      expect(performance.now() - startedAtMs).toBeLessThan(1_500);
      clock.advance(5_000);
      await expect(client.verifyKey(key, 'new')).resolves.toMatchObject({ verdict: { accepted: true } });
    },
  );

  it.each(FAULTS)(
    'takes %s on the token endpoint for an outage within the deadline, and mints when it has passed',
    async (_name, fault) => {
      const { client, key } = start({ timeoutMs: 500 });
      kinde.failNext(fault, 'token');
      await outageOf(client, key);
      clock.advance(10_000);
      await expect(client.verifyKey(key, 'new')).resolves.toMatchObject({ verdict: { accepted: true } });
    },
  );

  it('stays small while Kinde sends 50 MB and more', async () => {
    const { client, key } = start();
    await client.verifyKey(key, 'new');
    kinde.failNext({ endless: true }, 'verify');
    const startedAtMs = performance.now();
    const { message } = await outageOf(client, key);
    expect(message).toBe("Kinde's answer was larger than the limit");
    expect(performance.now() - startedAtMs).toBeLessThan(1_500);
  });

  it('has the deadline cover queue, token and call together', async () => {
    const { client, key } = start({ timeoutMs: 600, maxConcurrent: 1 });
    kinde.failNext({ delayMs: 400 }, 'token');
    kinde.failUntilCleared({ delayMs: 400 }, 'verify');
    const startedAtMs = performance.now();
    await Promise.all([outageOf(client, key), outageOf(client, key)]);
    expect(performance.now() - startedAtMs).toBeLessThan(1_250);
  });

  it('names the network failure as the cause, and nothing else of it', async () => {
    const { client, key } = start();
    await client.verifyKey(key, 'new');
    kinde.failNext({ reset: true }, 'verify');
    const { cause } = await outageOf(client, key);
    expect(cause).toMatchObject({ name: 'KindeTransportError', reason: 'network' });
    expect(Object.keys(cause as object).toSorted()).toEqual(['name', 'reason']);
  });

  it('survives an HTTP client that breaks its contract', async () => {
    const lines: string[] = [];
    const write = (message: string) => void lines.push(message);
    const answers: (() => unknown)[] = [
      () => ({ status: 200, headers: JSON_TYPE, body: '{"access_token":"opaque","expires_in":3600}' }),
      () => ({ status: 200 }),
      () => {
        throw new TypeError('secret');
      },
    ];
    const http = { send: async () => answers.shift()?.(), close: () => {} } as unknown as KindeHttp;
    const options = { origin: 'https://acme.kinde.com', clientId: 'id', clientSecret: 's', audience: 'a', ...OPTIONS };
    const client = new KeyVerifier(http, options, new TestClock(), { debug: write, warn: write, error: write });
    await expect(client.verifyKey('k', 'new')).rejects.toMatchObject({
      code: 'VERIFICATION_UNAVAILABLE',
      message: 'the verification failed',
    });
    await expect(client.verifyKey('k', 'new')).rejects.toMatchObject({
      code: 'VERIFICATION_UNAVAILABLE',
      message: 'the call to Kinde failed',
    });
    expect(lines).toEqual([
      'A verification failed for a reason that should not exist (TypeError)',
      expect.stringContaining('Kinde cannot verify API keys at the moment: the call to Kinde failed'),
    ]);
  });

  it('logs an outage when it begins and when it ends, and no request', async () => {
    const { client, lines, key } = start();
    await client.verifyKey(key, 'new');
    kinde.failUntilCleared(500, 'verify');
    for (let index = 0; index < 30; index += 1) await outageOf(client, key);
    kinde.clearFaults();
    clock.advance(30_000);
    await client.verifyKey(key, 'new');
    await client.verifyKey(key, 'new');
    expect(lines).toEqual([
      expect.stringContaining('Kinde cannot verify API keys at the moment: Kinde answered with status 500'),
      'Kinde verifies API keys again, after 30 s',
    ]);
  });
});

describe('KeyVerifier, trying again', () => {
  it.each<[string, KindeEmulatorFault]>([
    ['502', 502],
    ['503', 503],
    ['504', 504],
    ['a reset', { reset: true }],
    ['a body cut short', { truncated: true }],
  ])('sends the call again after %s', async (_name, fault) => {
    const { client, key } = start({ retries: 1 });
    kinde.failNext(fault, 'verify');
    await expect(client.verifyKey(key, 'new')).resolves.toMatchObject({ verdict: { accepted: true } });
    expect(kinde.counters.verifies).toBe(2);
  });

  it.each<[string, KindeEmulatorFault]>([
    ['500', 500],
    ['429', 429],
    ['422', 422],
    ['a redirect', { redirect: '/', status: 307 }],
    ['broken JSON', { malformed: true }],
    ['too large an answer', { huge: 100_000 }],
  ])('does not send the call again after %s', async (_name, fault) => {
    const { client, key } = start({ retries: 5 });
    kinde.failNext(fault, 'verify');
    await outageOf(client, key);
    expect(kinde.counters.verifies).toBe(1);
  });

  it.each([400, 404])('does not send the call again after %d, which is a verdict', async (status) => {
    const { client, key } = start({ retries: 5 });
    kinde.failNext(status, 'verify');
    await expect(client.verifyKey(key, 'new')).resolves.toMatchObject({ verdict: { reason: 'unknown' } });
    expect(kinde.counters.verifies).toBe(1);
  });

  it('gives up after as many retries as it may', async () => {
    const { client, key } = start({ retries: 2 });
    kinde.failUntilCleared(503, 'verify');
    await outageOf(client, key);
    expect(kinde.counters.verifies).toBe(3);
  });

  it('tries the token endpoint again as well', async () => {
    const { client, key } = start({ retries: 1 });
    kinde.failNext({ reset: true }, 'token');
    await expect(client.verifyKey(key, 'new')).resolves.toMatchObject({ verdict: { accepted: true } });
    expect(kinde.counters.tokenRequests).toBe(2);
  });

  it('stops as soon as the breaker is open', async () => {
    const { client, key } = start({ retries: 5 });
    await client.verifyKey(key, 'new');
    kinde.failUntilCleared(503, 'verify');
    await outageOf(client, key);
    await outageOf(client, key);
    expect(kinde.counters.verifies).toBe(1 + 10);
  });
});

describe('KeyVerifier, asked to slow down', () => {
  it('sends nothing for as long as RateLimit-Reset says, and tells callers what is left of it', async () => {
    const { client, key } = start({ retries: 5 });
    await client.verifyKey(key, 'new');
    kinde.failNext({ status: 429, rateLimitReset: 7 }, 'verify');
    expect((await outageOf(client, key)).retryAfterSeconds).toBe(7);
    clock.advance(2_500);
    expect((await outageOf(client, key, 'proven')).retryAfterSeconds).toBe(5);
    expect(kinde.counters.verifies).toBe(2);
    clock.advance(4_499);
    expect((await outageOf(client, key)).retryAfterSeconds).toBe(1);
    clock.advance(1);
    await expect(client.verifyKey(key, 'new')).resolves.toMatchObject({ verdict: { accepted: true } });
  });

  it('asks again after a minute, however long Kinde wants us to wait', async () => {
    const { client, key } = start();
    kinde.failNext({ status: 429, headers: { 'retry-after': '7200' } }, 'verify');
    expect((await outageOf(client, key)).retryAfterSeconds).toBe(3_600);
    clock.advance(59_999);
    expect((await outageOf(client, key)).retryAfterSeconds).toBe(3_541);
    clock.advance(1);
    await expect(client.verifyKey(key, 'new')).resolves.toMatchObject({ verdict: { accepted: true } });
  });

  it('asks again after a second if Kinde does not say how long, and tells callers five', async () => {
    const { client, key } = start();
    kinde.failNext(429, 'verify');
    expect((await outageOf(client, key)).retryAfterSeconds).toBe(5);
    expect((await outageOf(client, key)).retryAfterSeconds).toBe(5);
    expect(kinde.counters.verifies).toBe(1);
    clock.advance(1_000);
    await expect(client.verifyKey(key, 'new')).resolves.toMatchObject({ verdict: { accepted: true } });
  });

  it('sends away those who wait for their turn', async () => {
    const { client, key } = start({ maxPerSecond: 1, timeoutMs: 900 });
    let answer = (): void => {};
    kinde.failNext({ holdUntil: new Promise<void>((resolve) => (answer = resolve)) }, 'token');
    kinde.failNext({ status: 429, rateLimitReset: 9 }, 'verify');
    const all = [outageOf(client, key), outageOf(client, key), outageOf(client, key, 'proven')];
    await kinde.nextRequest('token');
    answer();
    expect((await Promise.all(all)).map(({ retryAfterSeconds }) => retryAfterSeconds)).toEqual([9, 9, 9]);
    expect(kinde.counters.verifies).toBe(1);
  });

  it('is not opened by it: the breaker counts failures, and 429 is none', async () => {
    const { client, key } = start();
    kinde.failNext(429, { where: 'verify', times: 12 });
    for (let index = 0; index < 12; index += 1) {
      await outageOf(client, key);
      clock.advance(1_000);
    }
    await expect(client.verifyKey(key, 'new')).resolves.toMatchObject({ verdict: { accepted: true } });
  });

  it('verifies on with the token that it has while the token endpoint is throttled', async () => {
    const { client, key } = start();
    await client.verifyKey(key, 'new');
    clock.advance(0.8 * 86_400_000);
    kinde.failNext({ status: 429, rateLimitReset: 30 }, 'token');
    const arrived = kinde.nextRequest('token');
    await client.verifyKey(key, 'new');
    await arrived;
    await expect(client.verifyKey(key, 'new')).resolves.toMatchObject({ verdict: { accepted: true } });
  });
});

describe('KeyVerifier, with the breaker', () => {
  it('makes no call for 1,000 new keys while Kinde hangs, and answers at once', async () => {
    const { client, key } = start({ timeoutMs: 500 });
    await client.verifyKey(key, 'new');
    kinde.failUntilCleared({ hang: true });
    await Promise.all(Array.from({ length: 10 }, () => outageOf(client, key)));
    const { requests } = kinde.counters;
    const startedAtMs = performance.now();
    const outages = await Promise.all(Array.from({ length: 1_000 }, (_, index) => outageOf(client, `k_live_${index}`)));
    expect(performance.now() - startedAtMs).toBeLessThan(1_250);
    expect(new Set(outages.map(({ retryAfterSeconds }) => retryAfterSeconds))).toEqual(new Set([1]));
    expect(kinde.counters.requests).toBe(requests);
  });

  it('stays closed for nine failures', async () => {
    const { client, key } = start();
    kinde.failNext(500, { where: 'verify', times: 9 });
    for (let index = 0; index < 9; index += 1) await outageOf(client, key);
    await expect(client.verifyKey(key, 'new')).resolves.toMatchObject({ verdict: { accepted: true } });
  });

  it('sends one probe after a second, and is closed by its answer', async () => {
    const { client, key } = start();
    await client.verifyKey(key, 'new');
    kinde.failNext(500, { where: 'verify', times: 10 });
    for (let index = 0; index < 10; index += 1) await outageOf(client, key);
    clock.advance(999);
    await outageOf(client, key);
    clock.advance(1);
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => client.verifyKey(key, 'new')));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(kinde.counters.verifies).toBe(12);
    await expect(client.verifyKey(key, 'new')).resolves.toMatchObject({ verdict: { accepted: true } });
  });

  it('sends away those who wait for their turn when it opens', async () => {
    const { client, key } = start({ maxConcurrent: 10, maxQueued: 100 });
    await client.verifyKey(key, 'new');
    kinde.failUntilCleared(500, 'verify');
    const outages = await Promise.all(Array.from({ length: 60 }, () => outageOf(client, key)));
    expect(outages).toHaveLength(60);
    expect(kinde.counters.verifies).toBeLessThan(30);
  });

  it('is not opened by refusals, nor by credentials that Kinde refuses', async () => {
    const { client, key } = start();
    for (let index = 0; index < 15; index += 1) {
      await expect(client.verifyKey('k_live_00000000000000000000', 'new')).resolves.toMatchObject({
        verdict: { accepted: false },
      });
    }
    clock.advance(86_400_000);
    kinde.failNext({ tokenError: 'invalid_client' }, { where: 'token', times: 12 });
    for (let index = 0; index < 12; index += 1) {
      await expect(client.verifyKey(key, 'new')).rejects.toMatchObject({ code: 'VERIFICATION_MISCONFIGURED' });
      clock.advance(10_000);
    }
    await expect(client.verifyKey(key, 'new')).resolves.toMatchObject({ verdict: { accepted: true } });
  });

  it('is opened by a token endpoint that fails ten times', async () => {
    const { client, key } = start();
    kinde.failUntilCleared(500, 'token');
    for (let index = 0; index < 12; index += 1) await outageOf(client, key);
    expect(kinde.counters.tokenRequests).toBe(10);
  });
});

describe('KeyVerifier, within its budget', () => {
  it('answers at once what does not fit the queue', async () => {
    const { client, key } = start({ maxConcurrent: 1, maxQueued: 2 });
    await client.verifyKey(key, 'new');
    let answer = (): void => {};
    kinde.failNext({ holdUntil: new Promise<void>((resolve) => (answer = resolve)) }, 'verify');
    const first = client.verifyKey(key, 'new');
    await kinde.nextRequest('verify');
    const waiting = [client.verifyKey(key, 'new'), client.verifyKey(key, 'new')];
    expect((await outageOf(client, key)).message).toContain('kinde.maxQueued');
    const proven = client.verifyKey(key, 'proven');
    answer();
    await expect(Promise.all([first, ...waiting, proven])).resolves.toHaveLength(4);
  });

  it('verifies a proven key while a flood of new ones takes every place that it may', async () => {
    const { client, key } = start({ maxConcurrent: 8, maxQueued: 1_000, timeoutMs: 500 });
    await client.verifyKey(key, 'new');
    kinde.failNext({ hang: true }, { where: 'verify', times: 6 });
    const flood = Array.from({ length: 500 }, (_, index) => outageOf(client, `k_live_flood_${index}`));
    await kinde.nextRequest('verify');
    await expect(client.verifyKey(key, 'proven')).resolves.toMatchObject({ verdict: { accepted: true } });
    expect(kinde.counters.verifies).toBeLessThanOrEqual(1 + 6 + 1);
    await expect(Promise.all(flood)).resolves.toHaveLength(500);
  });

  it('does not take a queue of its own for an outage of Kinde', async () => {
    const { client, lines, key } = start({ maxConcurrent: 1, timeoutMs: 500 });
    await client.verifyKey(key, 'new');
    kinde.failNext({ hang: true }, 'verify');
    const first = outageOf(client, key);
    await kinde.nextRequest('verify');
    const waiting = await Promise.all(Array.from({ length: 20 }, () => outageOf(client, key)));
    expect(waiting.map(({ message }) => message)).toEqual(
      Array.from({ length: 20 }, () => expect.stringContaining('did not get its turn') as string),
    );
    await first;
    await expect(client.verifyKey(key, 'new')).resolves.toMatchObject({ verdict: { accepted: true } });
    expect(lines.filter((line) => line.includes('did not get its turn'))).toHaveLength(1);
  });
});
