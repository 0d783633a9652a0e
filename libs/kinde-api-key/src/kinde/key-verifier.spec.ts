import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { newVerifier, unknownKey, type VerifierOptions } from '../../../../test/support/key-verifier.js';
import { KindeApiKeyUnavailableError } from '../kinde-api-key.errors.js';
import { KindeEmulator, TestClock } from '../testing/index.js';
import { AxiosKindeHttp, unsharedHttpService } from './axios-http.js';

interface WireCase {
  readonly name: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly outcome: string;
}
const CASES = JSON.parse(readFileSync(join(__dirname, 'answers/wire-answers.json'), 'utf8')) as WireCase[];

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

function start(options: VerifierOptions = {}) {
  const started = newVerifier(kinde, clock, options);
  cleanups.push(() => started.verifier.close());
  const outcomeOf = (key: string) =>
    started.verify(key).then(
      ({ verdict }) => (verdict.accepted ? 'accepted' : verdict.reason),
      (error: unknown) => (error instanceof KindeApiKeyUnavailableError ? 'outage' : String(error)),
    );
  return { ...started, outcomeOf };
}

/** Watches the timers of deadlines: `left()` are those that were set for `ms` and not cleared. */
function watchTimers(ms: number) {
  const set = jest.spyOn(globalThis, 'setTimeout');
  const clear = jest.spyOn(globalThis, 'clearTimeout');
  cleanups.push(() => {
    set.mockRestore();
    clear.mockRestore();
  });
  const all = () => set.mock.results.filter((_result, index) => set.mock.calls[index]?.[1] === ms);
  const left = () => {
    const cleared = new Set(clear.mock.calls.map(([timer]) => timer));
    return all().filter(({ value }) => !cleared.has(value as NodeJS.Timeout));
  };
  return { all, left };
}

describe('KeyVerifier', () => {
  it("accepts a good key, with every field of Kinde's answer", async () => {
    const { verify } = start();
    const { key, keyId } = kinde.createKey({ scopes: ['read:users'], orgCode: 'org_1', userId: 'kp_1' });
    const { verdict } = await verify(key);
    expect(verdict).toEqual({
      accepted: true,
      apiKey: {
        keyId,
        scopes: ['read:users'],
        orgCode: 'org_1',
        userId: 'kp_1',
        ownerType: 'user',
        lastVerifiedOn: expect.any(String) as string,
        verificationCount: 1,
      },
    });
  });

  it.each(['200', '200-nulls', 400, 401, 403, 404] as const)(
    'refuses a bad key as unknown if Kinde answers %j',
    async (invalidKeyAnswer) => {
      const { outcomeOf } = start();
      await outcomeOf(kinde.createKey().key);
      kinde.invalidKeyAnswer = invalidKeyAnswer;
      expect(await outcomeOf(kinde.createKey().key)).toBe('accepted');
      expect(await outcomeOf(unknownKey())).toBe('unknown');
    },
  );

  it('tells revoked from inactive keys', async () => {
    const { outcomeOf } = start();
    const revoked = kinde.createKey();
    const inactive = kinde.createKey();
    kinde.revokeKey(revoked.keyId);
    kinde.setKeyStatus(inactive.keyId, 'inactive');
    expect([await outcomeOf(revoked.key), await outcomeOf(inactive.key)]).toEqual(['revoked', 'inactive']);
  });

  it('clears its timers after an answer', async () => {
    const { outcomeOf } = start({ timeoutMs: 54_321 });
    const timers = watchTimers(54_321);
    await outcomeOf(unknownKey());
    expect(timers.all()).toHaveLength(2);
    expect(timers.left()).toEqual([]);
  });

  it('returns the time at which the verify call was sent, not the time of the request or the answer', async () => {
    const { verify } = start();
    const { key } = kinde.createKey();
    let answer = (): void => {};
    let mint = (): void => {};
    kinde.failNext({ holdUntil: new Promise<void>((resolve) => (mint = resolve)) }, 'token');
    kinde.failNext({ holdUntil: new Promise<void>((resolve) => (answer = resolve)) }, 'verify');
    const verifying = verify(key);
    await kinde.nextRequest('token');
    clock.advance(5_000);
    const sentAtMs = clock.now();
    mint();
    await kinde.nextRequest('verify');
    clock.advance(5_000);
    answer();
    await expect(verifying).resolves.toMatchObject({ sentAtMs });
  });

  it('logs an unknown status once a minute, without its text', async () => {
    const { outcomeOf, lines } = start();
    const body = { is_valid: true, key_id: 'api_key_1', status: 'suspended', scopes: [] };
    kinde.failUntilCleared({ status: 200, headers: { 'content-type': 'application/json' }, body }, 'verify');
    for (let index = 0; index < 3; index += 1) expect(await outcomeOf(unknownKey())).toBe('inactive');
    expect(lines).toHaveLength(1);
    expect(lines.join()).not.toContain('suspended');
    clock.advance(60_000);
    await outcomeOf(unknownKey());
    expect(lines).toHaveLength(2);
  });
});

describe('KeyVerifier, over wire-answers.json', () => {
  const wireCases = CASES.filter(({ outcome }) => outcome !== 'token_rejected').map(
    (wire) => [wire.name, wire] as const,
  );

  it.each(wireCases)('%s', async (_name, { status, headers, body, outcome }) => {
    const { outcomeOf } = start();
    kinde.failNext({ status, headers, body }, 'verify');
    expect(await outcomeOf(unknownKey())).toBe(outcome === 'unusable' ? 'outage' : outcome);
    expect(kinde.counters.verifies).toBe(1);
  });
});

