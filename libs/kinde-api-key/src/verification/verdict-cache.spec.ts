import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { verifiedKey } from '../../../../test/support/verified-key.js';
import type { RefusedVerdict } from '../api-key/verdict.js';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import { EVERY_KEY } from './invalidation.js';
import { RecentInvalidations } from './recent-invalidations.js';
import type { KeyVersion } from './key-version.js';
import { VerdictCache } from './verdict-cache.js';

const OPTIONS = { ttlMs: 60_000, staleIfErrorMs: 240_000, negativeTtlMs: 10_000, maxKeys: 10, maxRefusals: 10 };
const REVOKED: RefusedVerdict = { accepted: false, reason: 'revoked' };
const UNKNOWN: RefusedVerdict = { accepted: false, reason: 'unknown' };
/** The secrets of one key, in the order of its rotations. */
const [FIRST, SECOND, THIRD] = ['first', 'second', 'third'] as const;
/** After all calls, and before any entry expires. */
const NOW_MS = 5_000;

type Call = Omit<KeyVersion, 'digest'>;
const at = (sentAtMs: number, callNo = 1): Call => ({ sentAtMs, callNo });

function setUp(options: Partial<typeof OPTIONS> = {}) {
  const invalidations = new RecentInvalidations(0);
  const cache = new VerdictCache({ ...OPTIONS, ...options }, invalidations);
  const accept = (digest: string, call: Call, fields?: Partial<VerifiedApiKey>) =>
    cache.storeAccepted(verifiedKey(fields), { digest, ...call });
  const refuse = (digest: string, call: Call, verdict = REVOKED) => cache.storeRefusal(verdict, { digest, ...call });
  const has = (digest: string) => cache.accepted(digest, NOW_MS) !== undefined;
  const invalidate = (tag: string, atMs = NOW_MS) => invalidations.apply({ tag, atMs }, NOW_MS);
  return { cache, accept, refuse, has, invalidate };
}

