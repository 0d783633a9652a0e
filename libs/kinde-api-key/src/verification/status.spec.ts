import type { KindeProblem } from '../kinde/health-log.js';
import { verifiedKey } from '../../../../test/support/verified-key.js';
import { RecentInvalidations } from './recent-invalidations.js';
import { statusOf } from './status.js';
import { VerdictCache } from './verdict-cache.js';

const OPTIONS = { ttlMs: 60_000, staleIfErrorMs: 240_000, negativeTtlMs: 10_000, maxKeys: 5_000, maxRefusals: 10 };

/** A cache with keys that were verified at these times, and its invalidations. */
function cacheOf(...sentAtMs: number[]) {
  const invalidations = new RecentInvalidations(0);
  const cache = new VerdictCache(OPTIONS, invalidations);
  for (const [index, at] of sentAtMs.entries())
    cache.storeAccepted(verifiedKey({ keyId: `api_key_${index}` }), {
      digest: `digest ${index}`,
      sentAtMs: at,
      callNo: index + 1,
    });
  return { cache, invalidations };
}

/** @returns the status of a cache while Kinde has these problems */
function statusWith(
  cache: VerdictCache | undefined,
  problems: readonly KindeProblem[],
  nowMs: number,
  { isRecent = true, isStoreDown }: { readonly isRecent?: boolean; readonly isStoreDown?: boolean } = {},
) {
  const shared = isStoreDown === undefined ? null : { isDown: isStoreDown };
  return statusOf(cache, { problems, isRecent }, shared, nowMs);
}

describe('statusOf()', () => {
  it('is up without a problem, even with an empty cache and with none', () => {
    const up = {
      status: 'up',
      reasons: [],
      oldestAcceptedAgeMs: null,
      cachedKeys: 0,
      circuit: 'closed',
      sharedStore: null,
    };
    expect(statusWith(cacheOf().cache, [], 0)).toEqual(up);
    expect(statusWith(undefined, [], 0)).toEqual(up);
  });

  it('is degraded while Kinde cannot be asked and a cached answer would be accepted', () => {
    const { cache } = cacheOf(1_000, 5_000);
    expect(statusWith(cache, ['kinde_unavailable', 'circuit_open'], 11_000)).toEqual({
      status: 'degraded',
      reasons: ['kinde_unavailable', 'circuit_open'],
      oldestAcceptedAgeMs: 10_000,
      cachedKeys: 2,
      circuit: 'open',
      sharedStore: null,
    });
  });

  it('says from the end of the time to live on that stale answers are served, and is down when the last one is too old', () => {
    const { cache } = cacheOf(0);
    const at = (nowMs: number) => statusWith(cache, ['kinde_unavailable'], nowMs);
    expect(at(59_999)).toMatchObject({ status: 'degraded', reasons: ['kinde_unavailable'] });
    expect(at(60_000)).toMatchObject({ status: 'degraded', reasons: ['kinde_unavailable', 'stale_served'] });
    expect(at(299_999)).toMatchObject({ status: 'degraded', oldestAcceptedAgeMs: 299_999 });
    expect(at(300_000)).toMatchObject({ status: 'down', oldestAcceptedAgeMs: null });
  });

  it('does not count answers beyond their time to live while the credentials are refused: they are not accepted then', () => {
    const { cache } = cacheOf(0);
    expect(statusWith(cache, ['misconfigured'], 59_999)).toMatchObject({ status: 'degraded' });
    expect(statusWith(cache, ['misconfigured'], 60_000)).toMatchObject({
      status: 'down',
      reasons: ['misconfigured'],
    });
  });

  it('is down for as long as the last failure is recent, and degraded for as long as something is cached', () => {
    const at = (cache: VerdictCache | undefined, isRecent: boolean) =>
      statusWith(cache, ['kinde_unavailable'], 1_000, { isRecent });
    expect(at(undefined, true)).toMatchObject({ status: 'down', reasons: ['kinde_unavailable'] });
    expect(at(undefined, false)).toMatchObject({ status: 'up', reasons: [] });
    expect(at(cacheOf(0).cache, false)).toMatchObject({ status: 'degraded', reasons: ['kinde_unavailable'] });
  });

  it('is down at once if caching is off', () => {
    expect(statusWith(undefined, ['kinde_throttled'], 0)).toMatchObject({ status: 'down' });
  });

  it('does not count keys that were invalidated', () => {
    const { cache, invalidations } = cacheOf(0);
    invalidations.apply({ tag: '*', atMs: 10 }, 10, true);
    expect(statusWith(cache, ['kinde_unavailable'], 20)).toMatchObject({ status: 'down', cachedKeys: 1 });
  });

  it('is degraded while the shared store is down, and never down because of it', () => {
    expect(statusWith(cacheOf().cache, [], 0, { isStoreDown: false })).toMatchObject({
      status: 'up',
      sharedStore: 'up',
    });
    expect(statusWith(cacheOf().cache, [], 0, { isStoreDown: true })).toMatchObject({
      status: 'degraded',
      reasons: ['shared_store_down'],
      sharedStore: 'down',
    });
  });

  it('looks at 1,000 keys at most, the most recently used ones', () => {
    const { cache } = cacheOf(...Array.from({ length: 5_000 }, (_none, index) => index));
    expect(statusWith(cache, [], 5_000)).toMatchObject({ cachedKeys: 5_000, oldestAcceptedAgeMs: 1_000 });
  });

  it('is frozen', () => {
    const status = statusWith(cacheOf().cache, [], 0);
    expect([status, status.reasons].every(Object.isFrozen)).toBe(true);
  });
});
