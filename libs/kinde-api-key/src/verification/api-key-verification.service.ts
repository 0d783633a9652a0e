import type { Clock } from '../clock.js';
import { KindeApiKeyUnavailableError } from '../kinde-api-key.errors.js';
import type { KeyAnswer, Lane } from '../kinde/key-verifier.js';
import type { RefusedVerdict, Verdict } from '../api-key/verdict.js';
import { MAX_SKEW_MS, type Invalidation } from '../shared/shared-store.js';
import { NONE } from '../slot-index.js';
import { EVERY_KEY, tagOf, type InvalidationTarget } from './invalidation.js';
import { RawKey } from '../api-key/raw-key.js';
import type { Call } from './key-table.js';
import { RememberedVerdict } from './remembered-verdict.js';
import { SharedLevel } from './shared-level.js';
import { RecentInvalidations } from './recent-invalidations.js';
import type { SharedVerdict, SharedVerdicts } from './shared-verdicts.js';
import { VerdictCache, type VerdictCacheOptions } from './verdict-cache.js';

/** Who can be asked about a raw key. */
export interface VerifierPort {
  verifyKey(rawKey: string, lane: Lane): Promise<KeyAnswer>;
}

/** What the service goes by. */
export interface VerificationOptions extends VerdictCacheOptions {
  readonly ttlMs: number;
  readonly staleIfErrorMs: number;
}

const UNKNOWN: RefusedVerdict = Object.freeze({ accepted: false, reason: 'unknown' });
/** The share of its time to live after which a key that is in use is asked about again in the background. */
const REFRESH_AT = 0.8;
/** How long a failed refresh counts as "Kinde is down", and how long a key waits after one before it asks again. */
const OUTAGE_MEMORY_MS = 10_000;
const ASK_AGAIN_MS = 1_000;
/** How often Kinde is asked for one caller, where its answers are overtaken by invalidations again and again. */
const MAX_ASKED = 3;

/**
 * Is this key real? Asks Kinde, remembers the answer, and lets callers that come at the same time with the same key share one call.
 *
 * Inject it where a key arrives by another way than a request that `ApiKeyGuard` guards, and to invalidate keys.
 */
export class ApiKeyVerificationService {
  /**
   * The oldest answer that is ever accepted, in milliseconds: `ttlMs + staleIfErrorMs`, counted from when the verify call was sent,
   * or 0 with `cache: false`. A revoked key is dead after this time even while Kinde cannot be reached.
   */
  readonly maxAcceptedAgeMs: number;

  readonly #verifier: VerifierPort;
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #cache: VerdictCache | undefined;
  readonly #flights = new Map<string, Promise<Verdict>>();
  readonly #invalidations = new RecentInvalidations(MAX_SKEW_MS);
  readonly #sharing: SharedVerdicts | null;
  readonly #shared: SharedLevel | undefined;
  #calls = 0;

