import { AUDIENCE, connect, connectionTo, Signer } from '../../../../test/support/access-tokens.js';
import { KindeEmulator, TestClock } from '../testing/index.js';
import { kindeAccessTokens } from './index.js';

const NOW_MS = Date.UTC(2031, 0, 1);
const DAY_MS = 86_400_000;

const UNKNOWN = { code: 'INVALID_TOKEN' };
const UNAVAILABLE = { name: 'KindeApiKeyUnavailableError', code: 'VERIFICATION_UNAVAILABLE' };

const clock = new TestClock(NOW_MS);
let emulator: KindeEmulator;
let connection: ReturnType<typeof connectionTo>;
let authenticate: ReturnType<typeof connect>;

beforeAll(async () => {
  emulator = await KindeEmulator.start({ clock });
});
beforeEach(() => {
  clock.set(NOW_MS);
  emulator.resetCounters();
  connection = connectionTo(emulator, clock);
  authenticate = connect(kindeAccessTokens({ audience: AUDIENCE }), connection);
});
afterEach(() => {
  emulator.clearFaults();
  connection.http.close();
});
afterAll(() => emulator.stop());

const good = () => emulator.issueToken({ userId: 'kp_1', lifetimeSeconds: 90 * 86_400 });
const other = new Signer('other');
/** A token that names a key which Kinde does not have. */
const foreign = (kid: string): string => other.sign({}, { kid });

async function outcomesOf(tokens: readonly string[]): Promise<string[]> {
  const settled = await Promise.allSettled(tokens.map((token) => authenticate(token)));
  return [
    ...new Set(settled.map((one) => (one.status === 'fulfilled' ? 'ok' : (one.reason as { code: string }).code))),
  ];
}

async function outcomesInSequence(tokens: readonly string[], everyMs: number): Promise<string[]> {
  const outcomes = new Set<string>();
  for (const token of tokens) {
    clock.advance(everyMs);
    for (const outcome of await outcomesOf([token])) outcomes.add(outcome);
  }
  return [...outcomes];
}

/** Well-formed, with another unknown key id each. They need no signature, because none is checked. */
const flood = Array.from({ length: 10_000 }, (_, index) => {
  const header = Buffer.from(JSON.stringify({ alg: 'RS256', kid: `kid-${index}` })).toString('base64url');
  return `${header}.e30.AAAA`;
});

describe('the signing keys', () => {
  it('are fetched once for a hundred concurrent tokens, and then cached', async () => {
    expect(await outcomesOf(Array.from({ length: 100 }, good))).toEqual(['ok']);
    expect(await outcomesOf(Array.from({ length: 100 }, good))).toEqual(['ok']);
    expect(emulator.counters.requests).toBe(1);
    expect(emulator.counters.jwksReads).toBe(1);
  });

  it('are fetched at most once per 30 s for 10,000 tokens with unknown keys at once', async () => {
    expect(await outcomesOf(flood)).toEqual(['INVALID_TOKEN']);
    expect(emulator.counters.jwksReads).toBe(1);
    clock.advance(30_000);
    expect(await outcomesOf(flood)).toEqual(['INVALID_TOKEN']);
    expect(emulator.counters.jwksReads).toBe(2);
  });

  it('are fetched at most once per 30 s for 10,000 tokens with unknown keys in sequence', async () => {
    expect(await outcomesInSequence(flood, 6)).toEqual(['INVALID_TOKEN']);
    expect(emulator.counters.jwksReads).toBe(2);
    await expect(authenticate(good())).resolves.toMatchObject({ id: 'kp_1' });
  });

  it('are fetched again for a token of a new key, 30 s after the last call', async () => {
    await authenticate(good());
    const old = good();
    await emulator.rotateSigningKey();
    clock.advance(29_999);
    await expect(authenticate(good())).rejects.toMatchObject(UNKNOWN);
    expect(await authenticate(old)).toMatchObject({ id: 'kp_1' });
    clock.advance(1);
    expect(await authenticate(good())).toMatchObject({ id: 'kp_1' });
    await expect(authenticate(old)).rejects.toMatchObject(UNKNOWN);
    expect(emulator.counters.jwksReads).toBe(2);
  });

  it('are refreshed in the background after ten minutes, without holding up a request', async () => {
    await authenticate(good());
    clock.advance(600_000);
    let answer = (): void => {};
    emulator.failNext({ holdUntil: new Promise<void>((resolve) => (answer = resolve)) }, 'jwks');
    const arrival = emulator.nextRequest('jwks');
    expect(await authenticate(good())).toMatchObject({ id: 'kp_1' });
    await arrival;
    expect(await outcomesOf([good(), good()])).toEqual(['ok']);
    answer();
    // Joins the call in flight.
    await expect(authenticate(foreign('a'))).rejects.toMatchObject(UNKNOWN);
    expect(emulator.counters.jwksReads).toBe(2);
  });
});

