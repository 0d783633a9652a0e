import { LRUCache } from 'lru-cache';
import { verifiedKey } from '../../../../test/support/verified-key.js';
import type { RawKey } from '../api-key/raw-key.js';
import type { Invalidation } from '../shared/shared-store.js';
import { TestClock } from '../testing/index.js';
import { ApiKeyVerificationService } from './api-key-verification.service.js';
import type { SharedVerdicts } from './shared-verdicts.js';

const OPTIONS = { ttlMs: 60_000, staleIfErrorMs: 0, negativeTtlMs: 10_000, maxKeys: 50_000, maxRefusals: 10 };

/** A service that has accepted `count` keys, and the announcements that it gets from other instances. */
async function serviceWith(count: number) {
  const clock = new TestClock();
  let announce: (invalidations: readonly Invalidation[]) => void = () => undefined;
  const shared = {
    onInvalidations: (listener: typeof announce) => void (announce = listener),
    find: async () => undefined,
    claim: async () => true,
    release: async () => undefined,
    maxWaitMs: 0,
    share: async () => undefined,
    invalidationsOf: async () => [],
    publish: async () => undefined,
  } as unknown as SharedVerdicts;
  const verify = async (key: RawKey) => ({
    verdict: { accepted: true as const, apiKey: verifiedKey({ keyId: key.reveal() }) },
    sentAtMs: clock.now(),
  });
  const service = new ApiKeyVerificationService({ verify, isDown: false }, OPTIONS, clock, shared);
  for (let index = 0; index < count; index += 1) await service.verify(keyOf(index));
  return { service, announce, clock };
}

function keyOf(index: number): string {
  return `k_live_${String(index).padStart(20, '0')}`;
}

/** Counts the calls of every method of maps and caches, and of the steps of their iterators. */
function countWork(run: () => void): number {
  let work = 0;
  const iterators = [new Map().values(), new Set().values()].map((one) => Object.getPrototypeOf(one) as object);
  const spies = [Map.prototype, Set.prototype, LRUCache.prototype, ...iterators].flatMap((prototype) =>
    Object.entries(Object.getOwnPropertyDescriptors(prototype))
      .filter(([name, { value }]) => name !== 'constructor' && typeof value === 'function')
      .map(([name, { value }]) => {
        const method = value as (...args: unknown[]) => unknown;
        const counting = function (this: unknown, ...args: unknown[]): unknown {
          work += 1;
          return method.apply(this, args);
        };
        Object.defineProperty(prototype, name, { value: counting, configurable: true, writable: true });
        return () => Object.defineProperty(prototype, name, { value: method, configurable: true, writable: true });
      }),
  );
  try {
    run();
  } finally {
    for (const restore of spies) restore();
  }
  return work;
}

describe('an invalidation', () => {
  it('touches as many entries with 10,000 keys in memory as with 10', async () => {
    const work: Record<number, number[]> = {};
    for (const count of [10, 10_000]) {
      const { service, announce, clock } = await serviceWith(count);
      work[count] = [
        countWork(() => void service.invalidate({ keyId: keyOf(1) })),
        countWork(() => void service.invalidate({ orgCode: 'org_a' })),
        countWork(() => void service.invalidateAll()),
        countWork(() => announce([{ tag: `keyId:${keyOf(2)}`, atMs: clock.now() }])),
        countWork(() => void service.verifyCached(keyOf(3))),
      ];
    }
    expect(work[10_000]).toEqual(work[10]);
    for (const steps of work[10] ?? []) expect(steps).toBeGreaterThan(0);
  });

  it('costs the same for each of a thousand announcements', async () => {
    const { service, announce, clock } = await serviceWith(1_000);
    const announced = Array.from({ length: 1_000 }, (_, index) => ({
      tag: `keyId:${keyOf(index)}`,
      atMs: clock.now(),
    }));
    const one = countWork(() => announce(announced.slice(0, 1)));
    expect(countWork(() => announce(announced.slice(1)))).toBeLessThanOrEqual(999 * one);
    expect(service.verifyCached(keyOf(5))).toBeUndefined();
  });
});
