import { verifiedKey } from '../../../../test/support/verified-key.js';
import { KindeApiKeyUnavailableError } from '../kinde-api-key.errors.js';
import { RawKey } from '../api-key/raw-key.js';
import type { KeyAnswer, KeyVerifier } from '../kinde/key-verifier.js';
import type { Verdict } from '../api-key/verdict.js';
import { TestClock } from '../testing/index.js';
import { ApiKeyVerificationService } from './api-key-verification.service.js';

const KEY = 'k_live_0123456789abcdef';
const PARSED = RawKey.parse(KEY) as RawKey;
const NOW_MS = 1_000_000;
const OPTIONS = { ttlMs: 60_000, staleIfErrorMs: 240_000, negativeTtlMs: 10_000, maxKeys: 100, maxRefusals: 10 };
const MAX_ACCEPTED_AGE_MS = 300_000;

const REVOKED: Verdict = { accepted: false, reason: 'revoked' };
const ACCEPTED: Verdict = { accepted: true, apiKey: verifiedKey() };

/** Kinde, with answers that the test gives one by one. */
class ManualKinde implements Pick<KeyVerifier, 'verify'> {
  readonly calls: { priority: 'known' | 'new'; answer: (verdict: Verdict) => void; fail: () => void }[] = [];

  constructor(private readonly clock: TestClock) {}

