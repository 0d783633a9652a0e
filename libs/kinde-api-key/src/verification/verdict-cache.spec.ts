import { verifiedKey } from '../../../../test/support/verified-key.js';
import type { RefusedVerdict } from '../api-key/verdict.js';
import { NONE } from '../slot-index.js';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import type { Call } from './key-table.js';
import { digestOf } from '../api-key/raw-key.js';
import { VerdictCache } from './verdict-cache.js';

const REVOKED: RefusedVerdict = { accepted: false, reason: 'revoked' };
const UNKNOWN: RefusedVerdict = { accepted: false, reason: 'unknown' };
/** The secrets that one key has had, in the order of its rotations. */
const [FIRST, SECOND, THIRD] = ['first', 'second', 'third'].map(digestOf) as [string, string, string];

const at = (sentAtMs: number, callNo = 1): Call => ({ sentAtMs, callNo });

function setUp({ maxKeys = 10 } = {}) {
  const cache = new VerdictCache({ maxKeys, maxRefusals: 10, negativeTtlMs: 10_000 });
  const accept = (digest: string, call: Call, fields?: Partial<VerifiedApiKey>) =>
    cache.storeProven(digest, verifiedKey(fields), call, call.sentAtMs + 48_000);
  const knows = (digest: string) => cache.proven(digest) !== NONE;
  return { cache, accept, knows };
}

