import type { ApiKeyVerdictSource } from '../api-key/decision.js';
import type { AcceptedVerdict, RefusedVerdict, Verdict } from '../api-key/verdict.js';
import type { Clock } from '../clock.js';
import { KindeApiKeyUnavailableError } from '../kinde-api-key.errors.js';
import type { KeyVersion } from './key-version.js';
import type { RecentInvalidations } from './recent-invalidations.js';
import type { SharedVerdicts } from './shared-verdicts.js';
import type { VerdictCache } from './verdict-cache.js';

/** A verdict, and where it came from; `null` if that is not known. */
export interface SourcedVerdict {
  readonly verdict: Verdict;
  readonly source: ApiKeyVerdictSource | null;
}

/** Stores Kinde's verdicts in memory and in the shared store, and serves those in memory after a call that failed. */
export class VerdictStorage {
  constructor(
    private readonly cache: VerdictCache | undefined,
    private readonly shared: SharedVerdicts | null,
    private readonly invalidations: RecentInvalidations,
    private readonly clock: Clock,
  ) {}

  /**
   * Returns the verdict to serve after a failed call. An outage extends the age at which a key is still accepted, another failure does not.
   *
   * @throws the failure, if no verdict may be served
   */
  serveStale(digest: string, failure: unknown): SourcedVerdict {
    const isOutage = failure instanceof KindeApiKeyUnavailableError;
    const nowMs = this.clock.now();
    const entry = this.cache?.extendAfterFailure(digest, isOutage, nowMs);
    if (entry) return { verdict: entry.verdict, source: this.cache?.isStale(entry, nowMs) ? 'stale' : 'memory' };
    if (this.cache) void this.shared?.release(digest);
    throw failure;
  }

  /** Resolves once the other instances can find the verdict. */
  async storeAccepted(verdict: AcceptedVerdict, version: KeyVersion): Promise<void> {
    if (!this.cache) return;
    this.cache.storeAccepted(verdict.apiKey, version);
    const { digest, sentAtMs } = version;
    // Other instances cannot tell whether a call so close to an invalidation was sent before it.
    const isShareable = !this.invalidations.isNewerThan(verdict.apiKey, sentAtMs);
    await (isShareable ? this.shared?.share(digest, { verdict, sentAtMs }) : this.shared?.release(digest));
  }

  /** A refusal from before an invalidation is not cached. The accepted key is removed all the same. */
  async storeRefusal(verdict: RefusedVerdict, version: KeyVersion, sequence: number): Promise<void> {
    if (sequence === this.invalidations.sequence) this.cache?.storeRefusal(verdict, version);
    else this.cache?.removeOlder(version);
    if (this.cache) await this.shared?.takeBack(version.digest);
  }
}
