import { verifiedKey } from '../../../../test/support/verified-key.js';
import { KindeApiKeyUnavailableError } from '../kinde-api-key.errors.js';
import { RawKey } from '../api-key/raw-key.js';
import type { KeyAnswer, KeyVerifier } from '../kinde/key-verifier.js';
import type { AcceptedVerdict, Verdict } from '../api-key/verdict.js';
import type { Invalidation } from '../shared/shared-store.js';
import { TestClock } from '../testing/index.js';
import { ApiKeyVerificationService } from './api-key-verification.service.js';
import type { SharedVerdict, SharedVerdicts } from './shared-verdicts.js';

const KEY = 'k_live_0123456789abcdef';
const DIGEST = RawKey.parse(KEY)?.digest ?? '';
const NOW_MS = 1_000_000;
const SKEW_MS = 2_000;
const OPTIONS = { ttlMs: 60_000, staleIfErrorMs: 240_000, negativeTtlMs: 10_000, maxKeys: 100, maxRefusals: 10 };

const REVOKED: Verdict = { accepted: false, reason: 'revoked' };

function accepted(keyId = 'api_key_1'): AcceptedVerdict {
  return { accepted: true, apiKey: verifiedKey({ keyId }) };
}

/** Kinde, which gives its answers in order, and repeats the last one. */
class Kinde implements Pick<KeyVerifier, 'verify'> {
  answers: Verdict[] = [accepted()];
  calls = 0;
  meanwhile = (): unknown => undefined;

  constructor(private readonly clock: TestClock) {}

  verify(): Promise<KeyAnswer> {
    const sentAtMs = this.clock.now();
    const verdict = this.answers[Math.min(this.calls, this.answers.length - 1)] ?? REVOKED;
    this.calls += 1;
    this.meanwhile();
    return Promise.resolve({ verdict, sentAtMs });
  }
}

/** A shared store that is always reachable. */
class SharedStub implements SharedVerdicts {
  readonly known = new Map<string, SharedVerdict>();
  readonly published: Invalidation[] = [];
  lookups = 0;
  releases = 0;
  /** Delivers invalidations of other instances. */
  deliver: (invalidations: readonly Invalidation[]) => void = () => undefined;

  find(digest: string): Promise<SharedVerdict | undefined> {
    this.lookups += 1;
    return Promise.resolve(this.known.get(digest));
  }

  readonly maxWaitMs = 0;

  claim(): Promise<boolean> {
    return Promise.resolve(true);
  }

  release(): Promise<void> {
    this.releases += 1;
    return Promise.resolve();
  }

  invalidationsOf(): Promise<readonly Invalidation[]> {
    return Promise.resolve(this.published);
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
    this.published.push(invalidation);
    return Promise.resolve();
  }

  onInvalidations(apply: (invalidations: readonly Invalidation[]) => void): void {
    this.deliver = apply;
  }
}

function setUp({ cached = true, nowMs = NOW_MS } = {}) {
  const clock = new TestClock(nowMs);
  const kinde = new Kinde(clock);
  const shared = new SharedStub();
  const service = new ApiKeyVerificationService(kinde, cached ? OPTIONS : null, clock, shared);
  return { clock, kinde, shared, service };
}

