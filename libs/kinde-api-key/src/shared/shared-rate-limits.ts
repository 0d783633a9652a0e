import type { RateDecision, RateLimitStore } from '../rate-limit/rate-limit-store.js';
import type { SharedSecrets } from './shared-secrets.js';
import type { SharedSession } from './shared-store.js';

/** `Retry-After` of a request that is refused because the store could not count it. */
const UNCOUNTED_RETRY_MS = 5_000;

/** Counts the requests of all instances together, in the shared store and by its time. */
export class SharedRateLimits implements RateLimitStore {
  /** @param local counts while the shared store cannot be reached. If it is `undefined`, requests are refused meanwhile */
  constructor(
    private readonly session: SharedSession,
    private readonly secrets: SharedSecrets,
    private readonly local: RateLimitStore | undefined,
  ) {}

  /** Decides about one request, see {@link RateLimitStore}. Does not reject because of the shared store. */
  async take(scope: string, keyId: string, limit: number, windowMs: number): Promise<RateDecision> {
    const bucket = this.secrets.bucketName(`${scope} ${keyId}`, windowMs);
    try {
      return { ...(await this.session.take(bucket, limit, windowMs)), limit };
    } catch {
      if (this.local) return this.local.take(scope, keyId, limit, windowMs);
      return { accepted: false, limit, remaining: 0, resetAfterMs: Math.min(UNCOUNTED_RETRY_MS, windowMs) };
    }
  }
}
