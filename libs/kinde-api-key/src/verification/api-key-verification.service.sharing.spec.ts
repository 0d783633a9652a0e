import { verifiedKey } from '../../../../test/support/verified-key.js';
import type { KeyAnswer } from '../kinde/key-verifier.js';
import type { AcceptedVerdict, Verdict } from '../api-key/verdict.js';
import type { Invalidation } from '../shared/shared-store.js';
import { TestClock } from '../testing/index.js';
import { ApiKeyVerificationService, type VerifierPort } from './api-key-verification.service.js';
import { digestOf } from '../api-key/raw-key.js';
import type { SharedVerdict, SharedVerdicts } from './shared-verdicts.js';

const KEY = 'k_live_0123456789abcdef';
const DIGEST = digestOf(KEY);
const NOW_MS = 1_000_000;
const SKEW_MS = 2_000;
const OPTIONS = { ttlMs: 60_000, staleIfErrorMs: 240_000, negativeTtlMs: 10_000, maxKeys: 100, maxRefusals: 10 };

const REVOKED: Verdict = { accepted: false, reason: 'revoked' };

function accepted(keyId = 'api_key_1'): AcceptedVerdict {
  return { accepted: true, apiKey: verifiedKey({ keyId }) };
}

/** Kinde, which gives its answers in turn, and the last one again and again; time may pass while it does. */
class Kinde implements VerifierPort {
  answers: Verdict[] = [accepted()];
  calls = 0;
  meanwhile = (): unknown => undefined;

  constructor(private readonly clock: TestClock) {}

  verifyKey(): Promise<KeyAnswer> {
    const sentAtMs = this.clock.now();
    const verdict = this.answers[Math.min(this.calls, this.answers.length - 1)] ?? REVOKED;
    this.calls += 1;
    this.meanwhile();
    return Promise.resolve({ verdict, sentAtMs });
  }
}

/** The other instances, reduced to what they know in common. */
class Others implements SharedVerdicts {
  readonly known = new Map<string, SharedVerdict>();
  readonly buried: Invalidation[] = [];
  lookedUp = 0;
  /** Tells what the others invalidate. */
  tell: (invalidations: readonly Invalidation[]) => void = () => undefined;

  find(digest: string): Promise<SharedVerdict | undefined> {
    this.lookedUp += 1;
    return Promise.resolve(this.known.get(digest));
  }

  claimRefresh(): Promise<boolean> {
    return Promise.resolve(true);
  }

  invalidationsOf(): Promise<readonly Invalidation[]> {
    return Promise.resolve(this.buried);
  }

  share(digest: string, shared: SharedVerdict): Promise<void> {
    this.known.set(digest, shared);
    return Promise.resolve();
  }

  takeBack(digest: string): Promise<void> {
    this.known.delete(digest);
    return Promise.resolve();
  }

  publish(invalidation: Invalidation): Promise<void> {
    this.buried.push(invalidation);
    return Promise.resolve();
  }

  onInvalidations(apply: (invalidations: readonly Invalidation[]) => void): void {
    this.tell = apply;
  }
}

function setUp({ cached = true, nowMs = NOW_MS } = {}) {
  const clock = new TestClock(nowMs);
  const kinde = new Kinde(clock);
  const others = new Others();
  const service = new ApiKeyVerificationService(kinde, cached ? OPTIONS : null, clock, others);
  return { clock, kinde, others, service };
}

