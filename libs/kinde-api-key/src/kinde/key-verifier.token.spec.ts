import { HttpService } from '@nestjs/axios';
import axios from 'axios';
import type { Clock } from '../clock.js';
import { KindeEmulator, TestClock } from '../testing/index.js';
import { AxiosKindeHttp } from './axios-http.js';
import { KeyVerifier, type KeyVerifierOptions } from './key-verifier.js';

const BAD_KEY = 'k_live_00000000000000000000';
const ACCEPTED = { verdict: { accepted: true } };
const UNKNOWN = { verdict: { accepted: false, reason: 'unknown' } };
const UNAVAILABLE = { code: 'VERIFICATION_UNAVAILABLE' };
const DAY_MS = 86_400_000;

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

/** A client with an M2M application of its own. */
function start(options: Partial<KeyVerifierOptions> = {}, clientClock: Clock = clock) {
  const credentials = kinde.registerApplication();
  const lines: string[] = [];
  let onLine = (_line: string): void => {};
  const write = (line: string) => {
    lines.push(line);
    onLine(line);
  };
  /** Waits for the next line of the log. */
  const nextLine = () => new Promise<string>((resolve) => (onLine = resolve));
  const client = new KeyVerifier(
    new AxiosKindeHttp(new HttpService(axios.create())),
    {
      origin: kinde.domain,
      ...credentials,
      audience: `${kinde.domain}/api`,
      apiId: null,
      timeoutMs: 2_000,
      retries: 0,
      maxConcurrent: 64,
      maxPerSecond: 100_000,
      maxQueued: 10_000,
      ...options,
    },
    clientClock,
    { debug: write, warn: write, error: write },
  );
  cleanups.push(() => client.close());
  const { key } = kinde.createKey();
  const verify = (rawKey = key) => client.verifyKey(rawKey, 'new');
  return { clientId: credentials.clientId, lines, nextLine, verify };
}

/** A gate for the emulator's `holdUntil`. */
function gate() {
  let open = (): void => {};
  const holdUntil = new Promise<void>((resolve) => (open = resolve));
  return { holdUntil, open: () => open() };
}

