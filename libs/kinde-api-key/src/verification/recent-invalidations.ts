import type { Invalidation } from '../shared/shared-store.js';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import { tagsOf } from './invalidation.js';

/** Maximum number of invalidations in memory. When full, the one that was applied first is dropped. */
const MAX_INVALIDATIONS = 10_000;

interface AppliedInvalidation {
  /** Time of the invalidation, not later than the time at which it was applied. */
  readonly atMs: number;
  /** Time of the invalidation as it was received. */
  readonly receivedAtMs: number;
  readonly sequence: number;
}

/**
 * The latest invalidations, of this instance and of others. Applying one takes constant time: every cached or late answer about a key is
 * compared with them before it is used.
 */
export class RecentInvalidations {
  readonly #byTag = new Map<string, AppliedInvalidation>();
  /** Number of invalidations that were applied so far. Other classes only read it; a field, because each cache hit does. */
  sequence = 0;
  #droppedSequence = 0;

  /** @param skewMs maximum difference between the clocks of two instances, in milliseconds */
  constructor(private readonly skewMs: number) {}

  /**
   * Applies an invalidation, unless it or a later one of the same tag was applied before.
   *
   * @param invalidation a time in the future counts as `nowMs`
   * @param isOurs whether this instance invalidates the keys now; it is applied in any case
   * @returns whether it was applied
   */
  apply({ tag, atMs: receivedAtMs }: Invalidation, nowMs: number, isOurs = false): boolean {
    const known = this.#byTag.get(tag);
    const atMs = Math.min(receivedAtMs, nowMs);
    if (!isOurs && known && (known.receivedAtMs === receivedAtMs || known.atMs >= atMs)) return false;
    this.sequence += 1;
    this.#byTag.delete(tag);
    // The later time counts, also when the clock was set back meanwhile: entries may not have been compared with it yet.
    this.#byTag.set(tag, { atMs: Math.max(atMs, known?.atMs ?? atMs), receivedAtMs, sequence: this.sequence });
    const [first] = this.#byTag;
    if (first && this.#byTag.size > MAX_INVALIDATIONS) {
      this.#byTag.delete(first[0]);
      this.#droppedSequence = first[1].sequence;
    }
    return true;
  }

  /**
   * Returns whether the key was invalidated after a verify call was sent. It is `true` as well when the clocks are too imprecise to tell.
   *
   * @param sentAtMs when the call was sent, by the clock of this or another instance
   * @param since considers only invalidations after this {@link sequence}. If one of them was dropped, the result is `true`
   */
  isNewerThan(apiKey: VerifiedApiKey, sentAtMs: number, since?: number): boolean {
    if (since !== undefined && since < this.#droppedSequence) return true;
    return tagsOf(apiKey).some((tag) => {
      const applied = this.#byTag.get(tag);
      return applied !== undefined && applied.sequence > (since ?? 0) && sentAtMs <= applied.atMs + this.skewMs;
    });
  }
}
