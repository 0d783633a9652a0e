import { ApiKeyVerificationService } from 'nestjs-kinde-api-key';
import { TestClock } from 'nestjs-kinde-api-key/testing';
import type { RawKey } from '../../../libs/kinde-api-key/src/api-key/raw-key.js';
import type { SharedVerdict, SharedVerdicts } from '../../../libs/kinde-api-key/src/verification/shared-verdicts.js';
import { rates, type Cost, type Plan } from './formula.js';

const CACHE = { staleIfErrorMs: 240_000, negativeTtlMs: 10_000, maxKeys: 1_000_000, maxRefusals: 10 };

/**
 * Runs the traffic of a plan through the library's own verification services, on a clock that jumps from request to request, and
 * counts their calls. Kinde and Redis answer without delay.
 *
 * @param seconds how long calls are counted, after a warm-up of two `ttlMs`
 * @param seed of the traffic: the same seed gives the same traffic
 */
export async function simulate(plan: Plan, seconds: number, seed = 1): Promise<Cost> {
  const clock = new TestClock(0);
  const random = randomOf(seed);
  const traffic = new Traffic(plan, random);
  let verifies = 0;
  const verify = async (key: RawKey) => {
    verifies += 1;
    return { verdict: verdictOf(key.reveal()), sentAtMs: clock.now() };
  };
  const stored = new Map<string, SharedVerdict>();
  const services = Array.from(
    { length: plan.instances },
    () =>
      new ApiKeyVerificationService(
        { verify },
        { ...CACHE, ttlMs: plan.ttlMs },
        clock,
        plan.isShared ? sharedOver(stored) : null,
      ),
  );
  const warmUpMs = plan.ttlMs * 2;
  const counted = { requests: 0, hits: 0, verifiesBefore: 0 };
  for (let nowMs = 0; nowMs < warmUpMs + seconds * 1_000; nowMs += traffic.pauseMs()) {
    clock.set(nowMs);
    const service = services[Math.floor(random() * services.length)] as ApiKeyVerificationService;
    const rawKey = traffic.nextKey();
    if (nowMs < warmUpMs) counted.verifiesBefore = verifies;
    const verifiesBefore = verifies;
    const cached = service.verifyCached(rawKey);
    if (!cached) await service.verify(rawKey);
    // A verdict in Redis takes a millisecond: it counts as a hit.
    const isHit = cached !== undefined || verifies === verifiesBefore;
    // Lets a refresh in the background finish.
    await new Promise((resolve) => setImmediate(resolve));
    if (nowMs < warmUpMs) continue;
    counted.requests += 1;
    if (isHit) counted.hits += 1;
  }
  return {
    verifiesPerMinute: ((verifies - counted.verifiesBefore) / seconds) * 60,
    hitRatio: counted.hits / counted.requests,
  };
}

/** Chooses the next key, and the pause before it. */
class Traffic {
  readonly #cumulative: number[] = [];
  readonly #total: number;

  constructor(
    plan: Plan,
    private readonly random: () => number,
  ) {
    let sum = 0;
    for (const rate of rates(plan)) this.#cumulative.push((sum += rate));
    this.#total = sum;
  }

  pauseMs(): number {
    return (-Math.log(1 - this.random()) / this.#total) * 1_000;
  }

  nextKey(): string {
    const target = this.random() * this.#total;
    let [low, high] = [0, this.#cumulative.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#cumulative[middle] ?? 0) < target) low = middle + 1;
      else high = middle;
    }
    return `k_live_simulated_${low}`;
  }
}

function verdictOf(rawKey: string) {
  const apiKey = { keyId: rawKey, scopes: [], orgCode: null, userId: null, lastVerifiedOn: null, verificationCount: 1 };
  return { accepted: true, apiKey: { ...apiKey, ownerType: 'environment' } } as const;
}

/** A shared store without delay. */
function sharedOver(stored: Map<string, SharedVerdict>): SharedVerdicts {
  return {
    find: async (digest) => stored.get(digest),
    maxWaitMs: 0,
    claim: async () => true,
    release: async () => undefined,
    invalidationsOf: async () => [],
    share: async (digest, shared) => void stored.set(digest, shared),
    takeBack: async (digest) => void stored.delete(digest),
    publish: async () => undefined,
    onInvalidations: () => undefined,
  };
}

/** Returns a generator of numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