describe('while Kinde does not answer, the signing keys', () => {
  it('stay in use, and a token of an unknown key gets 503 and not 401', async () => {
    await authenticate(good());
    clock.advance(30_000);
    emulator.failUntilCleared(503, 'jwks');
    const failure: unknown = await authenticate(foreign('a')).catch((error: unknown) => error);
    expect(failure).toMatchObject({ ...UNAVAILABLE, retryAfterSeconds: 30 });
    clock.advance(10_000);
    await expect(authenticate(foreign('b'))).rejects.toMatchObject({ ...UNAVAILABLE, retryAfterSeconds: 20 });
    expect(await authenticate(good())).toMatchObject({ id: 'kp_1' });
    expect(emulator.counters.jwksReads).toBe(2);
    clock.advance(20_000);
    emulator.clearFaults();
    await expect(authenticate(foreign('a'))).rejects.toMatchObject(UNKNOWN);
  });

  it('are asked for at most once per 30 s by 10,000 tokens with unknown keys', async () => {
    await authenticate(good());
    clock.advance(30_000);
    emulator.failUntilCleared(503, 'jwks');
    expect(await outcomesOf(flood)).toEqual(['VERIFICATION_UNAVAILABLE']);
    expect(await outcomesInSequence(flood.slice(0, 4_999), 6)).toEqual(['VERIFICATION_UNAVAILABLE']);
    expect(emulator.counters.jwksReads).toBe(2);
  });

  it('are asked for once per 30 s if no key was fetched yet', async () => {
    emulator.failUntilCleared(503, 'jwks');
    for (const count of [1, 2, 3]) {
      await expect(authenticate(good())).rejects.toMatchObject({ ...UNAVAILABLE, retryAfterSeconds: 30 });
      clock.advance(29_999);
      await expect(authenticate(good())).rejects.toMatchObject({ ...UNAVAILABLE, retryAfterSeconds: 1 });
      expect(emulator.counters.jwksReads).toBe(count);
      clock.advance(1);
    }
    emulator.clearFaults();
    expect(await authenticate(good())).toMatchObject({ id: 'kp_1' });
  });

  it('are not asked for until the time that a 429 names', async () => {
    emulator.failNext({ status: 429, rateLimitReset: 45 }, 'jwks');
    await expect(authenticate(good())).rejects.toMatchObject({ ...UNAVAILABLE, retryAfterSeconds: 45 });
    clock.advance(44_999);
    await expect(authenticate(good())).rejects.toMatchObject({ ...UNAVAILABLE, retryAfterSeconds: 1 });
    clock.advance(1);
    expect(await authenticate(good())).toMatchObject({ id: 'kp_1' });
  });

  it('are used for a day and no longer', async () => {
    await authenticate(good());
    emulator.failUntilCleared(503, 'jwks');
    clock.advance(DAY_MS - 1);
    expect(await authenticate(good())).toMatchObject({ id: 'kp_1' });
    clock.advance(30_000);
    await expect(authenticate(good())).rejects.toMatchObject(UNAVAILABLE);
  });

  it('are not locked by a clock that is set back', async () => {
    emulator.failNext(503, 'jwks');
    await expect(authenticate(good())).rejects.toMatchObject(UNAVAILABLE);
    clock.set(NOW_MS - DAY_MS);
    expect(await authenticate(emulator.issueToken({ userId: 'kp_1' }))).toMatchObject({ id: 'kp_1' });
  });

  it('are logged as missing once a minute, without any text of the answer', async () => {
    emulator.failUntilCleared({ status: 500, body: { errors: [{ message: 'never-in-a-log' }] } }, 'jwks');
    for (let seconds = 0; seconds < 60; seconds += 5) {
      await expect(authenticate(good())).rejects.toMatchObject(UNAVAILABLE);
      clock.advance(5_000);
    }
    expect(connection.lines).toEqual([
      "Kinde's signing keys cannot be read: Kinde answered with status 500. " +
        'Access tokens whose key is not cached get 503 until it answers',
    ]);
  });

  it('are logged as missing for each cause, also within one minute', async () => {
    for (const fault of [500, 502, 502]) {
      emulator.failNext(fault, 'jwks');
      await expect(authenticate(good())).rejects.toMatchObject(UNAVAILABLE);
      clock.advance(31_000);
    }
    expect(connection.lines).toEqual([expect.stringContaining('status 500'), expect.stringContaining('status 502')]);
  });

  it('give each request an error of its own', async () => {
    emulator.failUntilCleared(503, 'jwks');
    const [one, two] = await Promise.all([1, 2].map(() => authenticate(good()).catch((error: unknown) => error)));
    expect(one).toMatchObject(UNAVAILABLE);
    expect(one).not.toBe(two);
  });

  it('end the wait of a request at the deadline', async () => {
    emulator.failUntilCleared({ hang: true }, 'jwks');
    const impatient = connect(kindeAccessTokens({ audience: AUDIENCE }), { ...connection, timeoutMs: 20 });
    await expect(impatient(good())).rejects.toThrow('Kinde did not answer in time');
  });

  it('do not blame Kinde when the event loop of this process stood still', async () => {
    emulator.failUntilCleared({ hang: true }, 'jwks');
    const impatient = connect(kindeAccessTokens({ audience: AUDIENCE }), { ...connection, timeoutMs: 500 });
    const arrived = emulator.nextRequest('jwks');
    const answer = impatient(good()).catch((error: unknown) => error);
    await arrived;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700);
    expect(await answer).toMatchObject({
      message: expect.stringContaining('the event loop of this process') as string,
    });
  });
});