describe("KeyVerifier's token", () => {
  it('is minted once for a hundred callers, and asked for as Kinde wants it', async () => {
    const { verify } = start();
    const { holdUntil, open } = gate();
    kinde.failNext({ holdUntil }, 'token');
    const callers = Array.from({ length: 100 }, () => verify());
    await kinde.nextRequest('token');
    open();
    await expect(Promise.all(callers)).resolves.toHaveLength(100);
    expect(kinde.counters).toMatchObject({ tokenRequests: 1, mints: 1, verifies: 100 });
  });

  it('is renewed in the background from four fifths of its life on, and nobody waits for it', async () => {
    const { verify } = start();
    await verify();
    clock.advance(0.8 * DAY_MS - 1);
    await verify();
    expect(kinde.counters.tokenRequests).toBe(1);
    clock.advance(1);
    const { holdUntil, open } = gate();
    kinde.failNext({ holdUntil }, 'token');
    const arrived = kinde.nextRequest('token');
    await verify();
    await arrived;
    for (let index = 0; index < 5; index += 1) await expect(verify()).resolves.toMatchObject(ACCEPTED);
    open();
    expect(kinde.counters.tokenRequests).toBe(2);
  });

  it('is used on while its renewal fails, until it ends', async () => {
    const { nextLine, verify } = start();
    await verify();
    clock.advance(0.8 * DAY_MS);
    kinde.failUntilCleared(500, 'token');
    const line = nextLine();
    await verify();
    expect(await line).toContain('could not be renewed ahead of time');
    await verify();
    expect(kinde.counters.tokenRequests).toBe(2);
    clock.advance(0.2 * DAY_MS - 30_001);
    await expect(verify()).resolves.toMatchObject(ACCEPTED);
    clock.advance(1);
    await expect(verify()).rejects.toMatchObject(UNAVAILABLE);
  });

  it('lives by expires_in, whatever the two clocks say', async () => {
    const clientClock = new TestClock(1_000_000);
    const { verify } = start({}, clientClock);
    await verify();
    clientClock.advance(0.79 * DAY_MS);
    await verify();
    expect(kinde.counters.mints).toBe(1);
  });

  it('lives by its own claims where Kinde does not say expires_in, whatever the two clocks say', async () => {
    const clientClock = new TestClock(1_000_000);
    const { clientId, verify } = start({}, clientClock);
    kinde.changeApplication({ omitExpiresIn: true }, clientId);
    await verify();
    clientClock.advance(0.79 * DAY_MS);
    await verify();
    expect(kinde.counters.mints).toBe(1);
    const arrived = kinde.nextRequest('token');
    clientClock.advance(0.01 * DAY_MS);
    await verify();
    await arrived;
  });

  it.each([
    ['invalid_client', 'KINDE_MANAGEMENT_CLIENT_SECRET'],
    ['unauthorized_client', 'Authorize the Kinde Management API'],
    ['invalid_scope', 'Grant read:api_keys'],
    ['invalid_request', "'audience'"],
  ] as const)(
    'that is refused with %s says what to mend, once a minute in the log, and is not asked for again for ten seconds',
    async (tokenError, remedy) => {
      const { lines, verify } = start();
      kinde.failUntilCleared({ tokenError }, 'token');
      for (let index = 0; index < 5; index += 1) {
        await expect(verify()).rejects.toMatchObject({
          code: 'VERIFICATION_MISCONFIGURED',
          retryAfterSeconds: 10,
          message: expect.stringContaining(remedy) as string,
        });
      }
      clock.advance(9_999);
      await expect(verify()).rejects.toMatchObject({ code: 'VERIFICATION_MISCONFIGURED' });
      expect(kinde.counters.tokenRequests).toBe(1);
      expect(lines).toEqual([expect.stringContaining(`(${tokenError})`)]);
      kinde.clearFaults();
      clock.advance(1);
      await expect(verify()).resolves.toMatchObject(ACCEPTED);
    },
  );

  it('is refused for wrong credentials', async () => {
    const { verify } = start({ clientSecret: 'wrong' });
    await expect(verify()).rejects.toMatchObject({ code: 'VERIFICATION_MISCONFIGURED' });
  });
});

