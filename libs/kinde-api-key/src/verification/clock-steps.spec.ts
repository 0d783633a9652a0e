import { newVerifier } from '../../../../test/support/key-verifier.js';
import { KindeEmulator, TestClock } from '../testing/index.js';
import { ApiKeyVerificationService } from './api-key-verification.service.js';

const HOUR_MS = 3_600_000;
const CACHE = { ttlMs: 60_000, staleIfErrorMs: 240_000, negativeTtlMs: 10_000, maxKeys: 100, maxRefusals: 100 };
const ACCEPTED = { accepted: true };

let kinde: KindeEmulator;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => (kinde = await KindeEmulator.start()));
afterAll(() => kinde.stop());
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
  kinde.clearFaults();
  kinde.invalidKeyAnswer = '200';
});

function start() {
  const clock = new TestClock();
  const { verifier } = newVerifier(kinde, clock, kinde.registerApplication());
  cleanups.push(() => verifier.close());
  const service = new ApiKeyVerificationService(verifier, CACHE, clock);
  return { clock, service, verify: (key = kinde.createKey().key) => service.verify(key).catch(() => 'outage') };
}
type Started = ReturnType<typeof start>;

async function repeat(times: number, work: () => Promise<unknown>): Promise<void> {
  for (let index = 0; index < times; index += 1) await work();
}

/** What happens while the wall clock is an hour ahead. Each leaves a wait behind. */
const TROUBLES: readonly (readonly [string, (started: Started) => Promise<unknown>])[] = [
  [
    'a 429 that asks for an hour',
    ({ verify }) => {
      kinde.failNext({ status: 429, rateLimitReset: 3_600 }, 'verify');
      return verify();
    },
  ],
  [
    'an outage that opens the circuit',
    ({ verify }) => {
      kinde.failUntilCleared(500, 'verify');
      return repeat(12, verify);
    },
  ],
  [
    'refused M2M credentials',
    ({ clock, verify }) => {
      clock.advance(24 * HOUR_MS);
      kinde.failUntilCleared({ tokenError: 'invalid_client' }, 'token');
      return verify();
    },
  ],
  [
    'a lost M2M token, and a renewal that brings another lost one',
    async ({ verify }) => {
      await repeat(2, () => {
        kinde.revokeTokens();
        return verify();
      });
    },
  ],
  [
    'a renewal of the M2M token that fails',
    ({ verify }) => {
      kinde.revokeTokens();
      kinde.failUntilCleared(500, 'token');
      return repeat(6, verify);
    },
  ],
  [
    'a token that cannot be used',
    ({ clock, verify }) => {
      clock.advance(24 * HOUR_MS);
      kinde.failUntilCleared({ status: 200, body: {} }, 'token');
      return verify();
    },
  ],
  ['an invalidation of everything', ({ service }) => service.invalidateAll()],
  ['nothing', ({ verify }) => verify()],
];

describe('ApiKeyVerificationService, after the wall clock went an hour ahead and back', () => {
  it.each(TROUBLES)('accepts old and new keys at once after %s', async (_name, cause) => {
    const started = start();
    const { clock, verify } = started;
    const known = kinde.createKey().key;
    expect(await verify(known)).toMatchObject(ACCEPTED);
    const beforeMs = clock.now();
    clock.set(beforeMs + HOUR_MS);
    await cause(started);
    kinde.clearFaults();
    clock.set(beforeMs + 1_000);
    expect([await verify(known), await verify()]).toMatchObject([ACCEPTED, ACCEPTED]);
  });

  it('forgets the refusal of a key that was created meanwhile', async () => {
    const { clock, verify } = start();
    const beforeMs = clock.now();
    const { key, keyId } = kinde.createKey();
    kinde.setKeyStatus(keyId, 'inactive');
    clock.set(beforeMs + HOUR_MS);
    expect(await verify(key)).toMatchObject({ accepted: false });
    kinde.setKeyStatus(keyId, 'active');
    clock.set(beforeMs);
    expect(await verify(key)).toMatchObject(ACCEPTED);
  });
});
