import type { Clock } from '../clock.js';
import type { ResolvedCacheOptions } from '../config/resolved-options.js';
import { Listeners } from '../listeners.js';
import type { KeyAnswer } from '../kinde/key-verifier.js';
import { RawKey } from '../api-key/raw-key.js';
import type { Verdict } from '../api-key/verdict.js';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import { MAX_SKEW_MS, type Invalidation } from '../shared/shared-store.js';
import { EVERY_KEY, tagOf, type InvalidationTarget } from './invalidation.js';
import { RecentInvalidations } from './recent-invalidations.js';
import { SharedLookup } from './shared-lookup.js';
import type { SharedVerdicts } from './shared-verdicts.js';
import { HEALTHY, statusOf, type ApiKeyVerificationStatus } from './status.js';
import { VerdictCache } from './verdict-cache.js';
import { VerdictStorage, type SourcedVerdict } from './verdict-storage.js';
import { UNKNOWN, type Verifier } from './verifier.js';

/** Maximum number of verify calls for one request, if invalidations outdate the answers. */
const MAX_CALLS = 3;

/**
 * Verifies raw keys: asks Kinde, caches its verdicts, and shares one call among concurrent requests with the same key.
 *
 * Inject it to verify a key that does not arrive in a request guarded by `ApiKeyGuard`, and to invalidate keys.
 */
export class ApiKeyVerificationService {
  /**
   * Maximum age of an accepted verdict in milliseconds: `ttlMs + staleIfErrorMs`, or 0 with `cache: false`. The age counts from when the
   * verify call was sent. A revoked key is refused after this time even during an outage of Kinde.
   */
  readonly maxAcceptedAgeMs: number;

  /** @internal Called with each invalidation once it is applied. */
  readonly onInvalidated = new Listeners<Invalidation>();

  // Private to the language: the app gets this object, and a log of it must not walk what is behind.
  readonly #verifier: Verifier;
  readonly #clock: Clock;
  readonly #shared: SharedVerdicts | null;
  readonly #invalidations = new RecentInvalidations(MAX_SKEW_MS);
  readonly #cache: VerdictCache | undefined;
  readonly #sharedLookup: SharedLookup | undefined;
  readonly #storage: VerdictStorage;
  readonly #inFlight = new Map<string, Promise<SourcedVerdict>>();
  #calls = 0;

