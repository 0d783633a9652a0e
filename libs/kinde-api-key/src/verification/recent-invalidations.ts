import type { Invalidation } from '../shared/shared-store.js';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import { tagsOf } from './invalidation.js';

/** How many are remembered; the ones that were learned first make room. They matter for as long as a call to Kinde takes. */
const MAX_REMEMBERED = 10_000;

interface Learned {
  readonly atMs: number;
  /** As it was told. */
  readonly toldAtMs: number;
  /** Counts up with everything that is learned: says what was known when a call was sent. */
  readonly sequence: number;
}

/** What was invalidated lately, here or elsewhere, so that an answer which was on its way meanwhile cannot bring a key back. */
export class RecentInvalidations {
  readonly #learned = new Map<string, Learned>();
  readonly #skewMs: number;
  #sequence = 0;

  /** @param skewMs how far the clocks of those who invalidate and those who verify may be apart, in milliseconds */
  constructor(skewMs: number) {
    this.#skewMs = skewMs;
  }

  /** How much was learned so far. */
  get sequence(): number {
    return this.#sequence;
  }

  /**
   * @param invalidation one that is from the future counts as one of now
   * @param nowMs the time
   * @param isOurs it happens here and now, so it is news
   * @returns whether it is news
   */
  apply({ tag, atMs: toldAtMs }: Invalidation, nowMs: number, isOurs = false): boolean {
    const known = this.#learned.get(tag);
    const atMs = Math.min(toldAtMs, nowMs);
    if (!isOurs && known && (known.toldAtMs === toldAtMs || known.atMs >= atMs)) return false;
    this.#sequence += 1;
    this.#learned.delete(tag);
    this.#learned.set(tag, { atMs, toldAtMs, sequence: this.#sequence });
    if (this.#learned.size > MAX_REMEMBERED) this.#learned.delete(this.#learned.keys().next().value as string);
    return true;
  }

  /**
   * @param apiKey whose answer it is
   * @param sentAtMs when the call was sent, by this machine's clock or another's
   * @param since learned after this {@link sequence} only: what was known when a call of our own was sent cannot have overtaken it
   * @returns whether the key was invalidated after the call was sent, or so shortly before that nobody can tell
   */
  isNewerThan(apiKey: VerifiedApiKey, sentAtMs: number, since = 0): boolean {
    return tagsOf(apiKey).some((tag) => {
      const learned = this.#learned.get(tag);
      return learned !== undefined && learned.sequence > since && sentAtMs <= learned.atMs + this.#skewMs;
    });
  }
}