describe('VerdictCache', () => {
  describe('of two calls about a secret', () => {
    const orders = [
      ['is sent later', at(1_000, 1), at(1_001, 2)],
      // Its number says when it was counted, not when it was sent: one that another instance has made has number 0.
      ['is sent later, although it was counted before', at(1_000, 2), at(1_001, 1)],
      ['is sent in the same millisecond and counted later', at(1_000, 1), at(1_000, 2)],
    ] as const;

    it.each(orders)('believes the refusal that %s, whichever is answered first', (_what, earlier, later) => {
      for (const isLateAnswer of [false, true]) {
        const { cache, accept, knows } = setUp();
        if (!isLateAnswer) accept(FIRST, earlier);
        cache.storeRefusal(FIRST, REVOKED, later);
        if (isLateAnswer) accept(FIRST, earlier);
        expect(knows(FIRST)).toBe(false);
        expect(cache.refusal(FIRST, 1_001)).toBe(REVOKED);
      }
    });

    it.each(orders)('believes the acceptance that %s, whichever is answered first', (_what, earlier, later) => {
      for (const isLateAnswer of [false, true]) {
        const { cache, accept, knows } = setUp();
        if (!isLateAnswer) cache.storeRefusal(FIRST, REVOKED, earlier);
        accept(FIRST, later);
        if (isLateAnswer) cache.storeRefusal(FIRST, REVOKED, earlier);
        expect(knows(FIRST)).toBe(true);
        expect(cache.refusal(FIRST, 1_001)).toBeUndefined();
      }
    });

    it.each(orders)('keeps the acceptance that %s, whichever is answered first', (_what, earlier, later) => {
      for (const isLateAnswer of [false, true]) {
        const { cache, accept } = setUp();
        if (!isLateAnswer) accept(FIRST, earlier, { scopes: ['earlier'] });
        accept(FIRST, later, { scopes: ['later'] });
        if (isLateAnswer) accept(FIRST, earlier, { scopes: ['earlier'] });
        const slot = cache.proven(FIRST);
        expect([cache.keys.apiKey(slot).scopes, cache.keys.secret(slot)]).toEqual([
          ['later'],
          { digest: FIRST, ...later },
        ]);
      }
    });

    it.each(orders)('keeps the refusal that %s, whichever is answered first', (_what, earlier, later) => {
      for (const isLateAnswer of [false, true]) {
        const { cache } = setUp();
        if (!isLateAnswer) cache.storeRefusal(FIRST, REVOKED, earlier);
        cache.storeRefusal(FIRST, UNKNOWN, later);
        if (isLateAnswer) cache.storeRefusal(FIRST, REVOKED, earlier);
        expect(cache.refusal(FIRST, 1_001)).toBe(UNKNOWN);
      }
    });

    it.each([
      ['of an earlier call', at(999, 9), true],
      ['of an earlier call in the same millisecond', at(1_000, 4), true],
      ['that nobody can tell from it', at(1_000, 5), false],
      ['of a later call', at(1_001, 1), false],
    ])('lets a refusal %s that is not remembered leave the accepted key: %s', (_what, call, isLeft) => {
      const { cache, accept, knows } = setUp();
      accept(FIRST, at(1_000, 5));
      cache.forgetOlder(FIRST, call);
      expect(knows(FIRST)).toBe(isLeft);
      expect(cache.refusal(FIRST, 1_001)).toBeUndefined();
    });
  });

  describe('of two secrets of a key', () => {
    it('knows the one that was accepted by the later call, whichever is answered first', () => {
      for (const isLateAnswer of [false, true]) {
        const { accept, knows } = setUp();
        if (!isLateAnswer) accept(FIRST, at(1_000));
        accept(SECOND, at(2_000));
        if (isLateAnswer) accept(FIRST, at(1_000));
        expect([knows(FIRST), knows(SECOND)]).toEqual([false, true]);
      }
    });

    it('does not apply the earlier one where the later one is forgotten meanwhile', () => {
      const { cache, accept, knows } = setUp();
      accept(SECOND, at(2_000));
      cache.forgetWhere(() => true);
      accept(FIRST, at(1_000));
      expect(knows(FIRST)).toBe(false);
    });

    it('does not apply the earlier one where the later one has made room meanwhile', () => {
      const { accept, knows } = setUp({ maxKeys: 1 });
      accept(SECOND, at(2_000));
      accept(digestOf('of another key'), at(2_500), { keyId: 'api_key_2' });
      accept(FIRST, at(1_000));
      expect(knows(FIRST)).toBe(false);
    });

    it('learns the later one again after it was forgotten, from the same call or an earlier one', () => {
      for (const sentAtMs of [2_000, 1_500]) {
        const { cache, accept, knows } = setUp();
        accept(SECOND, at(2_000));
        cache.forgetWhere(() => true);
        accept(SECOND, at(sentAtMs, 0));
        expect(knows(SECOND)).toBe(true);
      }
    });

    it('learns a third one although two were forgotten', () => {
      const { cache, accept, knows } = setUp();
      accept(FIRST, at(1_000));
      accept(SECOND, at(2_000));
      cache.forgetWhere(() => true);
      accept(THIRD, at(3_000));
      expect(knows(THIRD)).toBe(true);
    });
  });

  describe('a secret that is noted', () => {
    it('is not known for that, and makes the earlier one forgotten', () => {
      const { cache, accept, knows } = setUp();
      accept(FIRST, at(1_000));
      cache.noteSecret(SECOND, 'api_key_1', at(2_000));
      expect([knows(FIRST), knows(SECOND)]).toEqual([false, false]);
    });

    it('keeps out what is accepted by an earlier call, in the same millisecond too', () => {
      const { cache, accept, knows } = setUp();
      cache.noteSecret(SECOND, 'api_key_1', at(2_000, 5));
      accept(FIRST, at(1_999, 9));
      accept(FIRST, at(2_000, 4));
      expect(knows(FIRST)).toBe(false);
      accept(THIRD, at(2_000, 6));
      expect(knows(THIRD)).toBe(true);
    });

    it('changes nothing where it is an earlier one than the known one', () => {
      const { cache, accept, knows } = setUp();
      accept(THIRD, at(3_000));
      cache.noteSecret(FIRST, 'api_key_1', at(1_000));
      accept(SECOND, at(2_000));
      expect([knows(SECOND), knows(THIRD)]).toEqual([false, true]);
    });

    it('changes nothing of the key where it is the known one', () => {
      const { cache, accept, knows } = setUp();
      accept(FIRST, at(1_000));
      cache.noteSecret(FIRST, 'api_key_1', at(2_000));
      expect(knows(FIRST)).toBe(true);
    });

    it('counts by its later call, also when the key is forgotten that was accepted by the earlier one', () => {
      const { cache, accept, knows } = setUp();
      accept(SECOND, at(1_000));
      cache.noteSecret(SECOND, 'api_key_1', at(3_000));
      cache.forgetWhere(() => true);
      accept(FIRST, at(2_000));
      expect(knows(FIRST)).toBe(false);
    });
  });

  it('serves a refusal from when its call was sent until its time is over', () => {
    const { cache } = setUp();
    cache.storeRefusal(FIRST, REVOKED, at(1_000));
    expect([999, 1_000, 10_999, 11_000].map((nowMs) => cache.refusal(FIRST, nowMs))).toEqual([
      undefined,
      REVOKED,
      REVOKED,
      undefined,
    ]);
    cache.forgetRefusals();
    expect(cache.refusal(FIRST, 1_000)).toBeUndefined();
  });

  it('forgets the accepted keys that match, by who they are and when they were asked about', () => {
    const { cache, accept, knows } = setUp();
    accept(FIRST, at(1_000));
    accept(SECOND, at(2_000), { keyId: 'api_key_2' });
    accept(THIRD, at(2_000), { keyId: 'api_key_3', orgCode: 'org_b' });
    cache.forgetWhere(({ orgCode }, sentAtMs) => orgCode === 'org_a' && sentAtMs === 2_000);
    expect([FIRST, SECOND, THIRD].map(knows)).toEqual([true, false, true]);
  });

  it('makes room by the key that was looked up least recently', () => {
    const { accept, knows } = setUp({ maxKeys: 2 });
    accept(FIRST, at(1_000), { keyId: 'api_key_1' });
    accept(SECOND, at(1_000), { keyId: 'api_key_2' });
    knows(FIRST);
    accept(THIRD, at(1_000), { keyId: 'api_key_3' });
    expect([FIRST, SECOND, THIRD].map(knows)).toEqual([true, false, true]);
  });

  it('remembers an outage for as long as nothing newer is known of the key', () => {
    const { cache, accept } = setUp();
    accept(FIRST, at(1_000));
    const outageAtMs = () => cache.outageAtMs(cache.proven(FIRST));
    expect(outageAtMs()).toBe(-Infinity);
    cache.noteOutage(cache.proven(FIRST), 50_000);
    expect(outageAtMs()).toBe(50_000);
    accept(FIRST, at(51_000));
    expect(outageAtMs()).toBe(-Infinity);
  });

  it('gives out what cannot be changed: the key and its scopes are frozen', () => {
    const { cache, accept } = setUp();
    accept(FIRST, at(1_000));
    const known = cache.keys.apiKey(cache.proven(FIRST));
    expect(known).toEqual(verifiedKey());
    expect([Object.isFrozen(known), Object.isFrozen(known.scopes)]).toEqual([true, true]);
  });
});