describe('ApiKeyVerificationService, among others,', () => {
  it('tells them about a key that Kinde accepts, with the time at which it was asked', async () => {
    const { service, kinde, others, clock } = setUp();
    kinde.meanwhile = () => clock.advance(500);
    await expect(service.verify(KEY)).resolves.toEqual(accepted());
    expect([...others.known]).toEqual([[DIGEST, { verdict: accepted(), sentAtMs: NOW_MS }]]);
  });

  it('asks them before Kinde, and again when four fifths of the time to live are over', async () => {
    const { service, kinde, others, clock } = setUp();
    others.known.set(DIGEST, { verdict: accepted(), sentAtMs: NOW_MS - 10_000 });
    await expect(service.verify(KEY)).resolves.toEqual(accepted());
    clock.set(NOW_MS - 10_000 + 47_999);
    expect(service.verifyCached(KEY)).toEqual(accepted());
    expect(others.lookedUp).toBe(1);
    clock.advance(1);
    expect(service.verifyCached(KEY)).toEqual(accepted());
    expect(others.lookedUp).toBe(2);
    expect(kinde.calls).toBe(0);
  });

  it('takes back what it has told when Kinde refuses the key', async () => {
    const { service, kinde, others, clock } = setUp();
    kinde.answers = [accepted(), REVOKED];
    await service.verify(KEY);
    clock.advance(OPTIONS.ttlMs);
    await expect(service.verify(KEY)).resolves.toEqual(REVOKED);
    expect(others.known.size).toBe(0);
  });

  it('tells them what it is told to forget, and a time that is not before it', async () => {
    const { service, others } = setUp({ nowMs: NOW_MS + 0.5 });
    await service.invalidate({ orgCode: 'org_a' });
    await service.invalidateAll();
    expect(others.buried).toEqual([
      { tag: 'orgCode:org_a', atMs: NOW_MS + 1 },
      { tag: '*', atMs: NOW_MS + 1 },
    ]);
  });

  it('forgets what they invalidate, and no other key', async () => {
    const { service, kinde, others } = setUp();
    kinde.answers = [accepted(), accepted('api_key_2')];
    await service.verify(KEY);
    await service.verify(`${KEY}_2`);
    others.tell([{ tag: 'keyId:api_key_1', atMs: NOW_MS }]);
    expect(service.verifyCached(KEY)).toBeUndefined();
    expect(service.verifyCached(`${KEY}_2`)).toEqual(accepted('api_key_2'));
  });

  it('does not forget a key again when it is told a second time, after Kinde was asked again', async () => {
    const { service, others } = setUp();
    const invalidation = { tag: 'keyId:api_key_1', atMs: NOW_MS };
    others.tell([invalidation]);
    await service.verify(KEY);
    others.tell([invalidation]);
    expect(service.verifyCached(KEY)).toEqual(accepted());
  });

  it.each([
    ['some keys', ['orgCode:org_a'], REVOKED],
    ['every key', ['*'], undefined],
    ['some keys and every key', ['orgCode:org_a', '*'], undefined],
  ])('forgets a refusal only with every key: they invalidate %s', async (_what, tags, remembered) => {
    const { service, kinde, others } = setUp();
    kinde.answers = [REVOKED];
    await service.verify(KEY);
    others.tell(tags.map((tag) => ({ tag, atMs: NOW_MS })));
    expect(service.verifyCached(KEY)).toEqual(remembered);
  });

  it.each([true, false])(
    'asks them whether a key was invalidated before it believes that Kinde accepts it (cached: %s)',
    async (cached) => {
      const { service, kinde, others } = setUp({ cached });
      kinde.answers = [accepted(), REVOKED];
      kinde.meanwhile = () => others.publish({ tag: 'keyId:api_key_1', atMs: NOW_MS });
      await expect(service.verify(KEY)).resolves.toEqual(REVOKED);
      expect(kinde.calls).toBe(2);
    },
  );

  it.each([
    { afterMs: SKEW_MS, isTold: false },
    { afterMs: SKEW_MS + 1, isTold: true },
  ])(
    'remembers a key $afterMs ms after its invalidation, and tells them, whose clocks may differ: $isTold',
    async ({ afterMs, isTold }) => {
      const { service, others, clock } = setUp();
      await service.invalidate({ keyId: 'api_key_1' });
      clock.advance(afterMs);
      await service.verify(KEY);
      expect(service.verifyCached(KEY)).toEqual(accepted());
      expect(others.known.has(DIGEST)).toBe(isTold);
    },
  );

  it('with cache: false neither asks them about a key nor tells them of one, nor takes back what they know', async () => {
    const { service, kinde, others } = setUp({ cached: false });
    kinde.answers = [accepted(), REVOKED];
    await expect(service.verify(KEY)).resolves.toEqual(accepted());
    expect(others.known.size).toBe(0);
    others.known.set(DIGEST, { verdict: accepted(), sentAtMs: NOW_MS });
    await expect(service.verify(KEY)).resolves.toEqual(REVOKED);
    expect(others.lookedUp).toBe(0);
    expect(others.known.size).toBe(1);
  });
});
