import { newVerifier, unknownKey } from '../../../../test/support/key-verifier.js';
import { KindeEmulator, TestClock } from '../testing/index.js';
import { ApiKeyVerificationService } from './api-key-verification.service.js';

const CACHE = { ttlMs: 60_000, staleIfErrorMs: 240_000, negativeTtlMs: 10_000, maxKeys: 100, maxRefusals: 100 };
const clock = new TestClock();
const cleanups: (() => unknown)[] = [];
let kinde: KindeEmulator;

beforeAll(async () => {
  kinde = await KindeEmulator.start({ clock });
});
afterAll(() => kinde.stop());
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
  kinde.clearFaults();
  kinde.resetCounters();
});

/** A service that knows twenty keys, and whose calls to Kinde hang from now on. The first of them has met the outage. */
async function startOutage() {
  const { verifier } = newVerifier(kinde, clock, { timeoutMs: 60_000 });
  cleanups.push(() => verifier.close());
  const service = new ApiKeyVerificationService(verifier, CACHE, clock);
  const keys = Array.from({ length: 20 }, () => kinde.createKey());
  for (const { key } of keys) await service.verify(key);
  kinde.failUntilCleared({ reset: true });
  clock.advance(CACHE.ttlMs + 1);
  expect(service.verifyCached(keys[0]?.key ?? '')).toBeUndefined();
  await expect(service.verify(keys[0]?.key ?? '')).resolves.toMatchObject({ accepted: true });
  kinde.failUntilCleared({ hang: true });
  return { service, keys };
}

describe('A known key during an outage that is known', () => {
  it('is served without waiting, however rarely it is used', async () => {
    const { service, keys } = await startOutage();
    for (let use = 0; use < 8; use += 1) {
      const answers = keys.slice(1).map(({ key }) => service.verifyCached(key));
      expect(answers).toEqual(Array(19).fill(expect.objectContaining({ accepted: true })));
      clock.advance(29_000);
    }
  });

  it('is refused at maxAcceptedAgeMs', async () => {
    const { service, keys } = await startOutage();
    clock.advance(CACHE.staleIfErrorMs - 2);
    expect(service.verifyCached(keys[1]?.key ?? '')).toMatchObject({ accepted: true });
    clock.advance(1);
    expect(service.verifyCached(keys[2]?.key ?? '')).toBeUndefined();
    kinde.failUntilCleared({ reset: true });
    await expect(service.verify(keys[2]?.key ?? '')).rejects.toMatchObject({ code: 'VERIFICATION_UNAVAILABLE' });
  });

  it('is asked about in the background, and waits for Kinde again as soon as an answer has come', async () => {
    const { service, keys } = await startOutage();
    const [, revoked, other] = keys;
    kinde.clearFaults();
    kinde.revokeKey(revoked?.keyId ?? '');
    expect(service.verifyCached(revoked?.key ?? '')).toMatchObject({ accepted: true });
    while (service.verifyCached(revoked?.key ?? '')?.accepted !== false) await new Promise(setImmediate);
    expect(service.verifyCached(other?.key ?? '')).toBeUndefined();
    await expect(service.verify(other?.key ?? '')).resolves.toMatchObject({ accepted: true });
  });

  it('does not become known by a key whose answer cannot be used, or by a refused one', async () => {
    const { verifier } = newVerifier(kinde, clock);
    cleanups.push(() => verifier.close());
    const service = new ApiKeyVerificationService(verifier, CACHE, clock);
    const { key } = kinde.createKey();
    await service.verify(key);
    kinde.failNext({ malformed: true }, 'verify');
    await service.verify(unknownKey(1)).catch(() => undefined);
    await service.verify(unknownKey(2));
    clock.advance(CACHE.ttlMs);
    expect(service.verifyCached(key)).toBeUndefined();
  });
});