  /** @internal Built by `KindeApiKeyModule`; `options` is `null` for `cache: false`, `sharing` without a shared store. */
  constructor(
    verifier: VerifierPort,
    options: VerificationOptions | null,
    clock: Clock,
    sharing: SharedVerdicts | null = null,
  ) {
    this.#sharing = sharing;
    sharing?.onInvalidations((invalidations) => this.#apply(invalidations));
    this.#verifier = verifier;
    this.#clock = clock;
    this.#cache = options ? new VerdictCache(options) : undefined;
    this.#ttlMs = options?.ttlMs ?? 0;
    this.maxAcceptedAgeMs = options ? options.ttlMs + options.staleIfErrorMs : 0;
    this.#shared = sharing && this.#cache ? this.#sharedLevel(sharing, this.#cache) : undefined;
  }

  /**
   * @param rawKey the key as the caller sent it, without a scheme; what cannot be a key is refused as `unknown` without a call
   * @returns Kinde's verdict, from the cache where that is young enough
   * @throws {KindeApiKeyUnavailableError} VERIFICATION_UNAVAILABLE when Kinde cannot be asked and nothing is remembered
   * @throws {KindeApiKeyMisconfiguredError} VERIFICATION_MISCONFIGURED when Kinde refuses this service's own credentials
   */
  verify(rawKey: string): Promise<Verdict> {
    // Not async: callers who wait for one call share its promise, and a promise of their own would cost them more than all the rest.
    const key = RawKey.parse(rawKey);
    if (!key) return Promise.resolve(UNKNOWN);
    const remembered = this.lookup(key);
    return remembered ? Promise.resolve(remembered) : this.ask(key);
  }

  /**
   * The part of {@link verify} that needs no waiting: what the guard uses on its hot path.
   *
   * @returns the verdict, or `undefined` where Kinde must be asked first
   */
  verifyCached(rawKey: string): Verdict | undefined {
    const key = RawKey.parse(rawKey);
    return key ? this.lookup(key) : UNKNOWN;
  }

  /** @internal */
  lookup(key: RawKey): Verdict | undefined {
    return this.#recall(key.digest, key.reveal());
  }

  /** @internal */
  ask(key: RawKey): Promise<Verdict> {
    return this.#ask(key.digest, key.reveal());
  }

  /** @internal Whether the key was accepted not longer ago than an answer may be, even if Kinde must be asked again before it is now. */
  wasAccepted(key: RawKey): boolean {
    const slot = this.#cache?.proven(key.digest) ?? NONE;
    const ageMs = this.#cache && slot !== NONE ? this.#clock.now() - this.#cache.keys.sentAtMs(slot) : -1;
    return ageMs >= 0 && ageMs < this.maxAcceptedAgeMs;
  }

  /**
   * Forgets the accepted keys of a key id, an organization or a user at once, so that Kinde is asked at their next use. What Kinde
   * answers to a verification that is in flight meanwhile is not believed: it is asked again. With a shared store every other
   * instance forgets them too, within milliseconds, or as soon as it can be reached.
   *
   * @throws {TypeError} when the target is not exactly one of the three, with a text that is not empty
   */
  async invalidate(target: InvalidationTarget): Promise<void> {
    await this.#publish(tagOf(target));
  }

  /** Forgets everything that is remembered, refusals included: of every instance that shares a store, and of this Kinde domain. */
  async invalidateAll(): Promise<void> {
    await this.#publish(EVERY_KEY);
  }

  #sharedLevel(sharing: SharedVerdicts, cache: VerdictCache): SharedLevel {
    return new SharedLevel({
      sharing,
      cache,
      invalidations: this.#invalidations,
      clock: this.#clock,
      ttlMs: this.#ttlMs,
      maxAcceptedAgeMs: this.maxAcceptedAgeMs,
      refreshAtMs: this.#ttlMs * REFRESH_AT,
    });
  }

  async #publish(tag: string): Promise<void> {
    const invalidation = { tag, atMs: Math.ceil(this.#clock.now()) };
    this.#apply([invalidation], true);
    this.#flights.clear();
    await this.#sharing?.publish(invalidation);
  }

  #apply(invalidations: readonly Invalidation[], isOurs = false): void {
    const { sequence } = this.#invalidations;
    const nowMs = this.#clock.now();
    const news = invalidations.filter((invalidation) => this.#invalidations.apply(invalidation, nowMs, isOurs));
    if (news.length === 0) return;
    if (news.some(({ tag }) => tag === EVERY_KEY)) this.#cache?.forgetRefusals();
    this.#cache?.forgetWhere((apiKey, sentAtMs) => this.#invalidations.isNewerThan(apiKey, sentAtMs, sequence));
  }

  #recall(digest: string, rawKey: string): Verdict | undefined {
    if (!this.#cache) return undefined;
    const { keys } = this.#cache;
    const nowMs = this.#clock.now();
    const slot = this.#cache.proven(digest);
    if (slot === NONE) return this.#cache.refusal(digest, nowMs);
    if (nowMs < keys.servedUntilMs(slot) && nowMs >= keys.sentAtMs(slot))
      return new RememberedVerdict(keys.apiKey(slot), slot);
    return this.#verdictOfAging(this.#cache, slot, rawKey, nowMs);
  }

  #verdictOfAging(cache: VerdictCache, slot: number, rawKey: string, nowMs: number): Verdict | undefined {
    const ageMs = nowMs - cache.keys.sentAtMs(slot);
    if (ageMs < 0 || ageMs >= this.maxAcceptedAgeMs) {
      cache.keys.remove(slot);
      return undefined;
    }
    const inOutage = nowMs - cache.outageAtMs(slot) < OUTAGE_MEMORY_MS;
    if (ageMs >= this.#ttlMs && !inOutage) return undefined;
    const digest = cache.keys.digest(slot);
    const verdict = new RememberedVerdict(cache.keys.apiKey(slot), slot);
    if (!this.#flights.has(digest)) this.#ask(digest, rawKey).catch(() => undefined);
    return verdict;
  }

  #ask(digest: string, rawKey: string): Promise<Verdict> {
    const underWay = this.#flights.get(digest);
    if (underWay) return underWay;
    const flight = this.#find(digest, rawKey).finally(() => {
      if (this.#flights.get(digest) === flight) this.#flights.delete(digest);
    });
    this.#flights.set(digest, flight);
    return flight;
  }

