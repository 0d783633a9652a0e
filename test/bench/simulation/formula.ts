/** A fleet and its traffic. */
export interface FleetPlan {
  readonly instances: number;
  readonly keys: number;
  /** Of all keys together, in requests a second. */
  readonly requestsPerSecond: number;
  /** How unevenly keys are used: the n-th busiest has a share in proportion to n^-zipf. 0: all alike. */
  readonly zipf: number;
  readonly ttlMs: number;
  /** Whether the instances share what they know. */
  readonly isShared: boolean;
}

/** What a plan costs. */
export interface FleetCost {
  readonly verifiesPerMinute: number;
  /** The share of requests that do not wait for Kinde. */
  readonly hitRatio: number;
}

/** An answer is asked for anew at the first request after this share of its time to live. */
const REFRESH_AT = 0.8;
/** An M2M token lives for a day unless the application says otherwise, and is renewed after the same share of its life. */
const TOKEN_LIFE_DAYS = 1;

/** @returns the requests a second of each key, the busiest first */
export function rates({ keys, requestsPerSecond, zipf }: FleetPlan): number[] {
  const weights = Array.from({ length: keys }, (_, index) => (index + 1) ** -zipf);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => (weight / sum) * requestsPerSecond);
}

/**
 * The closed formula. Requests come independently of each other (Poisson), so whoever holds an answer asks again once in `0.8 ttl + 1 / rate`
 * seconds: the time for which nobody asks, and the wait for the next request. Without sharing every instance holds its own, at its part of
 * the rate. The one that asks makes its caller wait only if nobody came between 0.8 ttl and ttl.
 */
export function costOf(plan: FleetPlan): FleetCost {
  const holders = plan.isShared ? 1 : plan.instances;
  const quietSeconds = (plan.ttlMs / 1_000) * REFRESH_AT;
  const graceSeconds = (plan.ttlMs / 1_000) * (1 - REFRESH_AT);
  let calls = 0;
  let waits = 0;
  for (const rate of rates(plan)) {
    const perHolder = rate / holders;
    const callsOfKey = holders / (quietSeconds + 1 / perHolder);
    calls += callsOfKey;
    waits += callsOfKey * Math.exp(-perHolder * graceSeconds);
  }
  return { verifiesPerMinute: calls * 60, hitRatio: 1 - waits / plan.requestsPerSecond };
}

/** @returns how many M2M tokens a fleet that runs on mints in 30 days */
export function mintsPerMonth({ instances, isShared }: FleetPlan): number {
  return (30 / (TOKEN_LIFE_DAYS * REFRESH_AT)) * (isShared ? 1 : instances);
}
