import type { Clock } from '../clock.js';
import { pause } from '../kinde/limits/deadline.js';
import type { RecentInvalidations } from './recent-invalidations.js';
import type { SharedVerdict, SharedVerdicts } from './shared-verdicts.js';
import { REFRESH_AT, type CacheEntry, type VerdictCache } from './verdict-cache.js';

/** While another instance refreshes a key, this one looks for the result after this time, in milliseconds. */
const LOOK_AGAIN_MS = 1_000;
/** While another instance verifies a key, this one looks for the result after this time, then after twice that, and so on, in milliseconds. */
const FIRST_PAUSE_MS = 20;

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
    const entry = await this.#look(digest, isRefresh ? ttlMs * REFRESH_AT : ttlMs);
    if (entry) return entry;
    if (!isRefresh) return this.#claimOrWait(digest);
    if (await this.shared.claim(digest)) return undefined;
    const cached = this.#entryWithin(ttlMs, digest);
    if (cached) cached.freshUntilMs = Math.min(this.clock.now() + LOOK_AGAIN_MS, cached.sentAtMs + ttlMs);
    return cached;
  }

  /** Waits while another instance asks about a key: until its verdict is there, the claim is free, or the time is up. */
  async #claimOrWait(digest: string): Promise<CacheEntry | undefined> {
    const endsAtMs = performance.now() + this.shared.maxWaitMs;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
      // Claims first: an instance that had the claim before has shared its verdict by then.
      const [isClaimed, entry] = await Promise.all([this.shared.claim(digest), this.#look(digest, this.cache.ttlMs)]);
      if (isClaimed && entry) void this.shared.release(digest);
      const leftMs = endsAtMs - performance.now();
      if (isClaimed || entry || leftMs <= 0) return entry;
      await pause(Math.min(pauseMs, leftMs));
    }
  }

  /** Caches the verdict in the shared store, and returns the cached entry if it is young enough. */
  async #look(digest: string, maxAgeMs: number): Promise<CacheEntry | undefined> {
    const found = await this.shared.find(digest);
    if (found) this.#store(digest, found);
    return found && this.#entryWithin(maxAgeMs, digest);
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