  verify(_key: RawKey, priority: 'known' | 'new'): Promise<KeyAnswer> {
    const sentAtMs = this.clock.now();
    return new Promise((resolve, reject) => {
      this.calls.push({
        priority,
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
  /** Verifies the key with the given answer of Kinde. */
  const verifyAs = (verdict: Verdict = ACCEPTED) => {
    const asked = service.verify(KEY);
    kinde.calls.at(-1)?.answer(verdict);
    return asked;
  };
  return { clock, kinde, service, verifyAs };
}

/** Waits until every promise that can settle has settled. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('ApiKeyVerificationService', () => {
  describe('wasAccepted()', () => {
    it.each([
      { ageMs: -1, wasAccepted: false },
      { ageMs: 0, wasAccepted: true },
      { ageMs: OPTIONS.ttlMs, wasAccepted: true },
      { ageMs: MAX_ACCEPTED_AGE_MS - 1, wasAccepted: true },
      { ageMs: MAX_ACCEPTED_AGE_MS, wasAccepted: false },
    ])('is $wasAccepted for a key that was accepted $ageMs ms ago', async ({ ageMs, wasAccepted }) => {
      const { service, verifyAs, clock } = setUp();
      await verifyAs();
      clock.set(NOW_MS + ageMs);
      expect(service.wasAccepted(PARSED)).toBe(wasAccepted);
      expect(service.wasAccepted(RawKey.parse(`${KEY}_2`) as RawKey)).toBe(false);
    });

    it('is false for an unknown key, whatever time the clock starts at', () => {
      for (const nowMs of [0, NOW_MS]) expect(setUp({ nowMs }).service.wasAccepted(PARSED)).toBe(false);
    });

    it('is false for a key that was refused or invalidated', async () => {
      const { service, verifyAs } = setUp();
      await verifyAs(REVOKED);
      expect(service.wasAccepted(PARSED)).toBe(false);
      await service.invalidateAll();
      await verifyAs();
      expect(service.wasAccepted(PARSED)).toBe(true);
      await service.invalidate({ keyId: 'api_key_1' });
      expect(service.wasAccepted(PARSED)).toBe(false);
    });

    it('gives the call priority "known" while it is true, else "new"', async () => {
      const { service, verifyAs, kinde, clock } = setUp();
      await verifyAs(REVOKED);
      clock.advance(OPTIONS.negativeTtlMs);
      await verifyAs();
      clock.advance(OPTIONS.ttlMs);
      await verifyAs();
      await service.invalidateAll();
      await verifyAs();
      expect(kinde.calls.map(({ priority }) => priority)).toEqual(['new', 'new', 'known', 'new']);
    });
  });

  describe('with a clock that is set back during an outage', () => {
    it.each([
      ['rejects when the key was accepted in the future', -1, false],
      ['serves the key when it was accepted now', 0, true],
    ])('%s', async (_what, ageMs, isServed) => {
      const { service, verifyAs, kinde, clock } = setUp();
      await verifyAs();
      clock.advance(OPTIONS.ttlMs);
      const asked = service.verify(KEY);
      clock.set(NOW_MS + ageMs);
      kinde.calls.at(-1)?.fail();
      await expect(asked.catch((error: unknown) => error)).resolves.toEqual(
        isServed ? ACCEPTED : expect.any(KindeApiKeyUnavailableError),
      );
    });

    it('serves the key again when the clock reaches the time of its acceptance', async () => {
      const { service, verifyAs, kinde, clock } = setUp();
      await verifyAs();
      clock.advance(OPTIONS.ttlMs);
      const asked = service.verify(KEY);
      clock.set(NOW_MS - 5_000);
      kinde.calls.at(-1)?.fail();
      await expect(asked).rejects.toThrow(KindeApiKeyUnavailableError);
      clock.set(NOW_MS);
      expect(service.verifyCached(KEY)).toEqual(ACCEPTED);
    });
  });

  it('shares the call that started after an invalidation, also when the call from before it ends', async () => {
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

  it.each([{ keyId: 'api_key_1' }, { orgCode: 'org_a' }, { userId: 'kp_1' }])(
    'asks Kinde again about a refused key after invalidate(%j)',
    async (target) => {
      const { service, verifyAs } = setUp();
      await verifyAs(REVOKED);
      await service.invalidate(target);
      expect(service.verifyCached(KEY)).toBeUndefined();
      await verifyAs(ACCEPTED);
      expect(service.verifyCached(KEY)).toEqual(ACCEPTED);
    },
  );

  it.each([true, false])(
    'returns a refusal from before an invalidation without caching it (cached: %s)',
    async (cached) => {
      const { service, kinde } = setUp({ cached });
      const asked = service.verify(KEY);
      await service.invalidateAll();
      kinde.calls[0]?.answer(REVOKED);
      await expect(asked).resolves.toEqual(REVOKED);
      expect(service.verifyCached(KEY)).toBeUndefined();
    },
  );

  it('refuses a value that is not a text', async () => {
    const { service, kinde } = setUp();
    for (const value of [undefined, null, 5, {}, [KEY]]) {
      expect(service.verifyCached(value as never)).toEqual({ accepted: false, reason: 'unknown' });
      await expect(service.verify(value as never)).resolves.toEqual({ accepted: false, reason: 'unknown' });
    }
    expect(kinde.calls).toHaveLength(0);
  });

  describe('with cache: false', () => {
    it('makes every call with priority "new"', async () => {
      const { service, verifyAs, kinde } = setUp({ cached: false });
      await expect(verifyAs()).resolves.toEqual(ACCEPTED);
      expect(service.wasAccepted(PARSED)).toBe(false);
      await expect(verifyAs(REVOKED)).resolves.toEqual(REVOKED);
      expect(service.verifyCached(KEY)).toBeUndefined();
      expect(kinde.calls.map(({ priority }) => priority)).toEqual(['new', 'new']);
    });

    it('rejects during an outage', async () => {
      const { service, verifyAs, kinde } = setUp({ cached: false });
      await verifyAs();
      const asked = service.verify(KEY);
      kinde.calls.at(-1)?.fail();
      await expect(asked).rejects.toThrow(KindeApiKeyUnavailableError);
    });

    it.each([
      ['a key', (service: ApiKeyVerificationService) => service.invalidate({ keyId: 'api_key_1' })],
      ['every key', (service: ApiKeyVerificationService) => service.invalidateAll()],
    ])('asks again when %s is invalidated during a call', async (_what, invalidate) => {
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
