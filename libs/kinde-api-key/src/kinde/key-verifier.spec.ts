import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { HttpService } from '@nestjs/axios';
import axios from 'axios';
import { KindeApiKeyUnavailableError } from '../kinde-api-key.errors.js';
import { KindeEmulator, TestClock } from '../testing/index.js';
import { AxiosKindeHttp, type AxiosKindeHttpOptions } from './axios-http.js';
import { KeyVerifier, type KeyVerifierOptions } from './key-verifier.js';

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

function start(options: Partial<KeyVerifierOptions> = {}, httpOptions?: AxiosKindeHttpOptions) {
  const lines: string[] = [];
  const write = (message: string) => void lines.push(message);
  const client = new KeyVerifier(
    new AxiosKindeHttp(new HttpService(axios.create()), httpOptions),
    {
      origin: kinde.domain,
      ...kinde.credentials,
      audience: `${kinde.domain}/api`,
      apiId: null,
      timeoutMs: 2_000,
      retries: 0,
      maxConcurrent: 64,
      maxPerSecond: 100_000,
      maxQueued: 1_000,
      ...options,
    },
    clock,
    { debug: write, warn: write, error: write },
  );
  cleanups.push(() => client.close());
  return { client, lines };
}

const outcomeOf = (client: KeyVerifier, key: string) =>
  client.verifyKey(key, 'new').then(
    ({ verdict }) => (verdict.accepted ? 'accepted' : verdict.reason),
    (error: unknown) => (error instanceof KindeApiKeyUnavailableError ? 'outage' : String(error)),
  );

