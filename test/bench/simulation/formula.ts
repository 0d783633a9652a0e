/** Instances of an app, and their traffic. */
export interface Plan {
  readonly instances: number;
  readonly keys: number;
  /** Requests a second of all keys together. */
  readonly requestsPerSecond: number;
  /** How unevenly keys are used: the share of the n-th busiest key is proportional to n^-zipf. 0: evenly. */
  readonly zipf: number;
  readonly ttlMs: number;
  /** Whether the instances share a Redis. */
  readonly isShared: boolean;
}

/** What a plan costs. */
export interface Cost {
  readonly verifiesPerMinute: number;
  /** Share of requests that do not wait for Kinde. */
  readonly hitRatio: number;
}

/** Share of `ttlMs` after which the next request triggers a refresh. */
const REFRESH_AT = 0.8;
/** Default life of an M2M token. It is renewed after the same share of its life. */
const TOKEN_LIFE_DAYS = 1;

/** Returns the requests a second of each key, the busiest first. */
export function rates({ keys, requestsPerSecond, zipf }: Plan): number[] {
  const weights = Array.from({ length: keys }, (_, index) => (index + 1) ** -zipf);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => (weight / sum) * requestsPerSecond);
}

/**
 * Computes the cost of a plan in closed form. Requests arrive independently (Poisson), so each cache asks once in `0.8 ttl + 1 / rate`
 * seconds: the time without a refresh, and the wait for the next request. Without Redis, each instance has its own cache and its part
 * of the rate. A request waits for Kinde only if none arrived between 0.8 ttl and ttl.
 */
export function costOf(plan: Plan): Cost {
  const caches = plan.isShared ? 1 : plan.instances;
  const quietSeconds = (plan.ttlMs / 1_000) * REFRESH_AT;
  const graceSeconds = (plan.ttlMs / 1_000) * (1 - REFRESH_AT);
  let calls = 0;
  let waits = 0;
  for (const rate of rates(plan)) {
    const ratePerCache = rate / caches;
    const callsOfKey = caches / (quietSeconds + 1 / ratePerCache);
    calls += callsOfKey;
    waits += callsOfKey * Math.exp(-ratePerCache * graceSeconds);
  }
  return { verifiesPerMinute: calls * 60, hitRatio: 1 - waits / plan.requestsPerSecond };
}

/** Returns how many M2M tokens all instances together fetch in 30 days. */
export function mintsPerMonth({ instances, isShared }: Plan): number {
  return (30 / (TOKEN_LIFE_DAYS * REFRESH_AT)) * (isShared ? 1 : instances);
}
