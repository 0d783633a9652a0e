import { verifiedKey } from '../../../../test/support/verified-key.js';
import { TestClock } from '../testing/index.js';
import type { Invalidation } from '../shared/shared-store.js';
import { EVERY_KEY } from './invalidation.js';
import { SharedLookup } from './shared-lookup.js';
import { RecentInvalidations } from './recent-invalidations.js';
import { VerdictCache } from './verdict-cache.js';
import type { SharedVerdict, SharedVerdicts } from './shared-verdicts.js';

const NOW_MS = 1_000_000;
const TTL_MS = 60_000;
const REFRESH_AT_MS = 48_000;
const OPTIONS = { ttlMs: TTL_MS, staleIfErrorMs: 240_000, negativeTtlMs: 10_000, maxKeys: 10, maxRefusals: 10 };
const MAX_ACCEPTED_AGE_MS = 300_000;
const SKEW_MS = 2_000;
const DIGEST = 'the digest of a key';

/** Verification counts that tell the verdicts apart: of this instance, and of another one. */
const OWN = 1;
const OTHERS = 2;

const accepted = (verificationCount: number) =>
  ({ accepted: true, apiKey: verifiedKey({ verificationCount }) }) as const;

/** A shared store that is always reachable. */
class SharedStub implements Pick<SharedVerdicts, 'find' | 'claim' | 'release' | 'maxWaitMs'> {
  maxWaitMs = Infinity;
  known: SharedVerdict | undefined;
  /** Whether another instance asks about the key. */
  isClaimed = false;
  claims = 0;
  releases = 0;
  /** Called when the key is claimed. */
  meanwhile = (): void => undefined;

  find(digest: string): Promise<SharedVerdict | undefined> {
    return Promise.resolve(digest === DIGEST ? this.known : undefined);
  }

  claim(digest: string): Promise<boolean> {
    if (digest === DIGEST) this.claims += 1;
    this.meanwhile();
    return Promise.resolve(!this.isClaimed);
  }

  release(): Promise<void> {
    this.releases += 1;
    return Promise.resolve();
  }
}

/** @param ages the ages of the verdicts of this and of another instance, in milliseconds */
function setUp(ages: { own?: number; others?: number; nowMs?: number } = {}) {
  const { own, others: othersAge, nowMs: startMs = NOW_MS } = ages;
  const clock = new TestClock(startMs);
  const invalidations = new RecentInvalidations(SKEW_MS);
  const cache = new VerdictCache(OPTIONS, invalidations);
  const others = new SharedStub();
  if (own !== undefined)
    cache.storeAccepted(accepted(OWN).apiKey, { digest: DIGEST, sentAtMs: startMs - own, callNo: 7 });
  if (othersAge !== undefined) others.known = { verdict: accepted(OTHERS), sentAtMs: startMs - othersAge };
  const lookup = new SharedLookup(others as SharedStub & SharedVerdicts, cache, invalidations, clock);
  const find = async () => (await lookup.find(DIGEST))?.verdict.apiKey.verificationCount;
  /** The cached entry, of any age. */
  const cached = () => {
    const nowMs = clock.now();
    const entry = cache.acceptedWithin(Infinity, DIGEST, nowMs);
    if (!entry) return undefined;
    const { verdict, sentAtMs, callNo, freshUntilMs } = entry;
    return { of: verdict.apiKey.verificationCount, ageMs: nowMs - sentAtMs, callNo, freshForMs: freshUntilMs - nowMs };
  };
  return { find, others, clock, invalidations, cached };
}

const KEPT = { of: OWN, callNo: 7 };
const FOUND = { of: OTHERS, callNo: 0 };