  async #find(digest: string, rawKey: string): Promise<Verdict> {
    for (let asked = 1; ; asked += 1) {
      const { sequence } = this.#invalidations;
      const found = this.#shared && (await this.#shared.find(digest));
      if (found) return found;
      const lane = this.#cache && this.#cache.proven(digest) !== NONE ? 'proven' : 'new';
      const callNo = (this.#calls += 1);
      let answer: KeyAnswer;
      try {
        answer = await this.#verifier.verifyKey(rawKey, lane);
      } catch (error) {
        return this.#afterFailure(digest, error);
      }
      const { verdict, sentAtMs } = answer;
      const call = { sentAtMs, callNo };
      if (!verdict.accepted) return this.#rememberRefusal(digest, verdict, call, sequence);
      if (this.#sharing) this.#apply(await this.#sharing.invalidationsOf(verdict.apiKey));
      if (!this.#invalidations.isNewerThan(verdict.apiKey, sentAtMs, sequence)) {
        return asked === 1 ? this.#remember(digest, { verdict, sentAtMs }, call) : verdict;
      }
      // Kinde was asked before the key was invalidated: those who wait get an answer from after it, and the next one asks for himself.
      this.#cache?.noteSecret(digest, verdict.apiKey.keyId, call);
      const newer = this.#recall(digest, rawKey);
      if (newer || asked === MAX_ASKED) return newer ?? verdict;
    }
  }

  async #remember(digest: string, shared: SharedVerdict, call: Call): Promise<Verdict> {
    const { verdict, sentAtMs } = shared;
    if (!this.#cache) return verdict;
    this.#cache.storeProven(digest, verdict.apiKey, call, sentAtMs + this.#ttlMs * REFRESH_AT);
    // What another instance could not tell from a call before the invalidation, it does not need to be told.
    if (!this.#invalidations.isNewerThan(verdict.apiKey, sentAtMs)) await this.#sharing?.share(digest, shared);
    return verdict;
  }

  /** A refusal that may be older than an invalidation is not remembered; what it contradicts is forgotten all the same. */
  async #rememberRefusal(digest: string, verdict: RefusedVerdict, call: Call, sequence: number): Promise<Verdict> {
    if (sequence === this.#invalidations.sequence) this.#cache?.storeRefusal(digest, verdict, call);
    else this.#cache?.forgetOlder(digest, call);
    if (this.#cache) await this.#sharing?.takeBack(digest);
    return verdict;
  }

  /** An outage does not refuse a key that was accepted not long ago; any other failure does once its time to live is over. */
  #afterFailure(digest: string, error: unknown): Verdict {
    const slot = this.#cache?.proven(digest) ?? NONE;
    if (!this.#cache || slot === NONE) throw error;
    const { keys } = this.#cache;
    const nowMs = this.#clock.now();
    const sentAtMs = keys.sentAtMs(slot);
    const isOutage = error instanceof KindeApiKeyUnavailableError;
    const acceptableUntilMs = sentAtMs + (isOutage ? this.maxAcceptedAgeMs : this.#ttlMs);
    keys.serveUntil(slot, Math.min(nowMs + ASK_AGAIN_MS, acceptableUntilMs));
    if (isOutage) this.#cache.noteOutage(slot, nowMs);
    if (nowMs >= acceptableUntilMs || nowMs < sentAtMs) throw error;
    return new RememberedVerdict(keys.apiKey(slot), slot);
  }
}
