import { verifiedKey } from '../../../../test/support/verified-key.js';
import { TestClock } from '../testing/index.js';
import type { Invalidation } from '../shared/shared-store.js';
import { NONE } from '../slot-index.js';
import { digestOf } from '../api-key/raw-key.js';
import { SharedLevel } from './shared-level.js';
import { RecentInvalidations } from './recent-invalidations.js';
import { VerdictCache } from './verdict-cache.js';
import type { SharedVerdict, SharedVerdicts } from './shared-verdicts.js';

const NOW_MS = 1_000_000;
const TTL_MS = 60_000;
const REFRESH_AT_MS = 48_000;
const MAX_ACCEPTED_AGE_MS = 300_000;
const SKEW_MS = 2_000;
const DIGEST = digestOf('k_live_0123456789abcdef');

/** The count says whose answer it is: this instance's own, or another's. */
const OWN = 1;
const OTHERS = 2;

const accepted = (verificationCount: number) =>
  ({ accepted: true, apiKey: verifiedKey({ verificationCount }) }) as const;

/** The other instances, as far as this level asks them. */
class Others implements Pick<SharedVerdicts, 'find' | 'claimRefresh'> {
  known: SharedVerdict | undefined;
  /** Whether another instance asks Kinde at the moment. */
  areAsking = false;
  claims = 0;
  /** What happens while they are asked who refreshes the key. */
  meanwhile = (): void => undefined;

  find(digest: string): Promise<SharedVerdict | undefined> {
    return Promise.resolve(digest === DIGEST ? this.known : undefined);
  }

  claimRefresh(digest: string): Promise<boolean> {
    if (digest === DIGEST) this.claims += 1;
    this.meanwhile();
    return Promise.resolve(!this.areAsking);
  }
}

/** @param ages how long ago this instance and another one have asked Kinde about the key, if they have */
function setUp(ages: { own?: number; others?: number; nowMs?: number } = {}) {
  const { own, others: othersAge, nowMs = NOW_MS } = ages;
  const clock = new TestClock(nowMs);
  const cache = new VerdictCache({ maxKeys: 10, maxRefusals: 10, negativeTtlMs: 10_000 });
  const invalidations = new RecentInvalidations(SKEW_MS);
  const others = new Others();
  if (own !== undefined)
    cache.storeProven(
      DIGEST,
      verifiedKey({ verificationCount: OWN }),
      { sentAtMs: nowMs - own, callNo: 7 },
      nowMs - own + REFRESH_AT_MS,
    );
  if (othersAge !== undefined) others.known = { verdict: accepted(OTHERS), sentAtMs: nowMs - othersAge };
  const level = new SharedLevel({
    sharing: others as Others & SharedVerdicts,
    cache,
    invalidations,
    clock,
    ttlMs: TTL_MS,
    maxAcceptedAgeMs: MAX_ACCEPTED_AGE_MS,
    refreshAtMs: REFRESH_AT_MS,
  });
  /** What this instance remembers of the key: whose answer, from which call, and until when it is served without a thought. */
  const remembered = () => {
    const slot = cache.keys.find(DIGEST);
    if (slot === NONE) return undefined;
    const { sentAtMs, callNo } = cache.keys.secret(slot);
    const { verificationCount } = cache.keys.apiKey(slot);
    return {
      of: verificationCount,
      ageMs: clock.now() - sentAtMs,
      callNo,
      servedFor: cache.keys.servedUntilMs(slot) - clock.now(),
    };
  };
  return { level, others, cache, clock, invalidations, remembered };
}

const KEPT = { of: OWN, callNo: 7 };
const ADOPTED = { of: OTHERS, callNo: 0 };

