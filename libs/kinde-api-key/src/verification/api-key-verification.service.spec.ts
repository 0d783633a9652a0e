import fc from 'fast-check';
import { verifiedKey } from '../../../../test/support/verified-key.js';
import { KindeApiKeyMisconfiguredError, KindeApiKeyUnavailableError } from '../kinde-api-key.errors.js';
import type { RawKey } from '../api-key/raw-key.js';
import type { KeyAnswer, KeyVerifier } from '../kinde/key-verifier.js';
import type { ResolvedCacheOptions } from '../config/resolved-options.js';
import type { Verdict } from '../api-key/verdict.js';
import { TestClock } from '../testing/index.js';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import { ApiKeyVerificationService } from './api-key-verification.service.js';

const OPTIONS: ResolvedCacheOptions = {
  ttlMs: 60_000,
  staleIfErrorMs: 240_000,
  negativeTtlMs: 10_000,
  maxKeys: 100,
  maxRefusals: 10,
};
const KEY = 'k_live_0123456789abcdef';

const accepted = (fields?: Partial<VerifiedApiKey>): Verdict => ({ accepted: true, apiKey: verifiedKey(fields) });
const REVOKED: Verdict = { accepted: false, reason: 'revoked' };
const outage = () => new KindeApiKeyUnavailableError('down', { retryAfterSeconds: 5 });

/** Kinde, with answers that the test gives one by one. */
class ManualKinde implements Pick<KeyVerifier, 'verify'> {
  readonly calls: {
    priority: 'known' | 'new';
    answer: (verdict: Verdict) => void;
    fail: (error: Error) => void;
  }[] = [];

  constructor(private readonly clock: TestClock) {}

  verify(_key: RawKey, priority: 'known' | 'new'): Promise<KeyAnswer> {
    const sentAtMs = this.clock.now();
    return new Promise((resolve, reject) => {
      this.calls.push({ priority, answer: (verdict) => resolve({ verdict, sentAtMs }), fail: reject });
    });
  }

  get last() {
    const call = this.calls.at(-1);
    if (!call) throw new Error('Kinde was not asked');
    return call;
  }
}

function setUp(options: Partial<ResolvedCacheOptions> | null = {}) {
  const clock = new TestClock();
  const kinde = new ManualKinde(clock);
  const service = new ApiKeyVerificationService(kinde, options && { ...OPTIONS, ...options }, clock);
  /** Verifies a key with the given answer of Kinde. */
  const verifyAs = async (verdict: Verdict = accepted(), rawKey = KEY) => {
    const asked = service.verify(rawKey);
    kinde.last.answer(verdict);
    return asked;
  };
  return { clock, kinde, service, verifyAs };
}

