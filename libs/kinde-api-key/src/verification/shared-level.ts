import type { Clock } from '../clock.js';
import type { Verdict } from '../api-key/verdict.js';
import { NONE } from '../slot-index.js';
import type { RecentInvalidations } from './recent-invalidations.js';
import type { VerdictCache } from './verdict-cache.js';
import type { SharedVerdict, SharedVerdicts } from './shared-verdicts.js';

/** While another instance asks about a key again, this one looks whether it is done, in milliseconds. */
const LOOK_AGAIN_MS = 1_000;

/** See {@link SharedLevel}. */
export interface SharedLevelParts {
  readonly sharing: SharedVerdicts;
  readonly cache: VerdictCache;
  readonly invalidations: RecentInvalidations;
  readonly clock: Clock;
  readonly ttlMs: number;
  readonly maxAcceptedAgeMs: number;
  /** From this age on an entry is asked about again, in milliseconds. */
  readonly refreshAtMs: number;
}

/** The second level behind the in-process cache: what other instances have found out. Ages count through both levels. */
export class SharedLevel {
  readonly #parts: SharedLevelParts;

  /** @param parts see {@link SharedLevelParts} */
  constructor(parts: SharedLevelParts) {
    this.#parts = parts;
  }

  /**
   * Adopts what the others know, with its age. What is too old to be served is kept all the same, for the case that Kinde is down.
   *
   * @returns a verdict that is young enough, or `undefined` where Kinde must be asked
   */
  async find(digest: string): Promise<Verdict | undefined> {
    const { sharing, cache, ttlMs, refreshAtMs } = this.#parts;
    const { keys } = cache;
    const isRefresh = this.#isYounger(digest, ttlMs);
    const found = await sharing.find(digest);
    if (found) this.#adopt(digest, found);
    if (found && this.#isYounger(digest, isRefresh ? refreshAtMs : ttlMs)) return this.#verdict(digest);
    if (!isRefresh || (await sharing.claimRefresh(digest)) || !this.#isYounger(digest, ttlMs)) return undefined;
    const slot = keys.find(digest);
    keys.serveUntil(slot, Math.min(this.#parts.clock.now() + LOOK_AGAIN_MS, keys.sentAtMs(slot) + ttlMs));
    return this.#verdict(digest);
  }

  #adopt(digest: string, { verdict, ...found }: SharedVerdict): void {
    const { cache, clock, invalidations, maxAcceptedAgeMs, refreshAtMs } = this.#parts;
    const nowMs = clock.now();
    // The other instance's clock may be a little ahead.
    const sentAtMs = Math.min(found.sentAtMs, nowMs);
    if (nowMs - sentAtMs >= maxAcceptedAgeMs || invalidations.isNewerThan(verdict.apiKey, found.sentAtMs)) return;
    cache.storeProven(digest, verdict.apiKey, { sentAtMs, callNo: 0 }, sentAtMs + refreshAtMs);
  }

  #verdict(digest: string): Verdict {
    const { keys } = this.#parts.cache;
    return { accepted: true, apiKey: keys.apiKey(keys.find(digest)) };
  }

  #isYounger(digest: string, ms: number): boolean {
    const { cache, clock } = this.#parts;
    const slot = cache.keys.find(digest);
    const ageMs = slot === NONE ? Infinity : clock.now() - cache.keys.sentAtMs(slot);
    return ageMs >= 0 && ageMs < ms;
  }
}
