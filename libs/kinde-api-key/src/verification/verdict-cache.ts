import { LRUCache } from 'lru-cache';
import type { RefusedVerdict } from '../api-key/verdict.js';
import { NONE } from '../slot-index.js';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import { KeyTable, type Call, type Secret } from './key-table.js';
import { ScopeLists } from './scope-lists.js';

/** How much is remembered, and how long refusals are. */
export interface VerdictCacheOptions {
  readonly maxKeys: number;
  readonly maxRefusals: number;
  readonly negativeTtlMs: number;
}

interface RefusalEntry extends Call {
  readonly verdict: RefusedVerdict;
}

/**
 * What Kinde said, by the digest of the raw key. Accepted keys and refusals have rooms of their own, so that no number of bad keys
 * evicts a good one. It remembers facts about keys, never decisions about requests.
 */
export class VerdictCache {
  /** The accepted keys, with the age of what is known about them. */
  readonly keys: KeyTable;
  readonly #refusals: LRUCache<string, RefusalEntry>;
  /** The newest secret that Kinde has accepted of a key (a rotated key keeps its id), where the table does not say it: so a late answer about an earlier secret finds out that it is one. */
  #newest: LRUCache<string, Secret> | undefined;
  /** When asking again about a key failed the last time because of an outage. */
  readonly #outagesAtMs = new WeakMap<VerifiedApiKey, number>();
  readonly #scopeLists = new ScopeLists();
  readonly #maxKeys: number;
  readonly #negativeTtlMs: number;

  constructor({ maxKeys, maxRefusals, negativeTtlMs }: VerdictCacheOptions) {
    this.#maxKeys = maxKeys;
    this.#negativeTtlMs = negativeTtlMs;
    this.#refusals = new LRUCache({ max: maxRefusals });
    this.keys = new KeyTable(maxKeys, ({ keyId }, secret) => {
      if (!this.#newest?.has(keyId)) this.#noteNewest(keyId, secret);
    });
  }

  /** @returns the slot of an accepted key in {@link keys}, however old, or `NONE`; counts as a use */
  proven(digest: string): number {
    const slot = this.keys.find(digest);
    if (slot !== NONE) this.keys.use(slot);
    return slot;
  }

  /** @returns the refusal of a key, while it is young enough */
  refusal(digest: string, nowMs: number): RefusedVerdict | undefined {
    const entry = this.#refusals.get(digest);
    if (!entry) return undefined;
    const ageMs = nowMs - entry.sentAtMs;
    return ageMs >= 0 && ageMs < this.#negativeTtlMs ? entry.verdict : undefined;
  }

  /** Remembers an accepted key, unless a later call accepted or refused it, or accepted a newer secret of it. */
  storeProven(digest: string, apiKey: VerifiedApiKey, call: Call, servedUntilMs: number): void {
    const { keyId } = apiKey;
    const slot = this.keys.find(digest);
    if (slot !== NONE && isYounger(this.keys.secret(slot), call)) return;
    const refusal = this.#refusals.peek(digest);
    if (refusal && isYounger(refusal, call)) return;
    if (!this.#supersede(digest, keyId, call)) return;
    this.#refusals.delete(digest);
    const scopes = this.#scopeLists.share(apiKey.scopes);
    this.keys.put(digest, Object.freeze({ ...apiKey, scopes }), call, servedUntilMs);
    // The table has it now.
    this.#newest?.delete(keyId);
  }

  /** Notes an accepted secret without making the key known, and forgets the one that it had before a rotation. */
  noteSecret(digest: string, keyId: string, { sentAtMs, callNo }: Call): void {
    if (this.#supersede(digest, keyId, { sentAtMs, callNo })) this.#noteNewest(keyId, { digest, sentAtMs, callNo });
  }

  /**
   * Remembers a refusal, and forgets that the key was accepted before, unless a later call accepted it. Also where refusals are not served:
   * so an earlier call that accepted the key and is answered late finds out that it is over.
   */
  storeRefusal(digest: string, verdict: RefusedVerdict, { sentAtMs, callNo }: Call): void {
    this.forgetOlder(digest, { sentAtMs, callNo });
    const known = this.#refusals.peek(digest);
    if (this.keys.find(digest) !== NONE || (known && isYounger(known, { sentAtMs, callNo }))) return;
    this.#refusals.set(digest, { verdict, sentAtMs, callNo });
  }

  /** Forgets an accepted key unless it was accepted by a later call. */
  forgetOlder(digest: string, call: Call): void {
    const slot = this.keys.find(digest);
    if (slot !== NONE && !isYounger(this.keys.secret(slot), call)) this.keys.remove(slot);
  }

  /** Forgets the accepted keys that match; one pass over all of them, as invalidations are rare. */
  forgetWhere(matches: (apiKey: VerifiedApiKey, sentAtMs: number) => boolean): void {
    for (const slot of this.keys.slots())
      if (matches(this.keys.apiKey(slot), this.keys.sentAtMs(slot))) this.keys.remove(slot);
  }

  /** @returns when asking again failed the last time because of an outage; `-Infinity` if it did not */
  outageAtMs(slot: number): number {
    return this.#outagesAtMs.get(this.keys.apiKey(slot)) ?? -Infinity;
  }

  noteOutage(slot: number, atMs: number): void {
    this.#outagesAtMs.set(this.keys.apiKey(slot), atMs);
  }

  forgetRefusals(): void {
    this.#refusals.clear();
  }

  /** Forgets the secret that a key had before a rotation. @returns whether this is the key's newest secret */
  #supersede(digest: string, keyId: string, call: Call): boolean {
    const slot = this.keys.findById(keyId);
    const newest = this.#newest?.get(keyId) ?? (slot === NONE ? undefined : this.keys.secret(slot));
    if (newest && newest.digest !== digest && isYounger(newest, call)) return false;
    if (slot !== NONE && this.keys.digest(slot) !== digest) this.keys.remove(slot);
    return true;
  }

  /** Made when it is needed: its tables have their full length from the start. */
  #noteNewest(keyId: string, secret: Secret): void {
    this.#newest ??= new LRUCache({ max: this.#maxKeys });
    this.#newest.set(keyId, secret);
  }
}

function isYounger(one: Call, other: Call): boolean {
  return one.sentAtMs > other.sentAtMs || (one.sentAtMs === other.sentAtMs && one.callNo > other.callNo);
}
