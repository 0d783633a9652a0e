import type { Clock } from '../clock.js';
import type { RecentInvalidations } from './recent-invalidations.js';
import type { SharedVerdict, SharedVerdicts } from './shared-verdicts.js';
import { REFRESH_AT, type CacheEntry, type VerdictCache } from './verdict-cache.js';

/** While another instance refreshes a key, this one looks for the result after this time, in milliseconds. */
const LOOK_AGAIN_MS = 1_000;

/** Looks for a verdict of another instance before Kinde is asked, and caches it with its age. */
export class SharedLookup {
  constructor(
    private readonly shared: SharedVerdicts,
    private readonly cache: VerdictCache,
    private readonly invalidations: RecentInvalidations,
    private readonly clock: Clock,
  ) {}

  /** Returns the entry to serve, or `undefined` if this instance must ask Kinde. */
  async find(digest: string): Promise<CacheEntry | undefined> {
    const { ttlMs } = this.cache;
    const isRefresh = this.#entryWithin(ttlMs, digest) !== undefined;
    const found = await this.shared.find(digest);
    if (found) this.#store(digest, found);
    const entry = found && this.#entryWithin(isRefresh ? ttlMs * REFRESH_AT : ttlMs, digest);
    if (entry || !isRefresh || (await this.shared.claimRefresh(digest))) return entry;
    const cached = this.#entryWithin(ttlMs, digest);
    if (cached) cached.freshUntilMs = Math.min(this.clock.now() + LOOK_AGAIN_MS, cached.sentAtMs + ttlMs);
    return cached;
  }

  /** Stores a verdict that is too old to be served as well: it may be served during an outage. */
  #store(digest: string, { verdict: { apiKey }, sentAtMs }: SharedVerdict): void {
    const nowMs = this.clock.now();
    if (nowMs - sentAtMs >= this.cache.maxAcceptedAgeMs || this.invalidations.isNewerThan(apiKey, sentAtMs)) return;
    // The clock of the other instance may be ahead.
    this.cache.storeAccepted(apiKey, { digest, sentAtMs: Math.min(sentAtMs, nowMs), callNo: 0 });
  }

  #entryWithin(maxAgeMs: number, digest: string): CacheEntry | undefined {
    return this.cache.acceptedWithin(maxAgeMs, digest, this.clock.now());
  }
}
