import { randomBytes } from 'node:crypto';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import type { Clock } from '../clock.js';
import { EVERY_KEY, tagsOf } from '../verification/invalidation.js';
import type { SharedVerdict, SharedVerdicts } from '../verification/shared-verdicts.js';
import { openVerdict, sealVerdict } from './sealed-verdict.js';
import type { SharedSecrets } from './shared-secrets.js';
import { MAX_SKEW_MS, type Invalidation, type SharedSession } from './shared-store.js';

/** Life of the claim to ask Kinde about a key. If the instance dies, another one takes over after this time. */
const CLAIM_MS = 5_000;
/** Maximum number of invalidations that wait for the store. When full, one for every key replaces them. */
const MAX_PENDING = 1_000;

/** Verdicts and invalidations in the shared store. Verdicts are sealed, and expire as early as those in memory. */
export class SharedVerdictStore implements SharedVerdicts {
  readonly #owner = randomBytes(16).toString('hex');
  /** Invalidations that could not be published yet: tag to time. */
  readonly #pending = new Map<string, number>();
  /** Applies invalidations to the cache. */
  apply: (invalidations: readonly Invalidation[]) => void = () => undefined;
  #caughtUpToMs: number;

  /**
   * @param maxAcceptedAgeMs how long a verdict is kept, in milliseconds. 0 stores none
   * @param maxWaitMs see {@link SharedVerdicts}
   */
  constructor(
    private readonly session: SharedSession,
    private readonly secrets: SharedSecrets,
    private readonly clock: Clock,
    private readonly maxAcceptedAgeMs: number,
    readonly maxWaitMs: number,
  ) {
    this.#caughtUpToMs = clock.now();
  }

  get isDown(): boolean {
    return this.session.isDown ?? false;
  }

  async find(digest: string): Promise<SharedVerdict | undefined> {
    const name = this.secrets.verdictName(digest);
    try {
      const sealed = await this.session.read(name);
      const found = sealed === undefined ? undefined : openVerdict(this.secrets, name, sealed);
      if (!found || found.sentAtMs > this.clock.now() + MAX_SKEW_MS) return undefined;
      const invalidations = await this.session.invalidationsOf(tagsOf(found.verdict.apiKey));
      return invalidations.some(({ atMs }) => found.sentAtMs <= atMs + MAX_SKEW_MS) ? undefined : found;
    } catch {
      return undefined;
    }
  }

  async claim(digest: string): Promise<boolean> {
    return this.session.acquire(this.#claimName(digest), this.#owner, CLAIM_MS).catch(() => true);
  }

  async release(digest: string): Promise<void> {
    await this.session.release(this.#claimName(digest), this.#owner).catch(() => undefined);
  }

  async invalidationsOf(apiKey: VerifiedApiKey): Promise<readonly Invalidation[]> {
    return this.session.invalidationsOf(tagsOf(apiKey)).catch(() => []);
  }

  async share(digest: string, shared: SharedVerdict): Promise<void> {
    const name = this.secrets.verdictName(digest);
    const sealed = sealVerdict(this.secrets, name, shared);
    const ttlMs = Math.floor(shared.sentAtMs + this.maxAcceptedAgeMs - this.clock.now());
    if (sealed !== undefined && ttlMs >= 1) await this.session.write(name, sealed, ttlMs).catch(() => undefined);
    await this.release(digest);
  }

  async takeBack(digest: string): Promise<void> {
    const removed = this.session.remove(this.secrets.verdictName(digest)).catch(() => undefined);
    await Promise.all([removed, this.release(digest)]);
  }

  async publish(invalidation: Invalidation): Promise<void> {
    try {
      await this.session.publish(invalidation);
    } catch {
      this.#pending.set(invalidation.tag, invalidation.atMs);
      if (this.#pending.size <= MAX_PENDING) return;
      this.#pending.clear();
      this.#pending.set(EVERY_KEY, invalidation.atMs);
    }
  }

  onInvalidations(apply: (invalidations: readonly Invalidation[]) => void): void {
    this.apply = apply;
  }

  /** Applies the invalidations stored since the last time, then publishes the pending ones. Never rejects. */
  async catchUp(): Promise<void> {
    const nowMs = this.clock.now();
    try {
      // Not from a later time: the clock may have been set back.
      const sinceMs = Math.min(this.#caughtUpToMs, nowMs) - 2 * MAX_SKEW_MS;
      this.apply(await this.session.invalidationsSince(Math.floor(sinceMs)));
      this.#caughtUpToMs = nowMs;
      for (const [tag, atMs] of this.#pending) {
        await this.session.publish({ tag, atMs });
        // A later one of the same tag may have become pending meanwhile.
        if (this.#pending.get(tag) === atMs) this.#pending.delete(tag);
      }
    } catch {
      // The next catch-up tries again.
    }
  }

  #claimName(digest: string): string {
    return `${this.secrets.verdictName(digest)}:claim`;
  }
}