describe('KeyVerifier with an apiId', () => {
  it('accepts a key of the API, and escapes the key id in the URL', async () => {
    const { outcomeOf } = start({ apiId: 'api_a' });
    const { key, keyId } = kinde.createKey({ keyId: 'api_key/1 ?#' });
    kinde.failNext(
      {
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: { api_key: { id: keyId, api_ids: ['api_a'] } },
      },
      'keys',
    );
    expect(await outcomeOf(key)).toBe('accepted');
    expect(kinde.counters).toMatchObject({ verifies: 1, reads: 1 });
  });

  it('refuses a key of another API', async () => {
    const { outcomeOf } = start({ apiId: 'api_a' });
    expect(await outcomeOf(kinde.createKey().key)).toBe('other_api');
  });

  it('refuses a key that is deleted between the two calls', async () => {
    const { outcomeOf } = start({ apiId: 'api_a' });
    kinde.failNext(404, 'keys');
    expect(await outcomeOf(kinde.createKey().key)).toBe('unknown');
  });

  it('does not ask for the API of a refused key', async () => {
    const { outcomeOf } = start({ apiId: 'api_a' });
    expect(await outcomeOf(unknownKey())).toBe('unknown');
    expect(kinde.counters.reads).toBe(0);
  });

  it.each([400, 401, 403, 429, 500, 503])('treats status %d of that call as an outage', async (status) => {
    const { outcomeOf } = start({ apiId: 'api_a' });
    kinde.failNext(status, 'keys');
    expect(await outcomeOf(kinde.createKey().key)).toBe('outage');
  });

  it('retries that call without the verify call', async () => {
    const { outcomeOf } = start({ apiId: 'api_a', retries: 1 });
    kinde.failNext(503, 'keys');
    expect(await outcomeOf(kinde.createKey().key)).toBe('other_api');
    expect(kinde.counters).toMatchObject({ verifies: 1, reads: 2 });
  });

  it('treats a key id that would lead to another resource as an outage', async () => {
    const { outcomeOf } = start({ apiId: 'api_a' });
    const body = { is_valid: true, key_id: '..', status: 'active', scopes: [] };
    kinde.failNext({ status: 200, headers: { 'content-type': 'application/json' }, body }, 'verify');
    expect(await outcomeOf(unknownKey())).toBe('outage');
    expect(kinde.counters.reads).toBe(0);
  });
});

describe('KeyVerifier.close', () => {
  it('aborts verifications in flight and in the queue', async () => {
    const { verifier, verify } = start({ maxConcurrent: 1 });
    const { key } = kinde.createKey();
    await verify(key);
    kinde.failUntilCleared({ hang: true });
    const messageOf = () => verify(key).catch((error: Error) => error.message);
    const inFlight = messageOf();
    await kinde.nextRequest('verify');
    const queued = messageOf();
    verifier.close();
    verifier.close();
    expect(await Promise.all([inFlight, queued])).toEqual(['the app is shutting down', 'the app is shutting down']);
  });

  it('aborts a mint in flight, without a log line', async () => {
    const { verifier, verify, lines } = start();
    kinde.failUntilCleared({ hang: true });
    const waiting = verify(unknownKey()).catch((error: unknown) => error);
    await kinde.nextRequest('token');
    verifier.close();
    expect(await waiting).toMatchObject({ code: 'VERIFICATION_UNAVAILABLE', message: 'the app is shutting down' });
    expect(lines).toEqual([]);
  });

  it('aborts a renewal in the background, without a log line', async () => {
    const { verifier, verify, lines } = start();
    const { key } = kinde.createKey();
    await verify(key);
    clock.advance(0.8 * 86_400_000);
    kinde.failNext({ hang: true }, 'token');
    const arrived = kinde.nextRequest('token');
    await verify(key);
    await arrived;
    verifier.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(lines).toEqual([]);
  });

  it('ends later verifications without a call', async () => {
    const { verifier, verify } = start();
    const { key } = kinde.createKey();
    await verify(key);
    const { requests } = kinde.counters;
    verifier.close();
    await expect(verify(key)).rejects.toMatchObject({
      code: 'VERIFICATION_UNAVAILABLE',
      message: 'the app is shutting down',
    });
    expect(kinde.counters.requests).toBe(requests);
  });

  it.each(['verify', 'token'] as const)(
    'clears every timer while %s hangs, with an agent of the app as well',
    async (where) => {
      const timers = watchTimers(54_321);
      const httpAgent = new Agent({ keepAlive: true });
      cleanups.push(() => httpAgent.destroy());
      const http = new AxiosKindeHttp(unsharedHttpService(), { httpAgent });
      const { verifier, outcomeOf } = start({ maxConcurrent: 1, timeoutMs: 54_321, retries: 1, http });
      kinde.failUntilCleared({ hang: true }, where);
      const inFlight = [outcomeOf(unknownKey(1)), outcomeOf(unknownKey(2))];
      await kinde.nextRequest(where);
      verifier.close();
      await Promise.all(inFlight);
      await new Promise((resolve) => setImmediate(resolve));
      expect(timers.all()).toHaveLength(3);
      expect(timers.left()).toEqual([]);
    },
  );
});