/** Waits until every promise that can settle has settled. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('ApiKeyVerificationService', () => {
  describe('verify()', () => {
    it('refuses a malformed key without a call', async () => {
      const { service, kinde } = setUp();
      for (const text of ['', 'short', 'with a space in the middle', 'x'.repeat(513), 'k_live_0123456789äöü']) {
        expect(service.verifyCached(text)).toEqual({ accepted: false, reason: 'unknown' });
        await expect(service.verify(text)).resolves.toEqual({ accepted: false, reason: 'unknown' });
      }
      expect(kinde.calls).toHaveLength(0);
    });

    it('shares one call among a hundred callers', async () => {
      const { service, kinde } = setUp();
      const verdicts = Array.from({ length: 100 }, () => service.verify(KEY));
      kinde.last.answer(accepted());
      expect(new Set(await Promise.all(verdicts)).size).toBe(1);
      expect(kinde.calls).toHaveLength(1);
    });

    it('shares a failed call among its callers, and makes another call afterwards', async () => {
      const { service, kinde, verifyAs } = setUp();
      const verdicts = Array.from({ length: 3 }, () => service.verify(KEY));
      kinde.last.fail(outage());
      for (const verdict of verdicts) await expect(verdict).rejects.toThrow(KindeApiKeyUnavailableError);
      await expect(verifyAs()).resolves.toEqual(accepted());
      expect(kinde.calls).toHaveLength(2);
    });

    it('makes separate calls for different keys', async () => {
      const { service, kinde } = setUp();
      const first = service.verify(KEY);
      const second = service.verify(`${KEY}0`);
      kinde.calls[0]?.answer(accepted());
      kinde.calls[1]?.answer(REVOKED);
      await expect(first).resolves.toEqual(accepted());
      await expect(second).resolves.toEqual(REVOKED);
    });
  });

  describe('the cache', () => {
    it('serves an accepted key synchronously and without a call', async () => {
      const { service, kinde, verifyAs, clock } = setUp();
      await verifyAs();
      clock.advance(47_999);
      expect(service.verifyCached(KEY)).toEqual(accepted());
      expect(kinde.calls).toHaveLength(1);
    });

    it('refreshes a key in the background before ttlMs is over', async () => {
      const { service, kinde, verifyAs, clock } = setUp();
      await verifyAs();
      clock.advance(48_000);
      expect(service.verifyCached(KEY)).toEqual(accepted());
      expect(service.verifyCached(KEY)).toEqual(accepted());
      expect(kinde.calls).toHaveLength(2);
      expect(kinde.last.priority).toBe('known');
      kinde.last.answer(accepted({ verificationCount: 2 }));
      await settled();
      clock.advance(47_999);
      expect(service.verifyCached(KEY)).toEqual(accepted({ verificationCount: 2 }));
    });

    it('counts the age from when the call was sent, not from when the answer arrived', async () => {
      const { service, kinde, clock } = setUp();
      const asked = service.verify(KEY);
      clock.advance(59_000);
      kinde.last.answer(accepted());
      await asked;
      clock.advance(999);
      expect(service.verifyCached(KEY)).toEqual(accepted());
      clock.advance(1);
      expect(service.verifyCached(KEY)).toBeUndefined();
    });

    it('refuses a key when a refresh in the background finds it revoked', async () => {
      const { service, kinde, verifyAs, clock } = setUp();
      await verifyAs();
      clock.advance(50_000);
      service.verifyCached(KEY);
      kinde.last.answer(REVOKED);
      await settled();
      expect(service.verifyCached(KEY)).toEqual(REVOKED);
    });

    it('serves a refusal for negativeTtlMs only', async () => {
      const { service, verifyAs, clock } = setUp();
      await verifyAs(REVOKED);
      clock.advance(9_999);
      expect(service.verifyCached(KEY)).toEqual(REVOKED);
      clock.advance(1);
      expect(service.verifyCached(KEY)).toBeUndefined();
    });

    it('does not serve a cached refusal with negativeTtlMs 0', async () => {
      const { service, verifyAs } = setUp({ negativeTtlMs: 0 });
      await verifyAs(REVOKED);
      expect(service.verifyCached(KEY)).toBeUndefined();
    });

    it('does not evict an accepted key when refusals exceed maxRefusals', async () => {
      const { service, kinde, verifyAs } = setUp();
      await verifyAs();
      for (let index = 0; index < 1_000; index += 1)
        await verifyAs(REVOKED, `k_live_bad_${String(index).padStart(8, '0')}`);
      expect(service.verifyCached(KEY)).toEqual(accepted());
      expect(kinde.calls).toHaveLength(1_001);
    });

    it('evicts the least recently used key beyond maxKeys', async () => {
      const { service, verifyAs } = setUp({ maxKeys: 2 });
      for (const index of [1, 2, 3]) await verifyAs(accepted({ keyId: `api_key_${index}` }), `${KEY}_${index}`);
      expect([1, 2, 3].map((index) => service.verifyCached(`${KEY}_${index}`)?.accepted)).toEqual([
        undefined,
        true,
        true,
      ]);
    });

    it('does not serve an entry from the future', async () => {
      const { service, verifyAs, clock } = setUp();
      await verifyAs();
      clock.set(clock.now() - 1);
      expect(service.verifyCached(KEY)).toBeUndefined();
    });

    it('stores nothing with cache: false, and still shares a call in flight', async () => {
      const { service, kinde, verifyAs } = setUp(null);
      await verifyAs();
      expect(service.verifyCached(KEY)).toBeUndefined();
      const verdicts = [service.verify(KEY), service.verify(KEY)];
      kinde.last.answer(accepted());
      await Promise.all(verdicts);
      expect(kinde.calls).toHaveLength(2);
      expect(service.maxAcceptedAgeMs).toBe(0);
    });
  });

  describe('during an outage of Kinde', () => {
    it('serves an accepted key up to maxAcceptedAgeMs and not beyond', async () => {
      const { service, kinde, verifyAs, clock } = setUp();
      expect(service.maxAcceptedAgeMs).toBe(300_000);
      await verifyAs();
      clock.advance(299_999);
      const asked = service.verify(KEY);
      kinde.last.fail(outage());
      await expect(asked).resolves.toEqual(accepted());
      expect(service.verifyCached(KEY)).toEqual(accepted());
      clock.advance(1);
      expect(service.verifyCached(KEY)).toBeUndefined();
      const late = service.verify(KEY);
      kinde.last.fail(outage());
      await expect(late).rejects.toThrow(KindeApiKeyUnavailableError);
    });

    it('waits for Kinde once ttlMs is over', async () => {
      const { service, verifyAs, clock } = setUp();
      await verifyAs();
      clock.advance(60_000);
      expect(service.verifyCached(KEY)).toBeUndefined();
    });

    it('serves a key without waiting after a failed call, and refreshes it at most once a second', async () => {
      const { service, kinde, verifyAs, clock } = setUp();
      await verifyAs();
      clock.advance(60_000);
      const asked = service.verify(KEY);
      kinde.last.fail(outage());
      await asked;
      for (let ms = 0; ms < 1_000; ms += 10) {
        expect(service.verifyCached(KEY)).toEqual(accepted());
        clock.advance(10);
      }
      expect(kinde.calls).toHaveLength(2);
      expect(service.verifyCached(KEY)).toEqual(accepted());
      expect(kinde.calls).toHaveLength(3);
    });

    it('waits for Kinde again when the last failed call is 10 s ago', async () => {
      const { service, kinde, verifyAs, clock } = setUp();
      await verifyAs();
      clock.advance(60_000);
      const asked = service.verify(KEY);
      kinde.last.fail(outage());
      await asked;
      clock.advance(10_000);
      expect(service.verifyCached(KEY)).toBeUndefined();
    });

    it('refuses a key as soon as Kinde answers again and refuses it', async () => {
      const { service, kinde, verifyAs, clock } = setUp();
      await verifyAs();
      clock.advance(60_000);
      const asked = service.verify(KEY);
      kinde.last.fail(outage());
      await asked;
      clock.advance(1_000);
      service.verifyCached(KEY);
      kinde.last.answer(REVOKED);
      await settled();
      expect(service.verifyCached(KEY)).toEqual(REVOKED);
    });

    it('does not serve a key beyond ttlMs when Kinde refuses our own credentials', async () => {
      const { service, kinde, verifyAs, clock } = setUp();
      await verifyAs();
      clock.advance(59_500);
      expect(service.verifyCached(KEY)).toEqual(accepted());
      kinde.last.fail(new KindeApiKeyMisconfiguredError('invalid_client', { retryAfterSeconds: 5 }));
      await settled();
      clock.advance(499);
      expect(service.verifyCached(KEY)).toEqual(accepted());
      clock.advance(1);
      expect(service.verifyCached(KEY)).toBeUndefined();
      const asked = service.verify(KEY);
      kinde.last.fail(new KindeApiKeyMisconfiguredError('invalid_client', { retryAfterSeconds: 5 }));
      await expect(asked).rejects.toThrow(KindeApiKeyMisconfiguredError);
    });
  });

  describe('invalidation', () => {
    it.each([
      ['a key id', { keyId: 'api_key_1' }],
      ['an organization', { orgCode: 'org_a' }],
      ['a user', { userId: 'kp_1' }],
    ])('of %s removes its keys from the cache, and no other', async (_what, target) => {
      const { service, verifyAs } = setUp();
      await verifyAs(accepted({ userId: 'kp_1' }));
      await verifyAs(accepted({ keyId: 'api_key_2', orgCode: 'org_b', userId: 'kp_2' }), `${KEY}_2`);
      await service.invalidate(target);
      expect(service.verifyCached(KEY)).toBeUndefined();
      expect(service.verifyCached(`${KEY}_2`)).toMatchObject({ accepted: true });
    });

    it('makes a call in flight ask again instead of accepting its answer', async () => {
      const { service, kinde } = setUp();
      const asked = service.verify(KEY);
      await service.invalidate({ keyId: 'api_key_1' });
      kinde.last.answer(accepted());
      await settled();
      expect(service.verifyCached(KEY)).toBeUndefined();
      expect(kinde.calls).toHaveLength(2);
      kinde.last.answer(REVOKED);
      await expect(asked).resolves.toEqual(REVOKED);
      expect(service.verifyCached(KEY)).toEqual(REVOKED);
    });

    it('of a key in flight keeps it out of the cache, even if the second answer accepts it', async () => {
      const { service, kinde } = setUp();
      const asked = service.verify(KEY);
      await service.invalidate({ keyId: 'api_key_1' });
      kinde.last.answer(accepted());
      await settled();
      kinde.last.answer(accepted({ verificationCount: 2 }));
      await expect(asked).resolves.toEqual(accepted({ verificationCount: 2 }));
      expect(service.verifyCached(KEY)).toBeUndefined();
    });

    it('of another organization does not make a call in flight ask again', async () => {
      const { service, kinde } = setUp();
      const asked = service.verify(KEY);
      await service.invalidate({ orgCode: 'org_b' });
      kinde.last.answer(accepted());
      await expect(asked).resolves.toEqual(accepted());
      expect(service.verifyCached(KEY)).toEqual(accepted());
      expect(kinde.calls).toHaveLength(1);
    });

    it('makes one verification ask at most three times', async () => {
      const { service, kinde } = setUp();
      const asked = service.verify(KEY);
      for (const call of [1, 2, 3]) {
        expect(kinde.calls).toHaveLength(call);
        await service.invalidateAll();
        kinde.last.answer(accepted());
        await settled();
      }
      await expect(asked).resolves.toEqual(accepted());
      expect(service.verifyCached(KEY)).toBeUndefined();
      expect(kinde.calls).toHaveLength(3);
    });

    it.each([10_000, 0])(
      'does not let the late answer to an earlier call replace a later refusal (negativeTtlMs %i)',
      async (negativeTtlMs) => {
        const { service, kinde } = setUp({ negativeTtlMs });
        const before = service.verify(KEY);
        await service.invalidate({ orgCode: 'org_a' });
        const after = service.verify(KEY);
        const [first, second] = kinde.calls;
        first?.answer(accepted());
        await settled();
        kinde.last.answer(REVOKED);
        await expect(before).resolves.toEqual(REVOKED);
        second?.answer(accepted());
        await after;
        expect(service.verifyCached(KEY)?.accepted).not.toBe(true);
      },
    );

    it('does not let a refresh that started before it restore the key', async () => {
      const { service, kinde, verifyAs, clock } = setUp();
      await verifyAs();
      clock.advance(50_000);
      service.verifyCached(KEY);
      const refresh = kinde.last;
      await service.invalidateAll();
      refresh.answer(accepted());
      await settled();
      expect(service.verifyCached(KEY)).toBeUndefined();
    });

    it('gives later callers another call than earlier ones', async () => {
      const { service, kinde } = setUp();
      const before = service.verify(KEY);
      await service.invalidateAll();
      const after = service.verify(KEY);
      expect(kinde.calls).toHaveLength(2);
      kinde.calls[1]?.answer(REVOKED);
      kinde.calls[0]?.answer(accepted());
      await expect(after).resolves.toEqual(REVOKED);
      await expect(before).resolves.toEqual(REVOKED);
      expect(service.verifyCached(KEY)).toEqual(REVOKED);
    });

    it.each([
      ['every key', (service: ApiKeyVerificationService) => service.invalidateAll()],
      ['a key id', (service: ApiKeyVerificationService) => service.invalidate({ keyId: 'api_key_7' })],
      ['an organization', (service: ApiKeyVerificationService) => service.invalidate({ orgCode: 'org_7' })],
      ['a user', (service: ApiKeyVerificationService) => service.invalidate({ userId: 'kp_7' })],
    ])('of %s removes all refusals from the cache', async (_what, invalidate) => {
      const { service, verifyAs } = setUp();
      await verifyAs(REVOKED);
      await invalidate(service);
      expect(service.verifyCached(KEY)).toBeUndefined();
    });

    it('rejects a target that is not exactly one non-empty field', async () => {
      const { service } = setUp();
      for (const target of [{}, { keyId: '' }, { keyId: 'a', orgCode: 'b' }, { keyId: 5 }, null, undefined]) {
        await expect(service.invalidate(target as never)).rejects.toThrow(
          'exactly one of { keyId }, { orgCode } and { userId }',
        );
      }
    });
  });

  describe('rotation', () => {
    it('removes the earlier secret when a later one is accepted', async () => {
      const { service, verifyAs } = setUp();
      await verifyAs(accepted(), `${KEY}_old`);
      await verifyAs(accepted(), `${KEY}_new`);
      expect(service.verifyCached(`${KEY}_old`)).toBeUndefined();
      expect(service.verifyCached(`${KEY}_new`)).toEqual(accepted());
    });

    it('does not let a late answer about the earlier secret remove the later one', async () => {
      const { service, kinde, clock } = setUp();
      const old = service.verify(`${KEY}_old`);
      const slow = kinde.last;
      clock.advance(10);
      const fresh = service.verify(`${KEY}_new`);
      kinde.last.answer(accepted());
      await fresh;
      slow.answer(accepted());
      await old;
      expect(service.verifyCached(`${KEY}_new`)).toEqual(accepted());
      expect(service.verifyCached(`${KEY}_old`)).toBeUndefined();
    });
  });

  it('never serves an answer from before the last invalidation, in any order of events', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.constantFrom('ask', 'invalidate', 'revoke'), { maxLength: 12 }),
        async (scheduler, steps) => {
          const clock = new TestClock();
          let isRevoked = false;
          const verifier: Pick<KeyVerifier, 'verify'> = {
            verify: async () => {
              const sentAtMs = clock.now();
              const verdict = isRevoked ? REVOKED : accepted();
              await scheduler.schedule(Promise.resolve(), 'answer');
              return { verdict, sentAtMs };
            },
          };
          const service = new ApiKeyVerificationService(verifier, OPTIONS, clock);
          let revokedAndInvalidated = false;
          const sequence = scheduler.scheduleSequence(
            steps.map((step) => ({
              label: step,
              builder: async () => {
                clock.advance(1);
                if (step === 'ask') service.verify(KEY).catch(() => undefined);
                else if (step === 'invalidate') {
                  await service.invalidate({ keyId: 'api_key_1' });
                  revokedAndInvalidated = isRevoked;
                } else isRevoked = true;
              },
            })),
          );
          await scheduler.waitFor(sequence.task);
          await scheduler.waitIdle();
          if (revokedAndInvalidated) expect(service.verifyCached(KEY)?.accepted).not.toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});