describe('SharedLevel', () => {
  describe('of a key that this instance does not know', () => {
    it.each([NOW_MS, 0])('says nothing where the others know nothing either (time %i)', async (nowMs) => {
      const { level, others, remembered } = setUp({ nowMs });
      await expect(level.find(DIGEST)).resolves.toBeUndefined();
      expect(remembered()).toBeUndefined();
      expect(others.claims).toBe(0);
    });

    it.each([
      { age: 0, isServed: true, isKept: true },
      { age: TTL_MS - 1, isServed: true, isKept: true },
      { age: TTL_MS, isServed: false, isKept: true },
      { age: MAX_ACCEPTED_AGE_MS - 1, isServed: false, isKept: true },
      { age: MAX_ACCEPTED_AGE_MS, isServed: false, isKept: false },
    ])(
      'adopts what another found out $age ms ago: served $isServed, kept $isKept',
      async ({ age, isServed, isKept }) => {
        const { level, others, remembered } = setUp({ others: age });
        others.areAsking = true;
        await expect(level.find(DIGEST)).resolves.toEqual(isServed ? accepted(OTHERS) : undefined);
        expect(remembered()).toEqual(isKept ? { ...ADOPTED, ageMs: age, servedFor: REFRESH_AT_MS - age } : undefined);
        expect(others.claims).toBe(0);
      },
    );

    it('adopts it on a machine whose clock starts at 0, too', async () => {
      const { level, remembered } = setUp({ others: 0, nowMs: 0 });
      await expect(level.find(DIGEST)).resolves.toEqual(accepted(OTHERS));
      expect(remembered()).toMatchObject(ADOPTED);
    });

    it('takes what comes from a clock that is ahead for found out now', async () => {
      const { level, remembered } = setUp({ others: -1_500 });
      await expect(level.find(DIGEST)).resolves.toEqual(accepted(OTHERS));
      expect(remembered()).toEqual({ ...ADOPTED, ageMs: 0, servedFor: REFRESH_AT_MS });
    });

    it.each([
      { sentAfterMs: -1, isBelieved: false },
      { sentAfterMs: SKEW_MS, isBelieved: false },
      { sentAfterMs: SKEW_MS + 1, isBelieved: true },
    ])(
      'believes an answer that was sent $sentAfterMs ms after an invalidation: $isBelieved',
      async ({ sentAfterMs, isBelieved }) => {
        const { level, invalidations, remembered } = setUp({ others: -sentAfterMs });
        const invalidation: Invalidation = { tag: 'keyId:api_key_1', atMs: NOW_MS };
        invalidations.apply(invalidation, NOW_MS);
        await expect(level.find(DIGEST)).resolves.toEqual(isBelieved ? accepted(OTHERS) : undefined);
        expect(remembered() !== undefined).toBe(isBelieved);
      },
    );
  });

  describe('of a key that this instance knows', () => {
    it.each([
      { own: 50_000, others: 50_001, kept: KEPT },
      { own: 50_000, others: 50_000, kept: KEPT },
      { own: 50_000, others: 49_999, kept: ADOPTED },
    ])(
      'keeps its own answer of $own ms unless the other one of $others ms is younger',
      async ({ own, others, kept }) => {
        const { level, remembered } = setUp({ own, others });
        await level.find(DIGEST);
        expect(remembered()).toMatchObject(kept);
      },
    );

    it('asks nobody to refresh what another has refreshed not long ago', async () => {
      const { level, others } = setUp({ own: 50_000, others: REFRESH_AT_MS - 1 });
      await expect(level.find(DIGEST)).resolves.toEqual(accepted(OTHERS));
      expect(others.claims).toBe(0);
    });

    it('is served by its own answer where that is the younger one, and young', async () => {
      const { level, others } = setUp({ own: 10_000, others: 20_000 });
      await expect(level.find(DIGEST)).resolves.toEqual(accepted(OWN));
      expect(others.claims).toBe(0);
    });

    it.each([
      ['has to be refreshed itself', { own: 50_000, others: REFRESH_AT_MS }],
      ['is not known', { own: 50_000 }],
      ['is not known, however young the own one is', { own: 10_000 }],
    ])('has Kinde asked by this instance if no other does, where the answer of the others %s', async (_what, ages) => {
      const { level, others } = setUp(ages);
      await expect(level.find(DIGEST)).resolves.toBeUndefined();
      expect(others.claims).toBe(1);
    });

    it.each([
      { own: 50_000, servedFor: 1_000 },
      { own: 59_500, servedFor: 500 },
    ])('goes on with its answer of $own ms for $servedFor ms while another asks Kinde', async ({ own, servedFor }) => {
      const { level, others, remembered } = setUp({ own });
      others.areAsking = true;
      await expect(level.find(DIGEST)).resolves.toEqual(accepted(OWN));
      expect(remembered()).toEqual({ ...KEPT, ageMs: own, servedFor });
    });

    it.each([
      ['gets too old', ({ clock }: ReturnType<typeof setUp>) => clock.advance(1)],
      ['is forgotten', ({ cache }: ReturnType<typeof setUp>) => cache.forgetWhere(() => true)],
    ])('has Kinde asked although another asks, where the own answer %s meanwhile', async (_what, happen) => {
      const room = setUp({ own: TTL_MS - 1 });
      room.others.areAsking = true;
      room.others.meanwhile = () => happen(room);
      await expect(room.level.find(DIGEST)).resolves.toBeUndefined();
      expect(room.others.claims).toBe(1);
    });

    it.each([
      ['too old to be served', TTL_MS],
      ['from the future', -1],
    ])('does not wait for another to refresh an answer that is %s', async (_what, own) => {
      const { level, others } = setUp({ own });
      others.areAsking = true;
      await expect(level.find(DIGEST)).resolves.toBeUndefined();
      expect(others.claims).toBe(0);
    });
  });
});
