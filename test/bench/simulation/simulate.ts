import { ApiKeyVerificationService } from 'nestjs-kinde-api-key';
import { TestClock } from 'nestjs-kinde-api-key/testing';
import type { RawKey } from '../../../libs/kinde-api-key/src/api-key/raw-key.js';
import type { SharedVerdict, SharedVerdicts } from '../../../libs/kinde-api-key/src/verification/shared-verdicts.js';
import { rates, type FleetCost, type FleetPlan } from './formula.js';

const CACHE = { staleIfErrorMs: 240_000, negativeTtlMs: 10_000, maxKeys: 1_000_000, maxRefusals: 10 };

/**
 * Lets the library's own verification services answer the traffic of a plan on a clock that jumps from request to request, and counts what
 * they ask. Kinde answers at once, and what is shared is known at once.
 *
 * @param plan the fleet and its traffic
 * @param seconds how much time is counted, after as much as two times to live in which nothing is
 * @param seed the same gives the same traffic
 */
export async function simulate(plan: FleetPlan, seconds: number, seed = 1): Promise<FleetCost> {
  const clock = new TestClock(0);
  const random = randomOf(seed);
  const traffic = new Traffic(plan, random);
  let verifies = 0;
  const verify = async (key: RawKey) => {
    verifies += 1;
    return { verdict: verdictOf(key.reveal()), sentAtMs: clock.now() };
  };
  const known = new Map<string, SharedVerdict>();
  const services = Array.from(
    { length: plan.instances },
    () =>
      new ApiKeyVerificationService(
        { verify },
        { ...CACHE, ttlMs: plan.ttlMs },
        clock,
        plan.isShared ? sharingOver(known) : null,
      ),
  );
  const beginMs = plan.ttlMs * 2;
  const counted = { requests: 0, hits: 0, verifiesBefore: 0 };
  for (let nowMs = 0; nowMs < beginMs + seconds * 1_000; nowMs += traffic.pauseMs()) {
    clock.set(nowMs);
    const service = services[Math.floor(random() * services.length)] as ApiKeyVerificationService;
    const rawKey = traffic.nextKey();
    if (nowMs < beginMs) counted.verifiesBefore = verifies;
    const verifiesAtFirst = verifies;
    const remembered = service.verifyCached(rawKey);
    if (!remembered) await service.verify(rawKey);
    // What another instance knows is waited for as well, but for a millisecond.
    const isHit = remembered !== undefined || verifies === verifiesAtFirst;
    // A refresh in the background may be under way.
    await new Promise((resolve) => setImmediate(resolve));
    if (nowMs < beginMs) continue;
    counted.requests += 1;
    if (isHit) counted.hits += 1;
  }
  return {
    verifiesPerMinute: ((verifies - counted.verifiesBefore) / seconds) * 60,
    hitRatio: counted.hits / counted.requests,
  };
}

/** Who comes when. */
class Traffic {
  readonly #cumulated: number[] = [];
  readonly #total: number;

  constructor(
    plan: FleetPlan,
    private readonly random: () => number,
  ) {
    let sum = 0;
    for (const rate of rates(plan)) this.#cumulated.push((sum += rate));
    this.#total = sum;
  }

  pauseMs(): number {
    return (-Math.log(1 - this.random()) / this.#total) * 1_000;
  }

  nextKey(): string {
    const wanted = this.random() * this.#total;
    let [low, high] = [0, this.#cumulated.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#cumulated[middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return `k_live_simulated_${low}`;
  }
}

function verdictOf(rawKey: string) {
  const apiKey = { keyId: rawKey, scopes: [], orgCode: null, userId: null, lastVerifiedOn: null, verificationCount: 1 };
  return { accepted: true, apiKey: { ...apiKey, ownerType: 'environment' } } as const;
}

/** Everything is known to everybody at once. */
function sharingOver(known: Map<string, SharedVerdict>): SharedVerdicts {
  return {
    find: async (digest) => known.get(digest),
    claimRefresh: async () => true,
    invalidationsOf: async () => [],
    share: async (digest, shared) => void known.set(digest, shared),
    takeBack: async (digest) => void known.delete(digest),
    publish: async () => undefined,
    onInvalidations: () => undefined,
  };
}

/** Numbers from 0 to 1, always the same ones for a seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