describe('KeyVerifier', () => {
  it('accepts a good key, with everything that Kinde says about it', async () => {
    const { client } = start();
    const { key, keyId } = kinde.createKey({ scopes: ['read:users'], orgCode: 'org_1', userId: 'kp_1' });
    const { verdict } = await client.verifyKey(key, 'new');
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
    'calls a bad key unknown if Kinde answers %j',
    async (invalidKeyAnswer) => {
      const { client } = start();
      kinde.invalidKeyAnswer = invalidKeyAnswer;
      expect(await outcomeOf(client, 'k_live_00000000000000000000')).toBe('unknown');
    },
  );

  it('tells revoked from inactive keys', async () => {
    const { client } = start();
    const revoked = kinde.createKey();
    const inactive = kinde.createKey();
    kinde.revokeKey(revoked.keyId);
    kinde.setKeyStatus(inactive.keyId, 'inactive');
    expect([await outcomeOf(client, revoked.key), await outcomeOf(client, inactive.key)]).toEqual([
      'revoked',
      'inactive',
    ]);
  });

  it('leaves no timer behind after an answer', async () => {
    const { client } = start({ timeoutMs: 54_321 });
    const set = jest.spyOn(globalThis, 'setTimeout');
    const clear = jest.spyOn(globalThis, 'clearTimeout');
    await outcomeOf(client, 'k_live_00000000000000000000');
    const cleared = new Set(clear.mock.calls.map(([timer]) => timer));
    const ours = set.mock.results.filter((_result, index) => set.mock.calls[index]?.[1] === 54_321);
    set.mockRestore();
    clear.mockRestore();
    expect(ours).toHaveLength(2);
    expect(ours.filter(({ value }) => !cleared.has(value as NodeJS.Timeout))).toEqual([]);
  });

  it('refuses a key that is too long for any request, without a call', async () => {
    const { client } = start();
    await expect(client.verifyKey('k'.repeat(2_049), 'new')).resolves.toEqual({
      verdict: { accepted: false, reason: 'unknown' },
      sentAtMs: clock.now(),
    });
    expect(kinde.counters.requests).toBe(0);
    expect(await outcomeOf(client, '\u0000'.repeat(2_048))).toBe('unknown');
    expect(kinde.counters.verifies).toBe(1);
  });

  it('says when the verify call was sent, not when it was answered or asked for', async () => {
    const { client } = start();
    const { key } = kinde.createKey();
    let answer = (): void => {};
    let mint = (): void => {};
    kinde.failNext({ holdUntil: new Promise<void>((resolve) => (mint = resolve)) }, 'token');
    kinde.failNext({ holdUntil: new Promise<void>((resolve) => (answer = resolve)) }, 'verify');
    const verifying = client.verifyKey(key, 'new');
    await kinde.nextRequest('token');
    clock.advance(5_000);
    const sentAtMs = clock.now();
    mint();
    await kinde.nextRequest('verify');
    clock.advance(5_000);
    answer();
    await expect(verifying).resolves.toMatchObject({ sentAtMs });
  });

  it('logs a status that nobody knows once a minute, without repeating it', async () => {
    const { client, lines } = start();
    const body = { is_valid: true, key_id: 'api_key_1', status: 'suspended', scopes: [] };
    kinde.failUntilCleared({ status: 200, headers: { 'content-type': 'application/json' }, body }, 'verify');
    const key = 'k_live_00000000000000000000';
    for (let index = 0; index < 3; index += 1) expect(await outcomeOf(client, key)).toBe('inactive');
    expect(lines).toHaveLength(1);
    expect(lines.join()).not.toContain('suspended');
    clock.advance(60_000);
    await outcomeOf(client, key);
    expect(lines).toHaveLength(2);
  });
});

describe('KeyVerifier, over wire-answers.json', () => {
  const wireCases = CASES.filter(({ outcome }) => outcome !== 'token_rejected').map(
    (wire) => [wire.name, wire] as const,
  );

  it.each(wireCases)('%s', async (_name, { status, headers, body, outcome }) => {
    const { client } = start();
    kinde.failNext({ status, headers, body }, 'verify');
    expect(await outcomeOf(client, 'k_live_00000000000000000000')).toBe(outcome);
    expect(kinde.counters.verifies).toBe(1);
  });
});

describe('KeyVerifier, with an apiId', () => {
  it('accepts a key of the API, and asks about it with the id escaped', async () => {
    const { client } = start({ apiId: 'api_a' });
    const { key, keyId } = kinde.createKey({ keyId: 'api_key/1 ?#' });
    kinde.failNext(
      {
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: { api_key: { id: keyId, api_ids: ['api_a'] } },
      },
      'keys',
    );
    expect(await outcomeOf(client, key)).toBe('accepted');
    expect(kinde.counters).toMatchObject({ verifies: 1, reads: 1 });
  });

  it('refuses a key of another API', async () => {
    const { client } = start({ apiId: 'api_a' });
    expect(await outcomeOf(client, kinde.createKey().key)).toBe('other_api');
  });

  it('refuses a key that is gone when its API is asked for', async () => {
    const { client } = start({ apiId: 'api_a' });
    kinde.failNext(404, 'keys');
    expect(await outcomeOf(client, kinde.createKey().key)).toBe('unknown');
  });

  it('does not ask for the API of a key that is refused anyway', async () => {
    const { client } = start({ apiId: 'api_a' });
    expect(await outcomeOf(client, 'k_live_00000000000000000000')).toBe('unknown');
    expect(kinde.counters.reads).toBe(0);
  });

  it.each([400, 401, 403, 429, 500, 503])('takes status %d on that call for an outage', async (status) => {
    const { client } = start({ apiId: 'api_a' });
    kinde.failNext(status, 'keys');
    expect(await outcomeOf(client, kinde.createKey().key)).toBe('outage');
  });

  it('tries that call again where it helps, and the verify call not with it', async () => {
    const { client } = start({ apiId: 'api_a', retries: 1 });
    kinde.failNext(503, 'keys');
    expect(await outcomeOf(client, kinde.createKey().key)).toBe('other_api');
    expect(kinde.counters).toMatchObject({ verifies: 1, reads: 2 });
  });

  it('takes an id that would name another resource for an outage', async () => {
    const { client } = start({ apiId: 'api_a' });
    const body = { is_valid: true, key_id: '..', status: 'active', scopes: [] };
    kinde.failNext({ status: 200, headers: { 'content-type': 'application/json' }, body }, 'verify');
    expect(await outcomeOf(client, 'k_live_00000000000000000000')).toBe('outage');
    expect(kinde.counters.reads).toBe(0);
  });
});

describe('KeyVerifier, closed', () => {
  it('gives up what is under way, wherever it is', async () => {
    const { client } = start({ maxConcurrent: 1 });
    const { key } = kinde.createKey();
    await client.verifyKey(key, 'new');
    kinde.failUntilCleared({ hang: true });
    const messageOf = () => client.verifyKey(key, 'new').catch((error: Error) => error.message);
    const underWay = messageOf();
    await kinde.nextRequest('verify');
    const inTheQueue = messageOf();
    client.close();
    client.close();
    expect(await Promise.all([underWay, inTheQueue])).toEqual(['the app is shutting down', 'the app is shutting down']);
  });

  it('gives up a mint that is under way', async () => {
    const { client, lines } = start();
    kinde.failUntilCleared({ hang: true });
    const waiting = client.verifyKey('k_live_00000000000000000000', 'new').catch((error: unknown) => error);
    await kinde.nextRequest('token');
    client.close();
    expect(await waiting).toMatchObject({ code: 'VERIFICATION_UNAVAILABLE', message: 'the app is shutting down' });
    expect(lines).toEqual([]);
  });

  it('gives up a renewal in the background without a word', async () => {
    const { client, lines } = start();
    const { key } = kinde.createKey();
    await client.verifyKey(key, 'new');
    clock.advance(0.8 * 86_400_000);
    kinde.failNext({ hang: true }, 'token');
    const arrived = kinde.nextRequest('token');
    await client.verifyKey(key, 'new');
    await arrived;
    client.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(lines).toEqual([]);
  });

  it('asks nothing more', async () => {
    const { client } = start();
    const { key } = kinde.createKey();
    await client.verifyKey(key, 'new');
    const { requests } = kinde.counters;
    client.close();
    expect(await outcomeOf(client, key)).toBe('outage');
    expect(kinde.counters.requests).toBe(requests);
  });

  it.each(['verify', 'token'] as const)(
    'leaves no timer behind when %s hangs, not even through an agent of the app',
    async (where) => {
      const set = jest.spyOn(globalThis, 'setTimeout');
      const clear = jest.spyOn(globalThis, 'clearTimeout');
      const httpAgent = new Agent({ keepAlive: true });
      cleanups.push(() => httpAgent.destroy());
      try {
        const { client } = start({ maxConcurrent: 1, timeoutMs: 54_321, retries: 1 }, { httpAgent });
        kinde.failUntilCleared({ hang: true }, where);
        const underWay = [outcomeOf(client, 'k_live_1'), outcomeOf(client, 'k_live_2')];
        await kinde.nextRequest(where);
        client.close();
        await Promise.all(underWay);
        await new Promise((resolve) => setImmediate(resolve));
        const cleared = new Set(clear.mock.calls.map(([timer]) => timer));
        const ours = set.mock.results.filter((_result, index) => set.mock.calls[index]?.[1] === 54_321);
        expect(ours).toHaveLength(3);
        expect(ours.filter(({ value }) => !cleared.has(value as NodeJS.Timeout))).toEqual([]);
      } finally {
        set.mockRestore();
        clear.mockRestore();
      }
    },
  );
});
