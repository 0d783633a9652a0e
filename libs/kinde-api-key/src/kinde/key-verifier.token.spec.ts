import { newVerifier, unknownKey, type VerifierOptions } from '../../../../test/support/key-verifier.js';
import type { Clock } from '../clock.js';
import { KindeEmulator, TestClock } from '../testing/index.js';

const BAD_KEY = unknownKey();
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

/** A verifier with an M2M application of its own, and a deadline that a busy machine does not meet. */
function start(options: VerifierOptions = {}, verifierClock: Clock = clock) {
  const credentials = kinde.registerApplication();
  const started = newVerifier(kinde, verifierClock, {
    ...credentials,
    timeoutMs: 600_000,
    maxQueued: 10_000,
    ...options,
  });
  cleanups.push(() => started.verifier.close());
  const { key } = kinde.createKey();
  const verify = (rawKey = key) => started.verify(rawKey);
  return { ...started, verify, clientId: credentials.clientId };
}

/** A gate for the emulator's `holdUntil`. */
function gate() {
  let open = (): void => {};
  const holdUntil = new Promise<void>((resolve) => (open = resolve));
  return { holdUntil, open: () => open() };
}

describe("KeyVerifier's M2M token", () => {
  it('is minted once for a hundred concurrent callers', async () => {
    const { verify } = start();
    const { holdUntil, open } = gate();
    kinde.failNext({ holdUntil }, 'token');
    const callers = Array.from({ length: 100 }, () => verify());
    await kinde.nextRequest('token');
    open();
    await expect(Promise.all(callers)).resolves.toHaveLength(100);
    expect(kinde.counters).toMatchObject({ tokenRequests: 1, mints: 1, verifies: 100 });
  });

  it('is renewed in the background after four fifths of its life, without delaying a verification', async () => {
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

  it('stays in use while its renewal fails, until it expires', async () => {
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

  it('expires by expires_in, even if the clocks of Kinde and this machine differ', async () => {
    const clientClock = new TestClock(1_000_000);
    const { verify } = start({}, clientClock);
    await verify();
    clientClock.advance(0.79 * DAY_MS);
    await verify();
    expect(kinde.counters.mints).toBe(1);
  });

  it('expires by its own claims if expires_in is absent, even if the clocks differ', async () => {
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
    'is not requested again for ten seconds after %s, and the error and one log line say what to fix',
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

  it('is not minted again for ten seconds after one that cannot be used', async () => {
    const { verify } = start();
    kinde.failUntilCleared({ status: 200, body: { access_token: 'opaque', expires_in: 'soon' } }, 'token');
    for (let index = 0; index < 3; index += 1) await expect(verify()).rejects.toMatchObject(UNAVAILABLE);
    expect(kinde.counters.tokenRequests).toBe(1);
    kinde.clearFaults();
    clock.advance(10_000);
    await expect(verify()).resolves.toMatchObject(ACCEPTED);
  });

  it('is not minted for a wrong client secret: VERIFICATION_MISCONFIGURED', async () => {
    const { verify } = start({ clientSecret: 'wrong' });
    await expect(verify()).rejects.toMatchObject({ code: 'VERIFICATION_MISCONFIGURED' });
  });
});

describe('KeyVerifier after 401 or 403', () => {
  it('renews a revoked token once for twenty callers, and accepts their keys', async () => {
    const { verify } = start();
    await verify();
    kinde.revokeTokens();
    const answers = await Promise.all(Array.from({ length: 20 }, () => verify()));
    expect(answers.filter(({ verdict }) => verdict.accepted)).toHaveLength(20);
    expect(kinde.counters.mints).toBe(2);
  });

  it.each([401, 403] as const)(
    'mints no token for 300 bad keys (%d), and accepts a good key meanwhile',
    async (invalidKeyAnswer) => {
      const { verify } = start();
      await verify();
      kinde.invalidKeyAnswer = invalidKeyAnswer;
      const outcomes = Array.from({ length: 300 }, (_, index) => [
        verify(`${BAD_KEY}${index}`),
        ...(index % 30 === 0 ? [verify()] : []),
      ]).flat();
      const verdicts = (await Promise.all(outcomes)).map(({ verdict }) =>
        verdict.accepted ? 'accepted' : verdict.reason,
      );
      expect(verdicts.filter((verdict) => verdict === 'unknown')).toHaveLength(300);
      expect(verdicts.filter((verdict) => verdict === 'accepted')).toHaveLength(10);
      expect(kinde.counters.mints).toBe(1);
      await expect(verify()).resolves.toMatchObject(ACCEPTED);
    },
  );

  it('renews a rejected token at most once a minute, and ever more rarely while that does not help', async () => {
    const { verify } = start();
    kinde.failUntilCleared(401);
    kinde.failUntilCleared({ delayMs: 0 }, 'token');
    let minutes = 0;
    for (const [mints, pauseMinutes] of [
      [2, 1],
      [3, 2],
      [4, 4],
      [5, 8],
      [6, 16],
      [7, 32],
      [8, 60],
      [9, 60],
    ] as const) {
      await expect(verify(BAD_KEY)).rejects.toMatchObject({ ...UNAVAILABLE, retryAfterSeconds: pauseMinutes * 60 });
      clock.advance(pauseMinutes * 60_000 - 1);
      await expect(verify(BAD_KEY)).rejects.toMatchObject({ ...UNAVAILABLE, retryAfterSeconds: 1 });
      expect(kinde.counters.mints).toBe(mints);
      clock.advance(1);
      minutes += pauseMinutes;
    }
    expect(minutes).toBe(183);
  });

  it('returns the time at which the call with the renewed token was sent', async () => {
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

  it('fails with VERIFICATION_MISCONFIGURED if the renewal is refused', async () => {
    const { clientId, verify } = start();
    await verify();
    kinde.revokeTokens();
    kinde.removeApplication(clientId);
    await expect(verify()).rejects.toMatchObject({
      code: 'VERIFICATION_MISCONFIGURED',
      message: expect.stringContaining('invalid_client') as string,
    });
  });

  it('fails with VERIFICATION_MISCONFIGURED until the scope is granted that the claims of the token lack', async () => {
    const { clientId, lines, verify } = start();
    kinde.changeApplication({ scopes: ['read:apis'] }, clientId);
    kinde.failUntilCleared(403, 'verify');
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

  it('fails with VERIFICATION_MISCONFIGURED if the claims of the token name another audience', async () => {
    const { clientId, verify } = start();
    kinde.changeApplication({ issuedAudience: ['https://other.kinde.com/api'] }, clientId);
    await expect(verify()).rejects.toMatchObject({
      code: 'VERIFICATION_MISCONFIGURED',
      message: expect.stringContaining('audience') as string,
    });
  });

  it('fails with VERIFICATION_MISCONFIGURED if the answer says that a scope is missing', async () => {
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

  it('ignores "scope missing" in an echo of the key', async () => {
    const { verify } = start();
    await verify();
    kinde.failUntilCleared({ status: 401, echo: true }, 'verify');
    await expect(verify('scope_missing_scope_missing')).resolves.toMatchObject(UNKNOWN);
  });

  it('fails with VERIFICATION_UNAVAILABLE if Kinde rejects the third token as well', async () => {
    let nowMs = 1_000_000_000_000;
    const hasty: Clock = { now: () => (nowMs += 60_000) };
    const { verify } = start({}, hasty);
    kinde.failUntilCleared(401, 'verify');
    kinde.failUntilCleared(401, 'keys');
    await expect(verify(BAD_KEY)).rejects.toMatchObject(UNAVAILABLE);
    expect(kinde.counters.verifies).toBe(3);
  });
});
