import { LRUCache } from 'lru-cache';
import type { AcceptedVerdict, RefusedVerdict } from '../api-key/verdict.js';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import type { ResolvedCacheOptions } from '../config/resolved-options.js';
import { isNewer, type KeyVersion } from './key-version.js';
import type { RecentInvalidations } from './recent-invalidations.js';
import { ScopeLists } from './scope-lists.js';

/** Share of the time to live after which a key in use is refreshed in the background. */
export const REFRESH_AT = 0.8;
/** After a failed refresh a key is refreshed again after this time, in milliseconds. */
const RETRY_REFRESH_MS = 1_000;
/** After an outage a key is served without waiting for Kinde for this time, in milliseconds. */
const OUTAGE_MS = 10_000;
/** Maximum number of entries that a status looks at. */
const MAX_LOOKED_AT = 1_000;
/** Maximum number of {@link KeyVersion}s without an entry. They matter while a verify call that was sent before them is in flight. */
const MAX_VERSIONS = 10_000;

/** An accepted key. */
export interface CacheEntry extends KeyVersion {
  /** Frozen, and the same object for every request. */
  readonly verdict: AcceptedVerdict;
  /** Until then the entry is served without further checks. */
  freshUntilMs: number;
  /** Until then the entry is served while Kinde is asked in the background. After that, the request waits for Kinde. */
  usableUntilMs: number;
  /** The entry was compared with the invalidations up to this sequence. */
  checkedSequence: number;
}

interface RefusalEntry extends KeyVersion {
  readonly verdict: RefusedVerdict;
  /** Sequence of the invalidations when it was stored. Any later one ends it: what was invalidated is unknown for a refused key. */
  readonly sequence: number;
}

/** Kinde's verdicts, by digest. Refusals are cached separately, so that bad keys cannot evict good ones. */
export class VerdictCache {
  /** Maximum age of an accepted key at any time, in milliseconds. */
  readonly maxAcceptedAgeMs: number;
  readonly ttlMs: number;
  readonly #entries: LRUCache<string, CacheEntry>;
  readonly #byKeyId = new Map<string, CacheEntry>();
  /** The newest version of a key, by key id, unless it is the one in {@link #entries}. */
  readonly #newestVersions = boundedCache<KeyVersion>(MAX_VERSIONS);
  readonly #refusals: LRUCache<string, RefusalEntry>;
  readonly #scopeLists = new ScopeLists();

  /** @param invalidations compared with each entry before it is used */
  constructor(
    private readonly options: ResolvedCacheOptions,
    private readonly invalidations: RecentInvalidations,
  ) {
    this.maxAcceptedAgeMs = options.ttlMs + options.staleIfErrorMs;
    this.ttlMs = options.ttlMs;
    this.#refusals = boundedCache(options.maxRefusals);
    this.#entries = boundedCache(options.maxKeys, (entry) => this.#recordRemoval(entry));
  }