  /** @internal `options` is `null` with `cache: false`, `shared` without a shared store. */
  constructor(
    verifier: Verifier,
    options: ResolvedCacheOptions | null,
    clock: Clock,
    shared: SharedVerdicts | null = null,
  ) {
    this.#verifier = verifier;
    this.#clock = clock;
    this.#shared = shared;
    this.#cache = options ? new VerdictCache(options, this.#invalidations) : undefined;
    this.#storage = new VerdictStorage(this.#cache, shared, this.#invalidations, clock);
    this.maxAcceptedAgeMs = this.#cache?.maxAcceptedAgeMs ?? 0;
    this.#sharedLookup =
      shared && this.#cache ? new SharedLookup(shared, this.#cache, this.#invalidations, clock) : undefined;
    shared?.onInvalidations((invalidations) => this.#apply(invalidations));
  }

  /**
   * Verifies a raw key, from the cache if the cached verdict is young enough.
   *
   * @param rawKey the key as it was sent, without a scheme. A malformed one is refused as `unknown` without a call
   * @throws {KindeApiKeyUnavailableError} VERIFICATION_UNAVAILABLE when Kinde cannot be asked and no verdict is cached
   * @throws {KindeApiKeyMisconfiguredError} VERIFICATION_MISCONFIGURED when Kinde refuses this service's own credentials
   */
  async verify(rawKey: string): Promise<Verdict> {
    const key = RawKey.parse(rawKey);
    if (!key) return UNKNOWN;
    return this.lookup(key) ?? (await this.ask(key)).verdict;
  }

  /** Returns what {@link verify} resolves to if it is known without waiting, else `undefined`. */
  verifyCached(rawKey: string): Verdict | undefined {
    const key = RawKey.parse(rawKey);
    return key ? this.lookup(key) : UNKNOWN;
  }

  /**
   * Invalidates the accepted keys of a key id, an organization or a user, so that Kinde is asked at their next use. Every cached refusal
   * ends as well. An answer to a verify call that is in flight is not accepted either. With a shared store every instance does so, once it
   * can reach the store.
   *
   * @throws {TypeError} when the target is not exactly one of the three with a non-empty text
   */
  async invalidate(target: InvalidationTarget): Promise<void> {
    await this.#publish(tagOf(target));
  }

  /** Invalidates every key and every refusal, on each instance of this Kinde domain that shares the store. */
  async invalidateAll(): Promise<void> {
    await this.#publish(EVERY_KEY);
  }

  /** Returns how well keys can be verified, as far as it is known without a call. A problem is known from requests. */
  status(): ApiKeyVerificationStatus {
    return statusOf(this.#cache, this.#verifier.health ?? HEALTHY, this.#shared, this.#clock.now());
  }

  /** @internal Returns the cached verdict. Starts a refresh in the background when it is due. */
  lookup(key: RawKey): Verdict | undefined {
    const nowMs = this.#clock.now();
    const entry = this.#cache?.accepted(key.digest, nowMs);
    if (!entry) return this.#cache?.refusal(key.digest, nowMs);
    if (nowMs < entry.freshUntilMs) return entry.verdict;
    // During an outage that is known, the key is served at once, and the refresh finds out when it ends.
    if (nowMs >= entry.usableUntilMs && !this.#verifier.isDown) return undefined;
    if (!this.#inFlight.has(key.digest)) this.ask(key).catch(() => undefined);
    return entry.verdict;
  }

  /** @internal Returns the cached verdict if it is younger than this, or a cached refusal. */
  lookupWithin(key: RawKey, maxAgeMs: number): Verdict | undefined {
    const nowMs = this.#clock.now();
    const entry = this.#cache?.acceptedWithin(maxAgeMs, key.digest, nowMs);
    return entry ? entry.verdict : this.#cache?.refusal(key.digest, nowMs);
  }

  /** @internal Asks the other instances and Kinde, or joins the call in flight; `isFresh`: Kinde alone, without bridging an outage. Rejects like {@link verify}. */
  ask(key: RawKey, isFresh = false): Promise<SourcedVerdict> {
    const name = isFresh ? `fresh ${key.digest}` : key.digest;
    const inFlight = this.#inFlight.get(name);
    if (inFlight) return inFlight;
    const asked = this.#find(key, isFresh).finally(() => {
      if (this.#inFlight.get(name) === asked) this.#inFlight.delete(name);
    });
    this.#inFlight.set(name, asked);
    return asked;
  }

  /** @internal Whether the key was accepted within {@link maxAcceptedAgeMs}, even if Kinde must be asked again before it is served. */
  wasAccepted(key: RawKey): boolean {
    return this.#cache?.accepted(key.digest, this.#clock.now()) !== undefined;
  }

  /** @internal Whether this verified key is in memory, and older than `ttlMs`. */
  isStale(apiKey: VerifiedApiKey): boolean {
    const entry = this.#cache?.entryOf(apiKey);
    return entry !== undefined && this.#cache?.isStale(entry, this.#clock.now()) === true;
  }

  async #find(key: RawKey, isFresh: boolean): Promise<SourcedVerdict> {
    for (let calls = 1; ; calls += 1) {
      const { sequence } = this.#invalidations;
      const startedAtMs = performance.now();
      const shared = !isFresh && this.#sharedLookup ? await this.#sharedLookup.find(key.digest) : undefined;
      if (shared) return { verdict: shared.verdict, source: 'shared' };
      const spentMs = this.#sharedLookup ? performance.now() - startedAtMs : 0;
      const callNo = (this.#calls += 1);
      let answer: KeyAnswer;
      try {
        answer = await this.#verifier.verify(key, this.wasAccepted(key) ? 'known' : 'new', spentMs);
      } catch (error) {
        if (isFresh) throw error;
        return this.#storage.serveStale(key.digest, error);
      }
      const { verdict, sentAtMs } = answer;
      const version = { digest: key.digest, sentAtMs, callNo };
      const answered: SourcedVerdict = { verdict, source: 'kinde' };
      if (!verdict.accepted) {
        await this.#storage.storeRefusal(verdict, version, sequence);
        return answered;
      }
      if (this.#shared) this.#apply(await this.#shared.invalidationsOf(verdict.apiKey));
      if (!this.#invalidations.isNewerThan(verdict.apiKey, sentAtMs, sequence)) {
        if (calls === 1) await this.#storage.storeAccepted(verdict, version);
        return answered;
      }
      // The key was invalidated after the call was sent: ask again.
      this.#cache?.noteRotation(verdict.apiKey.keyId, version);
      const newer = this.lookup(key);
      if (newer) return { verdict: newer, source: 'memory' };
      if (calls === MAX_CALLS) return answered;
    }
  }

  async #publish(tag: string): Promise<void> {
    const invalidation = { tag, atMs: Math.ceil(this.#clock.now()) };
    this.#apply([invalidation], true);
    this.#inFlight.clear();
    await this.#shared?.publish(invalidation);
  }

  #apply(invalidations: readonly Invalidation[], isOurs = false): void {
    const nowMs = this.#clock.now();
    for (const one of invalidations) if (this.#invalidations.apply(one, nowMs, isOurs)) this.onInvalidated.notify(one);
  }
}
