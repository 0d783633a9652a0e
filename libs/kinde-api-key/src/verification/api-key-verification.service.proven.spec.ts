import { verifiedKey } from '../../../../test/support/verified-key.js';
import { KindeApiKeyUnavailableError } from '../kinde-api-key.errors.js';
import type { KeyAnswer } from '../kinde/key-verifier.js';
import type { Lane } from './api-key-verification.service.js';
import type { Verdict } from '../api-key/verdict.js';
import { TestClock } from '../testing/index.js';
import { ApiKeyVerificationService, type VerifierPort } from './api-key-verification.service.js';

const KEY = 'k_live_0123456789abcdef';
const NOW_MS = 1_000_000;
const OPTIONS = { ttlMs: 60_000, staleIfErrorMs: 240_000, negativeTtlMs: 10_000, maxKeys: 100, maxRefusals: 10 };
const MAX_ACCEPTED_AGE_MS = 300_000;

const REVOKED: Verdict = { accepted: false, reason: 'revoked' };
const ACCEPTED: Verdict = { accepted: true, apiKey: verifiedKey() };

/** Kinde, whose answers the test gives when it wants to. */
class ManualKinde implements VerifierPort {
  readonly calls: { lane: Lane; answer: (verdict: Verdict) => void; fail: () => void }[] = [];

  constructor(private readonly clock: TestClock) {}

  verifyKey(_rawKey: string, lane: Lane): Promise<KeyAnswer> {
    const sentAtMs = this.clock.now();
    return new Promise((resolve, reject) => {
      this.calls.push({
        lane,
        answer: (verdict) => resolve({ verdict, sentAtMs }),
        fail: () => reject(new KindeApiKeyUnavailableError('down', { retryAfterSeconds: 5 })),
      });
    });
  }
}

function setUp({ cached = true, nowMs = NOW_MS } = {}) {
  const clock = new TestClock(nowMs);
  const kinde = new ManualKinde(clock);
  const service = new ApiKeyVerificationService(kinde, cached ? OPTIONS : null, clock);
  /** Asks, lets Kinde answer, and gives the verdict. */
  const prove = (verdict: Verdict = ACCEPTED) => {
    const asked = service.verify(KEY);
    kinde.calls.at(-1)?.answer(verdict);
    return asked;
  };
  return { clock, kinde, service, prove };
}

