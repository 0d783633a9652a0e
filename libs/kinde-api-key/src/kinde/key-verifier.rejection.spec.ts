import { newVerifier, unknownKey, type VerifierOptions } from '../../../../test/support/key-verifier.js';
import { KindeEmulator, TestClock } from '../testing/index.js';

const BAD_KEY = unknownKey();
const ACCEPTED = { verdict: { accepted: true } };
const UNKNOWN = { verdict: { accepted: false, reason: 'unknown' } };
const UNAVAILABLE = { code: 'VERIFICATION_UNAVAILABLE' };
const MINUTE_MS = 60_000;

const cleanups: (() => unknown)[] = [];
const clock = new TestClock();
let kinde: KindeEmulator;

beforeAll(async () => {
  kinde = await KindeEmulator.start({ clock });
});
afterAll(() => kinde.stop());
beforeEach(() => (kinde.invalidKeyAnswer = 401));
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  kinde.clearFaults();
  kinde.resetCounters();
  kinde.invalidKeyAnswer = '200';
});

function start(options: VerifierOptions = {}) {
  const credentials = kinde.registerApplication();
  const started = newVerifier(kinde, clock, { ...credentials, timeoutMs: 600_000, ...options });
  cleanups.push(() => started.verifier.close());
  return { ...started, clientId: credentials.clientId };
}

/** A key that no verifier has seen. */
const goodKey = () => kinde.createKey().key;

describe('KeyVerifier, when Kinde drops the M2M token', () => {
  it('twice within a minute: no good key is refused, one log line says so, and a minute later keys are accepted', async () => {
    const { lines, verify } = start();
    await expect(verify(goodKey())).resolves.toMatchObject(ACCEPTED);
    kinde.revokeTokens();
    await expect(verify(goodKey())).resolves.toMatchObject(ACCEPTED);
    kinde.revokeTokens();
    for (let index = 0; index < 5; index += 1) {
      await expect(verify(goodKey())).rejects.toMatchObject({ ...UNAVAILABLE, retryAfterSeconds: 60 });
    }
    expect(lines).toEqual([expect.stringContaining('M2M token')]);
    clock.advance(MINUTE_MS);
    await expect(verify(goodKey())).resolves.toMatchObject(ACCEPTED);
    expect(kinde.counters.mints).toBe(3);
  });

  it('twice within a minute, before verify accepted the second: no good key is refused', async () => {
    const { verify } = start();
    await expect(verify(goodKey())).resolves.toMatchObject(ACCEPTED);
    kinde.revokeTokens();
    await expect(verify(BAD_KEY)).rejects.toMatchObject(UNAVAILABLE);
    kinde.revokeTokens();
    await expect(verify(goodKey())).rejects.toMatchObject(UNAVAILABLE);
  });

  it('after a bad key: the next good key is not refused', async () => {
    const { verify } = start();
    await verify(BAD_KEY).catch(() => undefined);
    kinde.revokeTokens();
    await expect(verify(goodKey())).resolves.toMatchObject(ACCEPTED);
  });

  it('between a good, a bad and another good key, the second good key is not refused', async () => {
    const { verify } = start();
    await expect(verify(goodKey())).resolves.toMatchObject(ACCEPTED);
    await expect(verify(BAD_KEY)).resolves.toMatchObject(UNKNOWN);
    await expect(verify(goodKey())).resolves.toMatchObject(ACCEPTED);
    kinde.revokeTokens();
    await expect(verify(goodKey())).resolves.toMatchObject(ACCEPTED);
    expect(kinde.counters.mints).toBe(2);
  });

  it('every minute, each renewal helps, and no pause grows', async () => {
    const { verify } = start();
    for (let minute = 0; minute < 10; minute += 1) {
      kinde.revokeTokens();
      await expect(verify(goodKey())).resolves.toMatchObject(ACCEPTED);
      clock.advance(MINUTE_MS);
    }
    expect(kinde.counters.mints).toBe(10);
  });

  it('and the token endpoint fails for a moment, the renewal is retried after 1, 2 and 4 s', async () => {
    const { verify } = start();
    await verify(goodKey());
    kinde.revokeTokens();
    kinde.failUntilCleared(500, 'token');
    for (const [waitSeconds, requests] of [
      [1, 2],
      [2, 3],
      [4, 4],
    ] as const) {
      await expect(verify(goodKey())).rejects.toMatchObject(UNAVAILABLE);
      await expect(verify(goodKey())).rejects.toMatchObject(UNAVAILABLE);
      expect(kinde.counters.tokenRequests).toBe(requests);
      clock.advance(waitSeconds * 1_000);
    }
    kinde.clearFaults();
    await expect(verify(goodKey())).resolves.toMatchObject(ACCEPTED);
  });
});

describe('KeyVerifier, when verify does not know a new M2M token yet', () => {
  it('no good key is refused, and no other token is minted for it', async () => {
    const { verify } = start();
    kinde.failUntilCleared(401, 'verify');
    for (let second = 0; second < 2; second += 1) {
      await expect(verify(goodKey())).rejects.toMatchObject(UNAVAILABLE);
      clock.advance(1_000);
    }
    kinde.clearFaults();
    await expect(verify(goodKey())).resolves.toMatchObject(ACCEPTED);
    expect(kinde.counters.mints).toBe(1);
  });

  it('and the whole API does not, no good key is refused, and the first success needs no third token', async () => {
    const { verify } = start();
    kinde.failUntilCleared(401, 'verify');
    kinde.failUntilCleared(401, 'keys');
    await expect(verify(goodKey())).rejects.toMatchObject(UNAVAILABLE);
    clock.advance(2_000);
    kinde.clearFaults();
    await expect(verify(goodKey())).resolves.toMatchObject(ACCEPTED);
    expect(kinde.counters.mints).toBe(2);
  });
});