describe('an answer that is not a good key set is an outage, and replaces no key:', () => {
  const weak = new Signer('weak', 1_024);
  const { alg: _alg, use: _use, ...plain } = other.jwk;
  it.each<[string, unknown]>([
    ['no keys', { keys: [] }],
    ['keys that are not a list', { keys: { other: other.jwk } }],
    ['a key that is a text', { keys: ['other'] }],
    ['51 keys', { keys: Array.from({ length: 51 }, (_, index) => ({ ...other.jwk, kid: `kid-${index}` })) }],
    ['keys for encryption alone', { keys: [{ ...other.jwk, use: 'enc' }] }],
    ['keys for another algorithm alone', { keys: [{ ...other.jwk, alg: 'RS512' }] }],
    ['a shared secret', { keys: [{ kty: 'oct', k: 'AAAA', kid: 'other', alg: 'RS256' }] }],
    ['an elliptic curve', { keys: [{ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', kid: 'other' }] }],
    ['a key without an id', { keys: [{ ...other.jwk, kid: undefined }] }],
    ['an id that is a number', { keys: [{ ...other.jwk, kid: 1 }] }],
    ['two keys with one id', { keys: [other.jwk, { ...weak.jwk, kid: 'other', n: new Signer('x').jwk.n }] }],
    ['a key of 1,024 bits', { keys: [weak.jwk] }],
    ['a modulus that is a number', { keys: [{ ...plain, n: 1 }] }],
    ['a modulus that is empty', { keys: [{ ...plain, n: '' }] }],
    ['a list', [other.jwk]],
  ])('%s', async (_what, body) => {
    await authenticate(good());
    clock.advance(30_000);
    emulator.failUntilCleared({ status: 200, body }, 'jwks');
    await expect(authenticate(foreign('other'))).rejects.toMatchObject(UNAVAILABLE);
    expect(await authenticate(good())).toMatchObject({ id: 'kp_1' });
  });

  it.each<[string, Parameters<KindeEmulator['failNext']>[0]]>([
    ['a login page', { status: 200, body: '<html>', headers: { 'content-type': 'text/html' } }],
    ['a redirect', { redirect: 'http://127.0.0.1:1/keys' }],
    ['404', 404],
    ['an answer that never ends', { endless: true }],
    ['an answer that breaks off', { truncated: true }],
  ])('%s', async (_what, fault) => {
    await authenticate(good());
    clock.advance(30_000);
    emulator.failUntilCleared(fault, 'jwks');
    await expect(authenticate(foreign('other'))).rejects.toMatchObject(UNAVAILABLE);
    expect(await authenticate(good())).toMatchObject({ id: 'kp_1' });
  });

  it('keys of other kinds beside a good one do no harm', async () => {
    const keys = [
      { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', kid: 'ec' },
      { ...other.jwk, use: 'enc', kid: 'enc' },
      plain,
    ];
    emulator.failUntilCleared({ status: 200, body: { keys } }, 'jwks');
    const claims = { iss: emulator.domain, aud: AUDIENCE, sub: 'kp_1', exp: NOW_MS / 1_000 + 60 };
    expect(await authenticate(other.sign(claims))).toMatchObject({ id: 'kp_1' });
    await expect(authenticate(other.sign(claims, { kid: 'enc' }))).rejects.toMatchObject(UNKNOWN);
  });
});