describe('VerdictCache', () => {
  describe('with answers to two calls about a secret', () => {
    const orders = [
      ['is sent later', at(1_000, 1), at(1_001, 2)],
      // The number orders calls of one millisecond only: that of another instance's call is 0.
      ['is sent later, although its number is lower', at(1_000, 2), at(1_001, 1)],
      ['is sent in the same millisecond with a higher number', at(1_000, 1), at(1_000, 2)],
    ] as const;

    it.each(orders)('keeps the refusal that %s, whichever answer arrives first', (_what, earlier, later) => {
      for (const isLateAnswer of [false, true]) {
        const { cache, accept, refuse, has } = setUp();
        if (!isLateAnswer) accept(FIRST, earlier);
        refuse(FIRST, later);
        if (isLateAnswer) accept(FIRST, earlier);
        expect(has(FIRST)).toBe(false);
        expect(cache.refusal(FIRST, NOW_MS)).toBe(REVOKED);
      }
    });

    it.each(orders)('keeps the acceptance that %s, whichever answer arrives first', (_what, earlier, later) => {
      for (const isLateAnswer of [false, true]) {
        const { cache, accept, refuse, has } = setUp();
        if (!isLateAnswer) refuse(FIRST, earlier);
        accept(FIRST, later);
        if (isLateAnswer) refuse(FIRST, earlier);
        expect(has(FIRST)).toBe(true);
        expect(cache.refusal(FIRST, NOW_MS)).toBeUndefined();
      }
    });

    it.each(orders)('keeps, of two acceptances, the one that %s', (_what, earlier, later) => {
      for (const isLateAnswer of [false, true]) {
        const { cache, accept } = setUp();
        if (!isLateAnswer) accept(FIRST, earlier, { scopes: ['earlier'] });
        accept(FIRST, later, { scopes: ['later'] });
        if (isLateAnswer) accept(FIRST, earlier, { scopes: ['earlier'] });
        expect(cache.accepted(FIRST, NOW_MS)).toMatchObject({
          digest: FIRST,
          ...later,
          verdict: { apiKey: { scopes: ['later'] } },
        });
      }
    });

    it.each(orders)('keeps, of two refusals, the one that %s', (_what, earlier, later) => {
      for (const isLateAnswer of [false, true]) {
        const { cache, refuse } = setUp();
        if (!isLateAnswer) refuse(FIRST, earlier);
        refuse(FIRST, later, UNKNOWN);
        if (isLateAnswer) refuse(FIRST, earlier);
        expect(cache.refusal(FIRST, NOW_MS)).toEqual({ ...UNKNOWN });
      }
    });

    it.each([
      ['keeps', 'an earlier call', at(999, 9), true],
      ['keeps', 'an earlier call of the same millisecond', at(1_000, 4), true],
      ['removes', 'the same call', at(1_000, 5), false],
      ['removes', 'a later call', at(1_001, 1), false],
    ])('%s the accepted key with removeOlder() of %s', (_what, _which, call, isKept) => {
      const { cache, accept, has } = setUp();
      accept(FIRST, at(1_000, 5));
      cache.removeOlder({ digest: FIRST, ...call });
      expect(has(FIRST)).toBe(isKept);
      expect(cache.refusal(FIRST, NOW_MS)).toBeUndefined();
    });
  });

  describe('with two secrets of a key', () => {
    it('keeps the one that the later call accepted, whichever answer arrives first', () => {
      for (const isLateAnswer of [false, true]) {
        const { accept, has } = setUp();
        if (!isLateAnswer) accept(FIRST, at(1_000));
        accept(SECOND, at(2_000));
        if (isLateAnswer) accept(FIRST, at(1_000));
        expect([has(FIRST), has(SECOND)]).toEqual([false, true]);
      }
    });

    it('does not store the earlier one after the later one was invalidated', () => {
      const { accept, has, invalidate } = setUp();
      accept(SECOND, at(2_000));
      invalidate(EVERY_KEY, 2_000);
      expect(has(SECOND)).toBe(false);
      accept(FIRST, at(1_000));
      expect(has(FIRST)).toBe(false);
    });

    it('does not store the earlier one after the later one was evicted', () => {
      const { accept, has } = setUp({ maxKeys: 1 });
      accept(SECOND, at(2_000));
      accept('another', at(2_500), { keyId: 'api_key_2' });
      accept(FIRST, at(1_000));
      expect(has(FIRST)).toBe(false);
    });

    it('stores the later one again after it was removed, from the same call or an earlier one', () => {
      for (const sentAtMs of [2_000, 1_500]) {
        const { accept, has } = setUp({ maxKeys: 1 });
        accept(SECOND, at(2_000));
        accept('another', at(2_500), { keyId: 'api_key_2' });
        accept(SECOND, at(sentAtMs, 0));
        expect(has(SECOND)).toBe(true);
      }
    });

    it('stores a third one after both were removed', () => {
      const { accept, has } = setUp({ maxKeys: 1 });
      accept(FIRST, at(1_000));
      accept(SECOND, at(2_000));
      accept('another', at(2_500), { keyId: 'api_key_2' });
      accept(THIRD, at(3_000));
      expect(has(THIRD)).toBe(true);
    });
  });

  describe('noteRotation()', () => {
    it('removes the earlier secret and does not store the noted one', () => {
      const { cache, accept, has } = setUp();
      accept(FIRST, at(1_000));
      cache.noteRotation('api_key_1', { digest: SECOND, ...at(2_000) });
      expect([has(FIRST), has(SECOND)]).toEqual([false, false]);
    });

    it('keeps out a secret that an earlier call accepted, also of the same millisecond', () => {
      const { cache, accept, has } = setUp();
      cache.noteRotation('api_key_1', { digest: SECOND, ...at(2_000, 5) });
      accept(FIRST, at(1_999, 9));
      accept(FIRST, at(2_000, 4));
      expect(has(FIRST)).toBe(false);
      accept(THIRD, at(2_000, 6));
      expect(has(THIRD)).toBe(true);
    });

    it('of an earlier secret changes nothing', () => {
      const { cache, accept, has } = setUp();
      accept(THIRD, at(3_000));
      cache.noteRotation('api_key_1', { digest: FIRST, ...at(1_000) });
      accept(SECOND, at(2_000));
      expect([has(SECOND), has(THIRD)]).toEqual([false, true]);
    });

    it('of the cached secret keeps it', () => {
      const { cache, accept, has } = setUp();
      accept(FIRST, at(1_000));
      cache.noteRotation('api_key_1', { digest: FIRST, ...at(2_000) });
      expect(has(FIRST)).toBe(true);
    });

    it('counts from the later call, also after the entry of an earlier call was removed', () => {
      const { cache, accept, has, invalidate } = setUp();
      accept(SECOND, at(1_000));
      cache.noteRotation('api_key_1', { digest: SECOND, ...at(3_000) });
      invalidate(EVERY_KEY, 1_000);
      expect(has(SECOND)).toBe(false);
      accept(FIRST, at(2_000));
      expect(has(FIRST)).toBe(false);
    });
  });

  describe('invalidation', () => {
    it('removes the keys that its tag matches and that were verified before it', () => {
      const { accept, has, invalidate } = setUp();
      accept(FIRST, at(1_000));
      accept(SECOND, at(2_000), { keyId: 'api_key_2' });
      accept(THIRD, at(1_000), { keyId: 'api_key_3', orgCode: 'org_b' });
      invalidate('orgCode:org_a', 1_500);
      expect([FIRST, SECOND, THIRD].map(has)).toEqual([false, true, true]);
    });

    it('does not remove a key that was stored after it', () => {
      const { accept, has, invalidate } = setUp();
      invalidate('keyId:api_key_1', 1_000);
      accept(FIRST, at(1_000));
      expect(has(FIRST)).toBe(true);
    });

    it('removes a key also when later invalidations do not match it', () => {
      const { accept, has, invalidate } = setUp();
      accept(FIRST, at(1_000));
      invalidate('keyId:api_key_1');
      for (const tag of ['keyId:api_key_2', 'orgCode:org_b']) invalidate(tag);
      expect(has(FIRST)).toBe(false);
    });

    it('removes a key that was not used while 10,000 other invalidations were applied', () => {
      const { accept, has, invalidate } = setUp();
      accept(FIRST, at(1_000));
      invalidate('keyId:api_key_1');
      for (let index = 0; index < 10_000; index += 1) invalidate(`orgCode:org_${index}`);
      expect(has(FIRST)).toBe(false);
    });

    it('hides a key from acceptedWithin() and extendAfterFailure()', () => {
      const { cache, accept, invalidate } = setUp();
      accept(FIRST, at(1_000));
      expect(cache.acceptedWithin(60_000, FIRST, NOW_MS)).toBeDefined();
      invalidate(EVERY_KEY);
      expect(cache.acceptedWithin(60_000, FIRST, NOW_MS)).toBeUndefined();
      expect(cache.extendAfterFailure(FIRST, true, NOW_MS)).toBeUndefined();
    });
  });

  it('evicts the least recently used key beyond maxKeys', () => {
    const { accept, has } = setUp({ maxKeys: 2 });
    accept(FIRST, at(1_000), { keyId: 'api_key_1' });
    accept(SECOND, at(1_000), { keyId: 'api_key_2' });
    has(FIRST);
    accept(THIRD, at(1_000), { keyId: 'api_key_3' });
    expect([FIRST, SECOND, THIRD].map(has)).toEqual([true, false, true]);
  });

  it('keeps no evicted key in memory', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const { cache, accept } = setUp({ maxKeys: 1 });
    const referTo = (digest: string) => new WeakRef(cache.accepted(digest, NOW_MS)?.verdict.apiKey as VerifiedApiKey);
    accept(FIRST, at(1_000), { keyId: 'api_key_1' });
    const evicted = referTo(FIRST);
    accept(SECOND, at(1_000), { keyId: 'api_key_2' });
    const kept = referTo(SECOND);
    await new Promise(setImmediate);
    collectGarbage();
    expect([evicted.deref(), kept.deref()?.keyId]).toEqual([undefined, 'api_key_2']);
  });

  it('serves a refusal from when its call was sent until negativeTtlMs is over', () => {
    const { cache, refuse } = setUp();
    refuse(FIRST, at(1_000));
    expect([999, 1_000, 10_999, 11_000].map((nowMs) => cache.refusal(FIRST, nowMs))).toEqual([
      undefined,
      REVOKED,
      REVOKED,
      undefined,
    ]);
  });

  it('does not serve a refusal after any invalidation, and does not store the late answer to an earlier call', () => {
    const { cache, accept, refuse, has, invalidate } = setUp();
    refuse(FIRST, at(2_000));
    invalidate('orgCode:another');
    expect(cache.refusal(FIRST, NOW_MS)).toBeUndefined();
    accept(FIRST, at(1_000));
    expect(has(FIRST)).toBe(false);
    accept(FIRST, at(3_000));
    expect(has(FIRST)).toBe(true);
  });

  it('removes an entry that is from the future or older than maxAcceptedAgeMs', () => {
    for (const [nowMs, isServed] of [
      [999, false],
      [1_000, true],
      [300_999, true],
      [301_000, false],
    ] as const) {
      const { cache, accept, has } = setUp();
      accept(FIRST, at(1_000));
      expect(cache.accepted(FIRST, nowMs) !== undefined).toBe(isServed);
      expect(has(FIRST)).toBe(isServed);
    }
  });

  it('makes an entry usable for 10 s after an outage, until a later call is stored', () => {
    const { cache, accept } = setUp();
    accept(FIRST, at(1_000));
    expect(cache.accepted(FIRST, NOW_MS)).toMatchObject({ freshUntilMs: 49_000, usableUntilMs: 61_000 });
    expect(cache.extendAfterFailure(FIRST, true, 61_000)).toMatchObject({
      freshUntilMs: 62_000,
      usableUntilMs: 71_000,
    });
    accept(FIRST, at(62_000));
    expect(cache.accepted(FIRST, 62_000)).toMatchObject({ freshUntilMs: 110_000, usableUntilMs: 122_000 });
  });

  it.each([true, false])('does not shorten the time to live after a failure (outage: %s)', (isOutage) => {
    const { cache, accept } = setUp();
    accept(FIRST, at(1_000));
    expect(cache.extendAfterFailure(FIRST, isOutage, 49_000)).toMatchObject({
      freshUntilMs: 50_000,
      usableUntilMs: 61_000,
    });
    const atEnd = isOutage ? 61_500 : 61_000;
    expect(cache.extendAfterFailure(FIRST, isOutage, 60_500)).toMatchObject({ freshUntilMs: atEnd });
  });

  it('gives out a frozen verdict with a frozen key and frozen scopes', () => {
    const { cache, accept } = setUp();
    accept(FIRST, at(1_000));
    const verdict = cache.accepted(FIRST, NOW_MS)?.verdict;
    expect(verdict).toEqual({ accepted: true, apiKey: verifiedKey() });
    expect([verdict, verdict?.apiKey, verdict?.apiKey.scopes].map(Object.isFrozen)).toEqual([true, true, true]);
  });

  describe('with few keys and secrets, in any order of operations', () => {
    const DIGESTS = ['a', 'b', 'c', 'd', 'e', 'f'];
    const KEY_IDS = ['api_key_1', 'api_key_2', 'api_key_3', 'api_key_4'];
    const digest = fc.constantFrom(...DIGESTS);
    const operations = fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('accept' as const), digest, keyId: fc.constantFrom(...KEY_IDS) }),
        fc.record({ kind: fc.constantFrom('use' as const, 'refuse' as const), digest }),
        fc.record({ kind: fc.constant('invalidate' as const), keyId: fc.constantFrom(...KEY_IDS) }),
      ),
      { maxLength: 40, size: 'max' },
    );

    it('equals a list in the order of use', () => {
      fc.assert(
        fc.property(operations, fc.integer({ min: 1, max: 4 }), (steps, maxKeys) => {
          const { cache, accept, refuse, invalidate } = setUp({ maxKeys, maxRefusals: 1 });
          let rows: { digest: string; keyId: string }[] = [];
          for (const [step, operation] of steps.entries()) {
            const isAffected = (row: (typeof rows)[number]) =>
              ('digest' in operation && row.digest === operation.digest) ||
              ('keyId' in operation && row.keyId === operation.keyId);
            const affected = rows.filter(isAffected);
            rows = rows.filter((row) => !isAffected(row));
            if (operation.kind === 'accept') {
              accept(operation.digest, at(step), { keyId: operation.keyId });
              rows = [...rows, operation].slice(-maxKeys);
            } else if (operation.kind === 'use') {
              expect(cache.accepted(operation.digest, NOW_MS)?.verdict.apiKey.keyId).toBe(affected[0]?.keyId);
              rows = [...rows, ...affected];
            } else if (operation.kind === 'refuse') {
              refuse(operation.digest, at(step));
            } else if (operation.kind === 'invalidate') {
              invalidate(`keyId:${operation.keyId}`, step);
              // An invalidated entry is removed at its next use.
              for (const row of affected) expect(cache.accepted(row.digest, NOW_MS)).toBeUndefined();
            }
            const found = DIGESTS.flatMap((one) => cache.acceptedWithin(60_000, one, NOW_MS) ?? []);
            expect(found.map((entry) => `${entry.digest} ${entry.verdict.apiKey.keyId}`)).toEqual(
              rows.map((row) => `${row.digest} ${row.keyId}`).toSorted(),
            );
          }
        }),
        { numRuns: 500 },
      );
    });
  });
});
