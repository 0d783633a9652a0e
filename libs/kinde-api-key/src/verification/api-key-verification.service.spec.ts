import fc from 'fast-check';
import { verifiedKey } from '../../../../test/support/verified-key.js';
import { KindeApiKeyMisconfiguredError, KindeApiKeyUnavailableError } from '../kinde-api-key.errors.js';
import type { KeyAnswer } from '../kinde/key-verifier.js';
import type { Lane } from './api-key-verification.service.js';
import type { Verdict } from '../api-key/verdict.js';
import { TestClock } from '../testing/index.js';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import {
  ApiKeyVerificationService,
  type VerifierPort,
  type VerificationOptions,
} from './api-key-verification.service.js';

const OPTIONS: VerificationOptions = {
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

/** Kinde, whose answers the test gives when it wants to. */
class ManualKinde implements VerifierPort {
  readonly calls: {
    rawKey: string;
    lane: Lane;
    sentAtMs: number;
    answer: (verdict: Verdict) => void;
    fail: (error: Error) => void;
  }[] = [];

  constructor(private readonly clock: TestClock) {}

  verifyKey(rawKey: string, lane: Lane): Promise<KeyAnswer> {
    const sentAtMs = this.clock.now();
    return new Promise((resolve, reject) => {
      this.calls.push({ rawKey, lane, sentAtMs, answer: (verdict) => resolve({ verdict, sentAtMs }), fail: reject });
    });
  }

  get last() {
    const call = this.calls.at(-1);
    if (!call) throw new Error('Kinde was not asked');
    return call;
  }
}

function setUp(options: Partial<VerificationOptions> | null = {}) {
  const clock = new TestClock();
  const kinde = new ManualKinde(clock);
  const service = new ApiKeyVerificationService(kinde, options && { ...OPTIONS, ...options }, clock);
  /** Asks, lets Kinde answer, and gives the verdict. */
  const prove = async (verdict: Verdict = accepted(), rawKey = KEY) => {
    const asked = service.verify(rawKey);
    kinde.last.answer(verdict);
    return asked;
  };
  return { clock, kinde, service, prove };
}

/** Lets every promise that can settle do so. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('ApiKeyVerificationService', () => {
  describe('asking', () => {
    it('refuses what cannot be a key without a call', async () => {
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

    it('shares a failure too, and asks again afterwards', async () => {
      const { service, kinde, prove } = setUp();
      const verdicts = Array.from({ length: 3 }, () => service.verify(KEY));
      kinde.last.fail(outage());
      for (const verdict of verdicts) await expect(verdict).rejects.toThrow(KindeApiKeyUnavailableError);
      await expect(prove()).resolves.toEqual(accepted());
      expect(kinde.calls).toHaveLength(2);
    });

    it('tells keys apart', async () => {
      const { service, kinde } = setUp();
      const first = service.verify(KEY);
      const second = service.verify(`${KEY}0`);
      kinde.calls[0]?.answer(accepted());
      kinde.calls[1]?.answer(REVOKED);
      await expect(first).resolves.toEqual(accepted());
      await expect(second).resolves.toEqual(REVOKED);
    });
  });

  describe('remembering', () => {
    it('serves an accepted key without a call, and without a promise', async () => {
      const { service, kinde, prove, clock } = setUp();
      await prove();
      clock.advance(47_999);
      expect(service.verifyCached(KEY)).toEqual(accepted());
      expect(kinde.calls).toHaveLength(1);
    });

    it('asks again in the background before the time to live is over, so that nobody waits', async () => {
      const { service, kinde, prove, clock } = setUp();
      await prove();
      clock.advance(48_000);
      expect(service.verifyCached(KEY)).toEqual(accepted());
      expect(service.verifyCached(KEY)).toEqual(accepted());
      expect(kinde.calls).toHaveLength(2);
      expect(kinde.last.lane).toBe('proven');
      kinde.last.answer(accepted({ verificationCount: 2 }));
      await settled();
      clock.advance(47_999);
      expect(service.verifyCached(KEY)).toEqual(accepted({ verificationCount: 2 }));
    });

    it('counts the age from when the call was sent, not from when the answer came', async () => {
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

    it('drops a key that is found revoked in the background', async () => {
      const { service, kinde, prove, clock } = setUp();
      await prove();
      clock.advance(50_000);
      service.verifyCached(KEY);
      kinde.last.answer(REVOKED);
      await settled();
      expect(service.verifyCached(KEY)).toEqual(REVOKED);
    });

    it('remembers a refusal for its own time only', async () => {
      const { service, prove, clock } = setUp();
      await prove(REVOKED);
      clock.advance(9_999);
      expect(service.verifyCached(KEY)).toEqual(REVOKED);
      clock.advance(1);
      expect(service.verifyCached(KEY)).toBeUndefined();
    });

    it('remembers no refusal with negativeTtlMs 0', async () => {
      const { service, prove } = setUp({ negativeTtlMs: 0 });
      await prove(REVOKED);
      expect(service.verifyCached(KEY)).toBeUndefined();
    });

    it('keeps proven keys while bad ones flood it', async () => {
      const { service, kinde, prove } = setUp();
      await prove();
      for (let index = 0; index < 1_000; index += 1)
        await prove(REVOKED, `k_live_bad_${String(index).padStart(8, '0')}`);
      expect(service.verifyCached(KEY)).toEqual(accepted());
      expect(kinde.calls).toHaveLength(1_001);
    });

    it('remembers at most maxKeys keys, the ones used last', async () => {
      const { service, prove } = setUp({ maxKeys: 2 });
      for (const index of [1, 2, 3]) await prove(accepted({ keyId: `api_key_${index}` }), `${KEY}_${index}`);
      expect([1, 2, 3].map((index) => service.verifyCached(`${KEY}_${index}`)?.accepted)).toEqual([
        undefined,
        true,
        true,
      ]);
    });

    it('does not trust an entry from the future', async () => {
      const { service, prove, clock } = setUp();
      await prove();
      clock.set(clock.now() - 1);
      expect(service.verifyCached(KEY)).toBeUndefined();
    });

    it('with cache: false remembers nothing, and still shares a call', async () => {
      const { service, kinde, prove } = setUp(null);
      await prove();
      expect(service.verifyCached(KEY)).toBeUndefined();
      const verdicts = [service.verify(KEY), service.verify(KEY)];
      kinde.last.answer(accepted());
      await Promise.all(verdicts);
      expect(kinde.calls).toHaveLength(2);
      expect(service.maxAcceptedAgeMs).toBe(0);
    });
  });

  describe('while Kinde is down', () => {
    it('serves a proven key up to maxAcceptedAgeMs and not beyond', async () => {
      const { service, kinde, prove, clock } = setUp();
      expect(service.maxAcceptedAgeMs).toBe(300_000);
      await prove();
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

    it('asks first once the time to live is over', async () => {
      const { service, prove, clock } = setUp();
      await prove();
      clock.advance(60_000);
      expect(service.verifyCached(KEY)).toBeUndefined();
    });

    it('lets nobody wait after a failure, and asks at most once a second for each key', async () => {
      const { service, kinde, prove, clock } = setUp();
      await prove();
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

    it('does not take a failure for an outage that lasts when nobody has asked for long', async () => {
      const { service, kinde, prove, clock } = setUp();
      await prove();
      clock.advance(60_000);
      const asked = service.verify(KEY);
      kinde.last.fail(outage());
      await asked;
      clock.advance(10_000);
      expect(service.verifyCached(KEY)).toBeUndefined();
    });

    it('refuses a key at once when Kinde is back and says so', async () => {
      const { service, kinde, prove, clock } = setUp();
      await prove();
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

    it('serves nothing beyond the time to live when our own credentials are refused', async () => {
      const { service, kinde, prove, clock } = setUp();
      await prove();
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

  describe('invalidating', () => {
    it.each([
      ['a key id', { keyId: 'api_key_1' }],
      ['an organization', { orgCode: 'org_a' }],
      ['a user', { userId: 'kp_1' }],
    ])('forgets the keys of %s, and no other', async (_what, target) => {
      const { service, prove } = setUp();
      await prove(accepted({ userId: 'kp_1' }));
      await prove(accepted({ keyId: 'api_key_2', orgCode: 'org_b', userId: 'kp_2' }), `${KEY}_2`);
      await service.invalidate(target);
      expect(service.verifyCached(KEY)).toBeUndefined();
      expect(service.verifyCached(`${KEY}_2`)).toMatchObject({ accepted: true });
    });

    it('does not believe what Kinde answers to a verification that was in flight meanwhile, and asks again', async () => {
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

    it('does not remember a key that was invalidated while it was verified, even if the second answer accepts it', async () => {
      const { service, kinde } = setUp();
      const asked = service.verify(KEY);
      await service.invalidate({ keyId: 'api_key_1' });
      kinde.last.answer(accepted());
      await settled();
      kinde.last.answer(accepted({ verificationCount: 2 }));
      await expect(asked).resolves.toEqual(accepted({ verificationCount: 2 }));
      expect(service.verifyCached(KEY)).toBeUndefined();
    });

    it('does not ask again where the key of another organization was invalidated meanwhile', async () => {
      const { service, kinde } = setUp();
      const asked = service.verify(KEY);
      await service.invalidate({ orgCode: 'org_b' });
      kinde.last.answer(accepted());
      await expect(asked).resolves.toEqual(accepted());
      expect(service.verifyCached(KEY)).toEqual(accepted());
      expect(kinde.calls).toHaveLength(1);
    });

    it('asks no more than three times for one caller, however often the key is invalidated', async () => {
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
      'does not let an earlier call that is answered late bring back a key that a later one refused (negativeTtlMs %i)',
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

    it('does not let a refresh that started before bring the key back', async () => {
      const { service, kinde, prove, clock } = setUp();
      await prove();
      clock.advance(50_000);
      service.verifyCached(KEY);
      const refresh = kinde.last;
      await service.invalidateAll();
      refresh.answer(accepted());
      await settled();
      expect(service.verifyCached(KEY)).toBeUndefined();
    });

    it('gives callers that come afterwards a call of their own', async () => {
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

    it('forgets refusals with invalidateAll()', async () => {
      const { service, prove } = setUp();
      await prove(REVOKED);
      await service.invalidateAll();
      expect(service.verifyCached(KEY)).toBeUndefined();
    });

    it('says what it takes when the target is none or several', async () => {
      const { service } = setUp();
      for (const target of [{}, { keyId: '' }, { keyId: 'a', orgCode: 'b' }, { keyId: 5 }, null, undefined]) {
        await expect(service.invalidate(target as never)).rejects.toThrow(
          'exactly one of { keyId }, { orgCode } and { userId }',
        );
      }
    });
  });

  describe('rotation', () => {
    it('drops the old secret as soon as the new one is seen', async () => {
      const { service, prove } = setUp();
      await prove(accepted(), `${KEY}_old`);
      await prove(accepted(), `${KEY}_new`);
      expect(service.verifyCached(`${KEY}_old`)).toBeUndefined();
      expect(service.verifyCached(`${KEY}_new`)).toEqual(accepted());
    });

    it('does not let a late answer about the old secret drop the new one', async () => {
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

  it('never remembers an answer that is older than the latest invalidation, whatever the interleaving', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.constantFrom('ask', 'invalidate', 'revoke'), { maxLength: 12 }),
        async (scheduler, steps) => {
          const clock = new TestClock();
          let isRevoked = false;
          const verifier: VerifierPort = {
            verifyKey: async () => {
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
