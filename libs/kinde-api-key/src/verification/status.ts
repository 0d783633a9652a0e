import type { KindeHealth, KindeProblem } from '../kinde/health-log.js';
import type { SharedVerdicts } from './shared-verdicts.js';
import type { VerdictCache } from './verdict-cache.js';

/**
 * Why verification is not `up`:
 * - `kinde_unavailable`: the last verification ended without an answer of Kinde
 * - `kinde_throttled`: Kinde answered 429
 * - `circuit_open`: Kinde failed repeatedly and is not asked for a moment
 * - `misconfigured`: Kinde refuses the M2M application
 * - `stale_served`: keys are accepted by answers older than `cache.ttlMs`
 * - `shared_store_down`: the shared store does not answer
 */
export type ApiKeyStatusReason = KindeProblem | 'stale_served' | 'shared_store_down';

/** How well keys can be verified, as far as it is known without a call. Frozen. */
export interface ApiKeyVerificationStatus {
  /** `degraded`: something fails, and known keys are still accepted. `down`: Kinde cannot be asked, and no cached answer would be accepted. */
  readonly status: 'up' | 'degraded' | 'down';
  /** Empty if and only if the status is `up`. */
  readonly reasons: readonly ApiKeyStatusReason[];
  /** Age of the oldest cached answer that would be accepted now if Kinde does not answer, in milliseconds; `null` without one. */
  readonly oldestAcceptedAgeMs: number | null;
  /** Number of accepted keys in memory. */
  readonly cachedKeys: number;
  /** Whether calls to Kinde are held back after repeated failures. */
  readonly circuit: 'closed' | 'open';
  /** `null` without the option `shared`. */
  readonly sharedStore: 'up' | 'down' | null;
}

/** What a verifier that does not tell counts as. */
export const HEALTHY: KindeHealth = { problems: [], isRecent: false };

/**
 * Decides on the status. It is `down` only if Kinde cannot be asked and nothing is cached: then every request with a key gets 503. That lasts
 * for a minute after the last failure at most, because an instance that counts as down may get no request that would show the end.
 *
 * @param cache `undefined` if caching is off
 * @param shared `null` without a shared store
 */
export function statusOf(
  cache: Pick<VerdictCache, 'size' | 'ttlMs' | 'maxAcceptedAgeMs' | 'oldestAgeMs'> | undefined,
  kinde: KindeHealth,
  shared: Pick<SharedVerdicts, 'isDown'> | null,
  nowMs: number,
): ApiKeyVerificationStatus {
  // Answers beyond their time to live are served because of an outage only, and a misconfiguration is not one.
  const isBridged = !kinde.problems.includes('misconfigured');
  const oldestAcceptedAgeMs = cache?.oldestAgeMs(isBridged ? cache.maxAcceptedAgeMs : cache.ttlMs, nowMs) ?? null;
  const problems = oldestAcceptedAgeMs !== null || kinde.isRecent ? kinde.problems : [];
  const isStale = problems.length > 0 && cache !== undefined && (oldestAcceptedAgeMs ?? -1) >= cache.ttlMs;
  const sharedStore = shared && (shared.isDown ? 'down' : 'up');
  const reasons: readonly ApiKeyStatusReason[] = Object.freeze([
    ...problems,
    ...(isStale ? (['stale_served'] as const) : []),
    ...(sharedStore === 'down' ? (['shared_store_down'] as const) : []),
  ]);
  const isDown = problems.length > 0 && oldestAcceptedAgeMs === null;
  return Object.freeze({
    status: isDown ? 'down' : reasons.length > 0 ? 'degraded' : 'up',
    reasons,
    oldestAcceptedAgeMs: oldestAcceptedAgeMs === null ? null : Math.round(oldestAcceptedAgeMs),
    cachedKeys: cache?.size ?? 0,
    circuit: problems.includes('circuit_open') ? 'open' : 'closed',
    sharedStore,
  });
}