/** Lets every promise that can settle do so. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('ApiKeyVerificationService', () => {
  describe('a proven key', () => {
    it.each([
      { ageMs: -1, isProven: false },
      { ageMs: 0, isProven: true },
      { ageMs: OPTIONS.ttlMs, isProven: true },
      { ageMs: MAX_ACCEPTED_AGE_MS - 1, isProven: true },
      { ageMs: MAX_ACCEPTED_AGE_MS, isProven: false },
    ])(
      'is one that was accepted not longer ago than an answer may be: $ageMs ms, $isProven',
      async ({ ageMs, isProven }) => {
        const { service, prove, clock } = setUp();
        await prove();
        clock.set(NOW_MS + ageMs);
        expect(service.isProven(KEY)).toBe(isProven);
        expect(service.isProven(`${KEY}_2`)).toBe(false);
      },
    );

    it('is none that was never seen, whatever time the clock starts at', () => {
      for (const nowMs of [0, NOW_MS]) expect(setUp({ nowMs }).service.isProven(KEY)).toBe(false);
    });

    it('is none that was refused, or forgotten', async () => {
      const { service, prove } = setUp();
      await prove(REVOKED);
      expect(service.isProven(KEY)).toBe(false);
      await service.invalidateAll();
      await prove();
      expect(service.isProven(KEY)).toBe(true);
      await service.invalidate({ keyId: 'api_key_1' });
      expect(service.isProven(KEY)).toBe(false);
    });

    it('waits in a lane of its own when Kinde is asked again, before keys that may be made up', async () => {
      const { service, prove, kinde, clock } = setUp();
      await prove(REVOKED);
      clock.advance(OPTIONS.negativeTtlMs);
      await prove();
      clock.advance(OPTIONS.ttlMs);
      await prove();
      await service.invalidateAll();
      await prove();
      expect(kinde.calls.map(({ lane }) => lane)).toEqual(['new', 'new', 'proven', 'new']);
    });
  });

  describe('a clock that is set back while Kinde does not answer', () => {
    it.each([
      ['to before the key was accepted: refuses', -1, false],
      ['to when the key was accepted: serves', 0, true],
    ])('%s', async (_what, ageMs, isServed) => {
      const { service, prove, kinde, clock } = setUp();
      await prove();
      clock.advance(OPTIONS.ttlMs);
      const asked = service.verify(KEY);
      clock.set(NOW_MS + ageMs);
      kinde.calls.at(-1)?.fail();
      await expect(asked.catch((error: unknown) => error)).resolves.toEqual(
        isServed ? ACCEPTED : expect.any(KindeApiKeyUnavailableError),
      );
    });

    it('does not lose the key for that once the time has come again', async () => {
      const { service, prove, kinde, clock } = setUp();
      await prove();
      clock.advance(OPTIONS.ttlMs);
      const asked = service.verify(KEY);
      clock.set(NOW_MS - 5_000);
      kinde.calls.at(-1)?.fail();
      await expect(asked).rejects.toThrow(KindeApiKeyUnavailableError);
      clock.set(NOW_MS);
      expect(service.verifyCached(KEY)).toEqual(ACCEPTED);
    });
  });

  it('goes on sharing the later call when an earlier one ends that an invalidation has parted from it', async () => {
    const { service, kinde } = setUp();
    const before = service.verify(KEY);
    await service.invalidate({ orgCode: 'org_b' });
    const after = service.verify(KEY);
    kinde.calls[0]?.fail();
    await expect(before).rejects.toThrow(KindeApiKeyUnavailableError);
    const third = service.verify(KEY);
    expect(kinde.calls).toHaveLength(2);
    kinde.calls[1]?.answer(ACCEPTED);
    await expect(Promise.all([after, third])).resolves.toEqual([ACCEPTED, ACCEPTED]);
  });

  it('keeps a refusal when accepted keys are invalidated', async () => {
    const { service, prove } = setUp();
    await prove(REVOKED);
    await service.invalidate({ orgCode: 'org_a' });
    expect(service.verifyCached(KEY)).toEqual(REVOKED);
  });

  it.each([true, false])(
    'passes on a refusal that may be older than an invalidation, and does not remember it (cached: %s)',
    async (cached) => {
      const { service, kinde } = setUp({ cached });
      const asked = service.verify(KEY);
      await service.invalidateAll();
      kinde.calls[0]?.answer(REVOKED);
      await expect(asked).resolves.toEqual(REVOKED);
      expect(service.verifyCached(KEY)).toBeUndefined();
    },
  );

  it('refuses what is no text, of callers without a compiler', async () => {
    const { service, kinde } = setUp();
    for (const value of [undefined, null, 5, {}, [KEY]]) {
      expect(service.verifyCached(value as never)).toEqual({ accepted: false, reason: 'unknown' });
      await expect(service.verify(value as never)).resolves.toEqual({ accepted: false, reason: 'unknown' });
    }
    expect(kinde.calls).toHaveLength(0);
  });

  describe('with cache: false', () => {
    it('knows no key that is proven, and asks in the lane for new ones each time', async () => {
      const { service, prove, kinde } = setUp({ cached: false });
      await expect(prove()).resolves.toEqual(ACCEPTED);
      expect(service.isProven(KEY)).toBe(false);
      await expect(prove(REVOKED)).resolves.toEqual(REVOKED);
      expect(service.verifyCached(KEY)).toBeUndefined();
      expect(kinde.calls.map(({ lane }) => lane)).toEqual(['new', 'new']);
    });

    it('passes on that Kinde does not answer', async () => {
      const { service, prove, kinde } = setUp({ cached: false });
      await prove();
      const asked = service.verify(KEY);
      kinde.calls.at(-1)?.fail();
      await expect(asked).rejects.toThrow(KindeApiKeyUnavailableError);
    });

    it.each([
      ['a key', (service: ApiKeyVerificationService) => service.invalidate({ keyId: 'api_key_1' })],
      ['every key', (service: ApiKeyVerificationService) => service.invalidateAll()],
    ])('asks again about a key where %s is invalidated while Kinde answers', async (_what, invalidate) => {
      const { service, kinde } = setUp({ cached: false });
      const asked = service.verify(KEY);
      await invalidate(service);
      kinde.calls[0]?.answer(ACCEPTED);
      await settled();
      expect(kinde.calls).toHaveLength(2);
      kinde.calls[1]?.answer(REVOKED);
      await expect(asked).resolves.toEqual(REVOKED);
    });
  });
});