describe('SharedLookup', () => {
  describe('of a key that is not cached', () => {
    it.each([NOW_MS, 0])('claims the key when no verdict is shared (time %i)', async (nowMs) => {
      const { find, others, cached } = setUp({ nowMs });
      await expect(find()).resolves.toBeUndefined();
      expect(cached()).toBeUndefined();
      expect(others).toMatchObject({ claims: 1, releases: 0 });
    });

    it('uses the verdict that was shared just before it had the claim, and ends the claim', async () => {
      const { find, others } = setUp();
      others.meanwhile = () => (others.known = { verdict: accepted(OTHERS), sentAtMs: NOW_MS });
      await expect(find()).resolves.toBe(OTHERS);
      expect(others).toMatchObject({ claims: 1, releases: 1 });
    });

    it('waits for the verdict while another instance asks', async () => {
      const { find, others } = setUp();
      others.isClaimed = true;
      others.meanwhile = () => {
        if (others.claims === 3) others.known = { verdict: accepted(OTHERS), sentAtMs: NOW_MS };
      };
      await expect(find()).resolves.toBe(OTHERS);
      expect(others).toMatchObject({ claims: 3, releases: 0 });
    });

    it('asks itself when the instance that asked ends its claim without a verdict', async () => {
      const { find, others } = setUp();
      others.isClaimed = true;
      others.meanwhile = () => (others.isClaimed = others.claims < 3);
      await expect(find()).resolves.toBeUndefined();
      expect(others).toMatchObject({ claims: 3, releases: 0 });
    });

    it('asks itself when the time is up, while another instance still asks', async () => {
      const { find, others } = setUp();
      Object.assign(others, { isClaimed: true, maxWaitMs: 1 });
      await expect(find()).resolves.toBeUndefined();
      expect(others).toMatchObject({ claims: 2, releases: 0 });
    });

    it('does not use a verdict from before an invalidation that arrives while it waits', async () => {
      const { find, others, invalidations } = setUp();
      others.isClaimed = true;
      others.meanwhile = () => {
        if (others.claims === 1) return;
        invalidations.apply({ tag: EVERY_KEY, atMs: NOW_MS }, NOW_MS);
        Object.assign(others, { isClaimed: false, known: { verdict: accepted(OTHERS), sentAtMs: NOW_MS } });
      };
      await expect(find()).resolves.toBeUndefined();
      expect(others.claims).toBe(2);
    });

    it.each([
      { age: 0, isServed: true, isKept: true },
      { age: TTL_MS - 1, isServed: true, isKept: true },
      { age: TTL_MS, isServed: false, isKept: true },
      { age: MAX_ACCEPTED_AGE_MS - 1, isServed: false, isKept: true },
      { age: MAX_ACCEPTED_AGE_MS, isServed: false, isKept: false },
    ])('finds a shared verdict of $age ms: served $isServed, cached $isKept', async ({ age, isServed, isKept }) => {
      const { find, others, cached } = setUp({ others: age });
      await expect(find()).resolves.toBe(isServed ? OTHERS : undefined);
      expect(cached()).toEqual(isKept ? { ...FOUND, ageMs: age, freshForMs: REFRESH_AT_MS - age } : undefined);
      expect(others.claims).toBe(isServed ? 0 : 1);
    });

    it('caches a shared verdict when the clock starts at 0', async () => {
      const { find, cached } = setUp({ others: 0, nowMs: 0 });
      await expect(find()).resolves.toBe(OTHERS);
      expect(cached()).toMatchObject(FOUND);
    });

    it('counts a shared verdict from the future as one of now', async () => {
      const { find, cached } = setUp({ others: -1_500 });
      await expect(find()).resolves.toBe(OTHERS);
      expect(cached()).toEqual({ ...FOUND, ageMs: 0, freshForMs: REFRESH_AT_MS });
    });

    it.each([
      { sentAfterMs: -1, isAccepted: false },
      { sentAfterMs: SKEW_MS, isAccepted: false },
      { sentAfterMs: SKEW_MS + 1, isAccepted: true },
    ])(
      'accepts a verdict whose call was sent $sentAfterMs ms after an invalidation: $isAccepted',
      async ({ sentAfterMs, isAccepted }) => {
        const { find, invalidations, cached } = setUp({ others: -sentAfterMs });
        const invalidation: Invalidation = { tag: 'keyId:api_key_1', atMs: NOW_MS };
        invalidations.apply(invalidation, NOW_MS);
        await expect(find()).resolves.toBe(isAccepted ? OTHERS : undefined);
        expect(cached() !== undefined).toBe(isAccepted);
      },
    );
  });

  describe('of a key that is cached', () => {
    it.each([
      { own: 50_000, others: 50_001, kept: KEPT },
      { own: 50_000, others: 50_000, kept: KEPT },
      { own: 50_000, others: 49_999, kept: FOUND },
    ])(
      'keeps the cached verdict of $own ms unless the shared one of $others ms is younger',
      async ({ own, others, kept }) => {
        const { find, cached } = setUp({ own, others });
        await find();
        expect(cached()).toMatchObject(kept);
      },
    );

    it('does not claim a refresh when the shared verdict was refreshed recently', async () => {
      const { find, others } = setUp({ own: 50_000, others: REFRESH_AT_MS - 1 });
      await expect(find()).resolves.toBe(OTHERS);
      expect(others.claims).toBe(0);
    });

    it('serves the cached verdict when it is younger than the shared one and fresh', async () => {
      const { find, others } = setUp({ own: 10_000, others: 20_000 });
      await expect(find()).resolves.toBe(OWN);
      expect(others.claims).toBe(0);
    });

    it.each([
      ['must be refreshed', { own: 50_000, others: REFRESH_AT_MS }],
      ['is missing', { own: 50_000 }],
      ['is missing, however young the cached one is', { own: 10_000 }],
    ])('leaves the refresh to this instance when it has the claim and the shared verdict %s', async (_what, ages) => {
      const { find, others } = setUp(ages);
      await expect(find()).resolves.toBeUndefined();
      expect(others.claims).toBe(1);
    });

    it.each([
      { own: 50_000, freshForMs: 1_000 },
      { own: 59_500, freshForMs: 500 },
    ])(
      'serves the cached verdict of $own ms for $freshForMs ms while another instance refreshes it',
      async ({ own, freshForMs }) => {
        const { find, others, cached } = setUp({ own });
        others.isClaimed = true;
        await expect(find()).resolves.toBe(OWN);
        expect(cached()).toEqual({ ...KEPT, ageMs: own, freshForMs });
      },
    );

    it.each([
      ['expires', ({ clock }: ReturnType<typeof setUp>) => clock.advance(1)],
      [
        'is invalidated',
        ({ invalidations }: ReturnType<typeof setUp>) => invalidations.apply({ tag: EVERY_KEY, atMs: NOW_MS }, NOW_MS),
      ],
    ])('finds nothing when the cached verdict %s while another instance refreshes it', async (_what, happen) => {
      const parts = setUp({ own: TTL_MS - 1 });
      parts.others.isClaimed = true;
      parts.others.meanwhile = () => happen(parts);
      await expect(parts.find()).resolves.toBeUndefined();
      expect(parts.others.claims).toBe(1);
    });

    it.each([
      ['expired', TTL_MS],
      ['from the future', -1],
    ])('does not serve a verdict that is %s while another instance asks', async (_what, own) => {
      const { find, others } = setUp({ own });
      Object.assign(others, { isClaimed: true, maxWaitMs: 0 });
      await expect(find()).resolves.toBeUndefined();
      expect(others.claims).toBe(1);
    });
  });
});