describe('ApiKeyVerificationService with a shared store', () => {
  it('shares an accepted verdict with the time at which its call was sent', async () => {
    const { service, kinde, shared, clock } = setUp();
    kinde.meanwhile = () => clock.advance(500);
    await expect(service.verify(KEY)).resolves.toEqual(accepted());
    expect([...shared.known]).toEqual([[DIGEST, { verdict: accepted(), sentAtMs: NOW_MS }]]);
  });

  it('looks for a shared verdict before it asks Kinde, and again at four fifths of ttlMs', async () => {
    const { service, kinde, shared, clock } = setUp();
    shared.known.set(DIGEST, { verdict: accepted(), sentAtMs: NOW_MS - 10_000 });
    await expect(service.verify(KEY)).resolves.toEqual(accepted());
    clock.set(NOW_MS - 10_000 + 47_999);
    expect(service.verifyCached(KEY)).toEqual(accepted());
    expect(shared.lookups).toBe(1);
    clock.advance(1);
    expect(service.verifyCached(KEY)).toEqual(accepted());
    expect(shared.lookups).toBe(2);
    expect(kinde.calls).toBe(0);
  });

  it('withdraws the shared verdict when Kinde refuses the key', async () => {
    const { service, kinde, shared, clock } = setUp();
    kinde.answers = [accepted(), REVOKED];
    await service.verify(KEY);
    clock.advance(OPTIONS.ttlMs);
    await expect(service.verify(KEY)).resolves.toEqual(REVOKED);
    expect(shared.known.size).toBe(0);
  });

  it('ends its claim when Kinde does not answer, unless it serves the cached verdict and tries again soon', async () => {
    const { service, kinde, shared, clock } = setUp();
    const fail = () => {
      throw new KindeApiKeyUnavailableError('Kinde does not answer', { retryAfterSeconds: 1 });
    };
    kinde.meanwhile = fail;
    await expect(service.verify(KEY)).rejects.toThrow('Kinde does not answer');
    expect(shared.releases).toBe(1);
    kinde.meanwhile = () => undefined;
    await service.verify(KEY);
    kinde.meanwhile = fail;
    clock.advance(OPTIONS.ttlMs);
    await expect(service.verify(KEY)).resolves.toEqual(accepted());
    expect(shared.releases).toBe(1);
  });

  it('publishes invalidations, with a time that is not before them', async () => {
    const { service, shared } = setUp({ nowMs: NOW_MS + 0.5 });
    await service.invalidate({ orgCode: 'org_a' });
    await service.invalidateAll();
    expect(shared.published).toEqual([
      { tag: 'orgCode:org_a', atMs: NOW_MS + 1 },
      { tag: '*', atMs: NOW_MS + 1 },
    ]);
  });

  it('applies an invalidation of another instance, and keeps other keys', async () => {
    const { service, kinde, shared } = setUp();
    kinde.answers = [accepted(), accepted('api_key_2')];
    await service.verify(KEY);
    await service.verify(`${KEY}_2`);
    shared.deliver([{ tag: 'keyId:api_key_1', atMs: NOW_MS }]);
    expect(service.verifyCached(KEY)).toBeUndefined();
    expect(service.verifyCached(`${KEY}_2`)).toEqual(accepted('api_key_2'));
  });

  it('does not apply an invalidation a second time', async () => {
    const { service, shared } = setUp();
    const invalidation = { tag: 'keyId:api_key_1', atMs: NOW_MS };
    shared.deliver([invalidation]);
    await service.verify(KEY);
    shared.deliver([invalidation]);
    expect(service.verifyCached(KEY)).toEqual(accepted());
  });

  it.each([['orgCode:org_a'], ['*']])(
    'ends a cached refusal when another instance invalidates %s, and not when it is told again',
    async (tag) => {
      const { service, kinde, shared } = setUp();
      kinde.answers = [REVOKED, REVOKED];
      await service.verify(KEY);
      shared.deliver([{ tag, atMs: NOW_MS }]);
      expect(service.verifyCached(KEY)).toBeUndefined();
      await service.verify(KEY);
      shared.deliver([{ tag, atMs: NOW_MS }]);
      expect(service.verifyCached(KEY)).toEqual(REVOKED);
    },
  );

  it.each([true, false])(
    'looks for an invalidation in the shared store before it accepts a key (cached: %s)',
    async (cached) => {
      const { service, kinde, shared } = setUp({ cached });
      kinde.answers = [accepted(), REVOKED];
      kinde.meanwhile = () => shared.publish({ tag: 'keyId:api_key_1', atMs: NOW_MS });
      await expect(service.verify(KEY)).resolves.toEqual(REVOKED);
      expect(kinde.calls).toBe(2);
    },
  );

  it.each([
    { afterMs: SKEW_MS, isShared: false },
    { afterMs: SKEW_MS + 1, isShared: true },
  ])(
    'caches a key verified $afterMs ms after its invalidation, and shares it: $isShared',
    async ({ afterMs, isShared }) => {
      const { service, shared, clock } = setUp();
      await service.invalidate({ keyId: 'api_key_1' });
      clock.advance(afterMs);
      await service.verify(KEY);
      expect(service.verifyCached(KEY)).toEqual(accepted());
      expect(shared.known.has(DIGEST)).toBe(isShared);
      expect(shared.releases).toBe(isShared ? 0 : 1);
    },
  );

  it('neither finds, shares nor withdraws a verdict with cache: false', async () => {
    const { service, kinde, shared } = setUp({ cached: false });
    kinde.answers = [accepted(), REVOKED];
    await expect(service.verify(KEY)).resolves.toEqual(accepted());
    expect(shared.known.size).toBe(0);
    shared.known.set(DIGEST, { verdict: accepted(), sentAtMs: NOW_MS });
    await expect(service.verify(KEY)).resolves.toEqual(REVOKED);
    expect(shared.lookups).toBe(0);
    expect(shared.known.size).toBe(1);
  });
});