describe('KeyVerifier, when Kinde answers 401 for bad keys', () => {
  it('mints one token in two hours with a good and a bad key every minute, and refuses every bad key', async () => {
    const { verify } = start();
    for (let minute = 0; minute < 120; minute += 1) {
      await expect(verify(goodKey())).resolves.toMatchObject(ACCEPTED);
      clock.advance(MINUTE_MS / 2);
      await expect(verify(`${BAD_KEY}${minute}`)).resolves.toMatchObject(UNKNOWN);
      clock.advance(MINUTE_MS / 2);
    }
    expect(kinde.counters.mints).toBe(1);
  });

  it.each([401, 403] as const)(
    'refuses bad keys with %d that are all it ever sees, once its token is a minute old',
    async (status) => {
      const { verify } = start();
      kinde.invalidKeyAnswer = status;
      await expect(verify(BAD_KEY)).rejects.toMatchObject(UNAVAILABLE);
      clock.advance(MINUTE_MS);
      await expect(verify(BAD_KEY)).resolves.toMatchObject(UNKNOWN);
      expect(kinde.counters.mints).toBe(1);
    },
  );

  it('refuses a bad key as soon as verify has answered anything else with the same token', async () => {
    const { verify } = start();
    kinde.invalidKeyAnswer = 404;
    await expect(verify(BAD_KEY)).resolves.toMatchObject(UNKNOWN);
    kinde.invalidKeyAnswer = 401;
    await expect(verify(BAD_KEY)).resolves.toMatchObject(UNKNOWN);
    expect(kinde.counters.mints).toBe(1);
  });

  it('checks its token once for several concurrent bad keys', async () => {
    const { verify } = start();
    await verify(goodKey());
    const answers = Array.from({ length: 100 }, (_, index) => verify(`${BAD_KEY}${index}`));
    await expect(Promise.all(answers)).resolves.toHaveLength(100);
    expect(kinde.counters.lists).toBeLessThan(50);
    expect(kinde.counters.mints).toBe(1);
  });

  it.each([500, 404, 429, { reset: true }] as const)(
    'does not refuse a key if the check of its token fails (%j)',
    async (fault) => {
      const { verify } = start();
      await verify(goodKey());
      kinde.failUntilCleared(fault, 'keys');
      await expect(verify(BAD_KEY)).rejects.toMatchObject(UNAVAILABLE);
      expect(kinde.counters.mints).toBe(1);
    },
  );

  it('mints ever more rarely while a bad key is rejected and every check is too', async () => {
    const { verify } = start();
    kinde.failUntilCleared(403, 'keys');
    for (let minute = 0; minute < 120; minute += 1) {
      await expect(verify(goodKey())).resolves.toMatchObject(ACCEPTED);
      await expect(verify(BAD_KEY)).rejects.toMatchObject(UNAVAILABLE);
      clock.advance(MINUTE_MS);
    }
    expect(kinde.counters.mints).toBeLessThanOrEqual(8);
  });
});

describe('KeyVerifier, when the clock steps an hour ahead and back', () => {
  const troubles: [string, (verify: (key: string) => Promise<unknown>) => Promise<unknown>][] = [
    [
      'a 429',
      async (verify) => {
        kinde.failNext({ status: 429, rateLimitReset: 2 }, 'verify');
        await verify(goodKey()).catch(() => undefined);
      },
    ],
    [
      'a 429 of the token endpoint',
      async (verify) => {
        kinde.failNext({ status: 429, rateLimitReset: 2 }, 'token');
        kinde.revokeTokens();
        await verify(goodKey()).catch(() => undefined);
      },
    ],
    [
      'an outage',
      async (verify) => {
        kinde.failUntilCleared(500, 'verify');
        for (let index = 0; index < 20; index += 1) await verify(goodKey()).catch(() => undefined);
        kinde.clearFaults();
      },
    ],
    [
      'two dropped M2M tokens',
      async (verify) => {
        for (let index = 0; index < 2; index += 1) {
          kinde.revokeTokens();
          await verify(goodKey()).catch(() => undefined);
        }
      },
    ],
    [
      'refused credentials',
      async (verify) => {
        kinde.failNext({ tokenError: 'invalid_client' }, 'token');
        kinde.revokeTokens();
        await verify(goodKey()).catch(() => undefined);
      },
    ],
    ['nothing else', async (verify) => verify(goodKey())],
  ];

  it.each(troubles)('and meanwhile there is %s, a good key is accepted within 5 s', async (_what, cause) => {
    const { verify } = start();
    await verify(goodKey());
    const startMs = clock.now();
    clock.advance(3_600_000);
    await cause(verify);
    clock.set(startMs);
    await verify(goodKey()).catch(() => undefined);
    clock.advance(5_000);
    await expect(verify(goodKey())).resolves.toMatchObject(ACCEPTED);
  });
});
