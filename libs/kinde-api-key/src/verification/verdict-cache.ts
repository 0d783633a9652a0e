import { LRUCache } from 'lru-cache';
import type { AcceptedVerdict, RefusedVerdict } from '../kinde/verdict.js';
import type { VerifiedApiKey } from '../verified-api-key.js';

/** How much is remembered, and how long refusals are. */
export interface VerdictCacheOptions {
  readonly maxKeys: number;
  readonly maxRefusals: number;
  readonly negativeTtlMs: number;
}

/** An accepted key and the age of what is known about it. */
export interface ProvenEntry {
  readonly verdict: AcceptedVerdict;
  /** When the verify call was sent that this entry comes from. */
  readonly sentAtMs: number;
  /** Until then the entry is served without a thought; after it, it depends on the entry's age and on how Kinde is. */
  servedUntilMs: number;
  /** When asking again failed the last time because of an outage; `-Infinity` if it did not. */
  outageAtMs: number;
}

interface RefusalEntry {
  readonly verdict: RefusedVerdict;
  readonly sentAtMs: number;
}

/**
 * What Kinde said, by the digest of the raw key. Accepted keys and refusals have rooms of their own, so that no number of bad keys
 * evicts a good one. It remembers facts about keys, never decisions about requests.
 */
export class VerdictCache {
  readonly #proven: LRUCache<string, ProvenEntry>;
  readonly #refusals: LRUCache<string, RefusalEntry>;
  /** The digest under which a key id is known: a rotated key has the same id and another digest. */
  readonly #digests = new Map<string, string>();
  readonly #negativeTtlMs: number;

  constructor({ maxKeys, maxRefusals, negativeTtlMs }: VerdictCacheOptions) {
    this.#negativeTtlMs = negativeTtlMs;
    this.#refusals = new LRUCache({ max: maxRefusals });
    this.#proven = new LRUCache({
      max: maxKeys,
      dispose: ({ verdict }, digest) => {
        if (this.#digests.get(verdict.apiKey.keyId) === digest) this.#digests.delete(verdict.apiKey.keyId);
      },
    });
  }

  /** @returns what is known of an accepted key, however old */
  proven(digest: string): ProvenEntry | undefined {
    return this.#proven.get(digest);
  }

  /** @returns the refusal of a key, while it is young enough */
  refusal(digest: string, nowMs: number): RefusedVerdict | undefined {
    const entry = this.#refusals.get(digest);
    if (!entry) return undefined;
    const ageMs = nowMs - entry.sentAtMs;
    return ageMs >= 0 && ageMs < this.#negativeTtlMs ? entry.verdict : undefined;
  }

  /** Remembers an accepted key, and forgets the secret that it had before a rotation. */
  storeProven(digest: string, entry: ProvenEntry): void {
    const { keyId } = entry.verdict.apiKey;
    const earlierDigest = this.#digests.get(keyId);
    if (earlierDigest !== undefined && earlierDigest !== digest) {
      const earlier = this.#proven.peek(earlierDigest);
      if (earlier && earlier.sentAtMs > entry.sentAtMs) return;
      this.#proven.delete(earlierDigest);
    }
    this.#refusals.delete(digest);
    this.#proven.set(digest, entry);
    this.#digests.set(keyId, digest);
  }

  /** Remembers a refusal, and forgets that the key was accepted before. */
  storeRefusal(digest: string, verdict: RefusedVerdict, sentAtMs: number): void {
    this.#proven.delete(digest);
    if (this.#negativeTtlMs > 0) this.#refusals.set(digest, { verdict, sentAtMs });
  }

  forget(digest: string): void {
    this.#proven.delete(digest);
  }

  /** Forgets the accepted keys that match; one pass over all of them, as invalidations are rare. */
  forgetWhere(matches: (apiKey: VerifiedApiKey) => boolean): void {
    const digests: string[] = [];
    this.#proven.forEach(({ verdict }, digest) => {
      if (matches(verdict.apiKey)) digests.push(digest);
    });
    for (const digest of digests) this.#proven.delete(digest);
  }

  clear(): void {
    this.#proven.clear();
    this.#refusals.clear();
  }
}
