import type { Tombstone } from '../shared/shared-store.js';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import { membersOf } from './invalidation.js';

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
export class Tombstones {
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
   * @param tombstone one that is from the future counts as one of now
   * @param nowMs the time
   * @param isOurs it happens here and now, so it is news
   * @returns whether it is news
   */
  learn({ member, atMs: toldAtMs }: Tombstone, nowMs: number, isOurs = false): boolean {
    const known = this.#learned.get(member);
    const atMs = Math.min(toldAtMs, nowMs);
    if (!isOurs && known && (known.toldAtMs === toldAtMs || known.atMs >= atMs)) return false;
    this.#sequence += 1;
    this.#learned.delete(member);
    this.#learned.set(member, { atMs, toldAtMs, sequence: this.#sequence });
    if (this.#learned.size > MAX_REMEMBERED) this.#learned.delete(this.#learned.keys().next().value as string);
    return true;
  }

  /**
   * @param apiKey whose answer it is
   * @param sentAtMs when the call was sent, by this machine's clock or another's
   * @param since learned after this {@link sequence} only: what was known when a call of our own was sent cannot have overtaken it
   * @returns whether the key was invalidated after the call was sent, or so shortly before that nobody can tell
   */
  overtakes(apiKey: VerifiedApiKey, sentAtMs: number, since = 0): boolean {
    return membersOf(apiKey).some((member) => {
      const learned = this.#learned.get(member);
      return learned !== undefined && learned.sequence > since && sentAtMs <= learned.atMs + this.#skewMs;
    });
  }
}