  /** Returns the entry of an accepted key if it may be served, at least during an outage. Counts as a use. */
  accepted(digest: string, nowMs: number): CacheEntry | undefined {
    const entry = this.#entries.get(digest);
    if (!entry) return undefined;
    const ageMs = nowMs - entry.sentAtMs;
    const isInTime = ageMs >= 0 && ageMs < this.maxAcceptedAgeMs;
    // Compared here, not in #isValid(): most hits need no further call.
    if (isInTime && (entry.checkedSequence === this.invalidations.sequence || this.#isValid(entry))) return entry;
    this.#entries.delete(digest);
    return undefined;
  }

  /** Returns the entry of an accepted key if its age is in `[0, maxAgeMs)`. Does not count as a use. */
  acceptedWithin(maxAgeMs: number, digest: string, nowMs: number): CacheEntry | undefined {
    const entry = this.#entries.peek(digest);
    const ageMs = entry ? nowMs - entry.sentAtMs : -1;
    return entry && ageMs >= 0 && ageMs < maxAgeMs && this.#isValid(entry) ? entry : undefined;
  }

  /** Returns the refusal of a key until its `negativeTtlMs` is over or anything is invalidated. */
  refusal(digest: string, nowMs: number): RefusedVerdict | undefined {
    const entry = this.#refusals.get(digest);
    if (entry?.sequence !== this.invalidations.sequence) return undefined;
    const ageMs = nowMs - entry.sentAtMs;
    return ageMs >= 0 && ageMs < this.options.negativeTtlMs ? entry.verdict : undefined;
  }

  /** Stores an accepted key, unless a later call answered about it or about a newer version. */
  storeAccepted(apiKey: VerifiedApiKey, version: KeyVersion): void {
    const { digest, sentAtMs, callNo } = version;
    if (this.#isOutdated(version) || !this.#replaceVersion(apiKey.keyId, version)) return;
    const scopes = this.#scopeLists.share(apiKey.scopes);
    const entry: CacheEntry = {
      verdict: Object.freeze({ accepted: true, apiKey: Object.freeze({ ...apiKey, scopes }) }),
      digest,
      sentAtMs,
      callNo,
      freshUntilMs: sentAtMs + this.ttlMs * REFRESH_AT,
      usableUntilMs: sentAtMs + this.ttlMs,
      checkedSequence: this.invalidations.sequence,
    };
    this.#refusals.delete(digest);
    this.#entries.set(digest, entry);
    this.#byKeyId.set(apiKey.keyId, entry);
    this.#newestVersions.delete(apiKey.keyId);
  }

  /**
   * Stores a refusal and removes the accepted key, unless a later call answered about the key. With `negativeTtlMs: 0` it is stored as well:
   * the late answer to an earlier call must not be accepted.
   */
  storeRefusal(verdict: RefusedVerdict, version: KeyVersion): void {
    this.removeOlder(version);
    if (!this.#isOutdated(version))
      this.#refusals.set(version.digest, { ...version, verdict, sequence: this.invalidations.sequence });
  }

  /** Removes an accepted key, unless a later call accepted it. */
  removeOlder(version: KeyVersion): void {
    const entry = this.#entries.peek(version.digest);
    if (entry && !isNewer(entry, version)) this.#entries.delete(version.digest);
  }

  /** Records a version of a key without caching it, and removes the entry of an earlier version. */
  noteRotation(keyId: string, version: KeyVersion): void {
    if (this.#replaceVersion(keyId, version)) this.#newestVersions.set(keyId, version);
  }

  /** Returns the entry to serve after a failed call, and delays its refresh. An outage extends its age to {@link maxAcceptedAgeMs}. */
  extendAfterFailure(digest: string, isOutage: boolean, nowMs: number): CacheEntry | undefined {
    const maxAgeMs = isOutage ? this.maxAcceptedAgeMs : this.ttlMs;
    const entry = this.acceptedWithin(maxAgeMs, digest, nowMs);
    if (!entry) return undefined;
    entry.freshUntilMs = Math.min(nowMs + RETRY_REFRESH_MS, entry.sentAtMs + maxAgeMs);
    if (isOutage) entry.usableUntilMs = Math.max(entry.usableUntilMs, nowMs + OUTAGE_MS);
    return entry;
  }

  /** Returns the entry that holds this very verified key. */
  entryOf(apiKey: VerifiedApiKey): CacheEntry | undefined {
    const entry = this.#byKeyId.get(apiKey.keyId);
    return entry?.verdict.apiKey === apiKey ? entry : undefined;
  }

  /** Number of accepted keys, expired ones included until they are used or evicted. */
  get size(): number {
    return this.#entries.size;
  }

  /** Returns the age of the oldest entry younger than `maxAgeMs`, among the {@link MAX_LOOKED_AT} most recently used; `null` without one. */
  oldestAgeMs(maxAgeMs: number, nowMs: number): number | null {
    let oldestMs: number | null = null;
    let lookedAt = 0;
    for (const entry of this.#entries.values()) {
      if ((lookedAt += 1) > MAX_LOOKED_AT) break;
      const ageMs = nowMs - entry.sentAtMs;
      if (ageMs >= 0 && ageMs < maxAgeMs && ageMs > (oldestMs ?? -1) && this.#isValid(entry)) oldestMs = ageMs;
    }
    return oldestMs;
  }

  /** Whether an entry is served because of an outage only. */
  isStale(entry: CacheEntry, nowMs: number): boolean {
    return nowMs - entry.sentAtMs >= this.ttlMs;
  }

  #isValid(entry: CacheEntry): boolean {
    if (this.invalidations.isNewerThan(entry.verdict.apiKey, entry.sentAtMs, entry.checkedSequence)) return false;
    entry.checkedSequence = this.invalidations.sequence;
    return true;
  }

  #isOutdated(version: KeyVersion): boolean {
    const known = this.#entries.peek(version.digest) ?? this.#refusals.peek(version.digest);
    return known !== undefined && isNewer(known, version);
  }

  /** Removes the entry of an earlier version. Returns `false` if a newer version is known. */
  #replaceVersion(keyId: string, version: KeyVersion): boolean {
    const entry = this.#byKeyId.get(keyId);
    const newest = this.#newestVersions.get(keyId) ?? entry;
    if (newest && newest.digest !== version.digest && isNewer(newest, version)) return false;
    if (entry && entry.digest !== version.digest) this.#entries.delete(entry.digest);
    return true;
  }

  #recordRemoval({ verdict, digest, sentAtMs, callNo }: CacheEntry): void {
    const { keyId } = verdict.apiKey;
    this.#byKeyId.delete(keyId);
    if (!this.#newestVersions.has(keyId)) this.#newestVersions.set(keyId, { digest, sentAtMs, callNo });
  }
}

/** Unlike `max`, `maxSize` allocates nothing in advance: `max: 10_000_000` takes 0.8 s and 180 MB at start. */
function boundedCache<V extends object>(maxEntries: number, dispose?: (value: V) => void): LRUCache<string, V> {
  return new LRUCache({ maxSize: maxEntries, sizeCalculation: () => 1, ...(dispose && { dispose }) });
}
