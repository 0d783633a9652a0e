import type { SharedRate, SharedSession } from './shared-store.js';
import type { SharedSecrets } from './shared-secrets.js';

/** How soon a client may try again that was refused because nobody could count. */
const UNCOUNTED_RETRY_MS = 5_000;

/** A decision as the rate limiter takes it. */
export interface SharedRateDecision extends SharedRate {
  readonly limit: number;
}

/** Counts in this process: what is fallen back to. */
export interface LocalRates {
  take(scope: string, keyId: string, limit: number, windowMs: number): SharedRateDecision | Promise<SharedRateDecision>;
}

/** See {@link SharedRateLimits}. */
export interface SharedRateLimitsParts {
  readonly session: SharedSession;
  readonly keys: SharedSecrets;
  readonly local: LocalRates;
  /** What becomes of requests while the store is out of reach: counted by this instance alone, or refused. */
  readonly onOutage: 'local' | 'refuse';
}

/** One limit for each key over the whole fleet: counted in the shared store, by the store's own time. */
export class SharedRateLimits {
  readonly #parts: SharedRateLimitsParts;

  /** @param parts see {@link SharedRateLimitsParts} */
  constructor(parts: SharedRateLimitsParts) {
    this.#parts = parts;
  }

  /**
   * @param scope what is counted together
   * @param keyId whose requests are counted there
   * @param limit how many requests are accepted in any window
   * @param windowMs length of the window in milliseconds
   * @returns the decision; it never rejects because of the store
   */
  async take(scope: string, keyId: string, limit: number, windowMs: number): Promise<SharedRateDecision> {
    const { session, keys, local, onOutage } = this.#parts;
    try {
      return { ...(await session.take(keys.bucketName(`${scope} ${keyId}`, windowMs), limit, windowMs)), limit };
    } catch {
      return onOutage === 'local'
        ? local.take(scope, keyId, limit, windowMs)
        : { accepted: false, limit, remaining: 0, resetAfterMs: Math.min(UNCOUNTED_RETRY_MS, windowMs) };
    }
  }
}