describe('KeyVerifier, answered 401 or 403', () => {
  it('renews a token that Kinde took back, once, and accepts the key', async () => {
    const { verify } = start();
    await verify();
    kinde.revokeTokens();
    const answers = await Promise.all(Array.from({ length: 20 }, () => verify()));
    expect(answers.filter(({ verdict }) => verdict.accepted)).toHaveLength(20);
    expect(kinde.counters.mints).toBe(2);
  });

  it.each([401, 403] as const)(
    'mints two tokens at most for 1,000 bad keys (%d), and accepts a good one all the while',
    async (invalidKeyAnswer) => {
      const { verify } = start({ timeoutMs: 20_000 });
      kinde.invalidKeyAnswer = invalidKeyAnswer;
      const outcomes = Array.from({ length: 1_000 }, (_, index) => [
        verify(`${BAD_KEY}${index}`),
        ...(index % 100 === 0 ? [verify()] : []),
      ]).flat();
      const verdicts = (await Promise.all(outcomes)).map(({ verdict }) =>
        verdict.accepted ? 'accepted' : verdict.reason,
      );
      expect(verdicts.filter((verdict) => verdict === 'unknown')).toHaveLength(1_000);
      expect(verdicts.filter((verdict) => verdict === 'accepted')).toHaveLength(10);
      expect(kinde.counters.mints).toBeLessThanOrEqual(2);
      await expect(verify()).resolves.toMatchObject(ACCEPTED);
    },
    30_000,
  );

  it('renews again after a minute, and not before', async () => {
    const { verify } = start();
    kinde.invalidKeyAnswer = 401;
    await expect(verify(BAD_KEY)).resolves.toMatchObject(UNKNOWN);
    clock.advance(59_999);
    await expect(verify(BAD_KEY)).resolves.toMatchObject(UNKNOWN);
    expect(kinde.counters.mints).toBe(2);
    clock.advance(1);
    await expect(verify(BAD_KEY)).resolves.toMatchObject(UNKNOWN);
    expect(kinde.counters.mints).toBe(3);
  });

  it('says when the call that was believed was sent', async () => {
    const { verify } = start();
    await verify();
    kinde.revokeTokens();
    const { holdUntil, open } = gate();
    kinde.failNext({ holdUntil }, 'token');
    const verifying = verify();
    await kinde.nextRequest('token');
    clock.advance(5_000);
    open();
    await expect(verifying).resolves.toMatchObject({ ...ACCEPTED, sentAtMs: clock.now() });
  });

  it('is misconfigured if the renewal is refused', async () => {
    const { clientId, verify } = start();
    await verify();
    kinde.revokeTokens();
    kinde.removeApplication(clientId);
    await expect(verify()).rejects.toMatchObject({
      code: 'VERIFICATION_MISCONFIGURED',
      message: expect.stringContaining('invalid_client') as string,
    });
  });

  it('knows nothing if the renewal fails, and for the rest of its minute', async () => {
    const { verify } = start();
    await verify();
    kinde.revokeTokens();
    kinde.failNext(500, 'token');
    await expect(verify(BAD_KEY)).rejects.toMatchObject(UNAVAILABLE);
    clock.advance(59_999);
    await expect(verify(BAD_KEY)).rejects.toMatchObject(UNAVAILABLE);
    expect(kinde.counters.tokenRequests).toBe(2);
    clock.advance(1);
    await expect(verify()).resolves.toMatchObject(ACCEPTED);
  });

  it('is misconfigured if the token lacks the scope by its own claims, until it is granted', async () => {
    const { clientId, lines, verify } = start();
    kinde.changeApplication({ scopes: ['read:apis'] }, clientId);
    kinde.failUntilCleared({ status: 403, body: {} }, 'verify');
    for (let index = 0; index < 3; index += 1) {
      await expect(verify()).rejects.toMatchObject({
        code: 'VERIFICATION_MISCONFIGURED',
        message: expect.stringContaining('lacks the scope read:api_keys') as string,
      });
    }
    expect(kinde.counters.mints).toBe(2);
    expect(lines).toHaveLength(1);
    kinde.changeApplication({ scopes: ['read:api_keys'] }, clientId);
    kinde.clearFaults();
    clock.advance(60_000);
    await expect(verify()).resolves.toMatchObject(ACCEPTED);
  });

  it('is misconfigured if the token is for another audience by its own claims', async () => {
    const { clientId, verify } = start();
    kinde.changeApplication({ issuedAudience: ['https://other.kinde.com/api'] }, clientId);
    await expect(verify()).rejects.toMatchObject({
      code: 'VERIFICATION_MISCONFIGURED',
      message: expect.stringContaining('audience') as string,
    });
  });

  it('is misconfigured if Kinde says that a scope is missing', async () => {
    const { verify } = start();
    kinde.failUntilCleared(
      { status: 403, body: { errors: [{ code: 'SCOPE_MISSING', message: 'Scope missing' }] } },
      'verify',
    );
    await expect(verify()).rejects.toMatchObject({
      code: 'VERIFICATION_MISCONFIGURED',
      message: expect.stringContaining('read:api_keys') as string,
    });
    expect(kinde.counters.mints).toBe(2);
  });

  it('does not let the sender of a bad key choose that diagnosis', async () => {
    const { verify } = start();
    kinde.failUntilCleared({ status: 401, echo: true }, 'verify');
    await expect(verify('scope_missing_scope_missing')).resolves.toMatchObject(UNKNOWN);
  });

  it('gives up, and blames no key, if even the third token is rejected', async () => {
    let nowMs = 1_000_000_000_000;
    const hasty: Clock = { now: () => (nowMs += 60_000) };
    const { verify } = start({}, hasty);
    kinde.failUntilCleared(401, 'verify');
    await expect(verify(BAD_KEY)).rejects.toMatchObject(UNAVAILABLE);
    expect(kinde.counters.verifies).toBe(3);
  });
});
