import type { Clock } from '../clock.js';
import { KindeApiKeyUnavailableError } from '../kinde-api-key.errors.js';
import type { KeyAnswer, Lane } from '../kinde/kinde-client.js';
import type { AcceptedVerdict, RefusedVerdict, Verdict } from '../kinde/verdict.js';
import type { VerifiedApiKey } from '../verified-api-key.js';
import { matcherOf, type InvalidationTarget } from './invalidation.js';
import { couldBeKey, digestOf } from './raw-key.js';
import type { Call } from './key-table.js';
import { NONE } from './slot-index.js';
import { VerdictCache, type VerdictCacheOptions } from './verdict-cache.js';

/** Who can be asked about a raw key. */
export interface KeyVerifier {
  verifyKey(rawKey: string, lane: Lane): Promise<KeyAnswer>;
}

/** What the service goes by. */
export interface VerificationOptions extends VerdictCacheOptions {
  readonly ttlMs: number;
  readonly staleIfErrorMs: number;
}

interface Flight {
  readonly verdict: Promise<Verdict>;
  /** Counts the service's calls. */
  readonly callNo: number;
  /** Something was invalidated after the call was sent: its answer may be older than that, so it is not remembered. */
  overtaken: boolean;
}

const UNKNOWN: RefusedVerdict = Object.freeze({ accepted: false, reason: 'unknown' });
/** The share of its time to live after which a key that is in use is asked about again in the background. */
const REFRESH_AT = 0.8;
/** How long a failed refresh counts as "Kinde is down", and how long a key waits after one before it asks again. */
const OUTAGE_MEMORY_MS = 10_000;
const ASK_AGAIN_MS = 1_000;

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

  readonly #verifier: KeyVerifier;
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #cache: VerdictCache | undefined;
  readonly #flights = new Map<string, Flight>();
  #calls = 0;

  /** @internal Built by `KindeApiKeyModule`; `options` is `null` for `cache: false`. */
  constructor(verifier: KeyVerifier, options: VerificationOptions | null, clock: Clock) {
    this.#verifier = verifier;
    this.#clock = clock;
    this.#cache = options ? new VerdictCache(options) : undefined;
    this.#ttlMs = options?.ttlMs ?? 0;
    this.maxAcceptedAgeMs = options ? options.ttlMs + options.staleIfErrorMs : 0;
  }

  /**
   * @param rawKey the key as the caller sent it, without a scheme; what cannot be a key is refused as `unknown` without a call
   * @returns Kinde's verdict, from the cache where that is young enough
   * @throws {KindeApiKeyUnavailableError} VERIFICATION_UNAVAILABLE when Kinde cannot be asked and nothing is remembered
   * @throws {KindeApiKeyMisconfiguredError} VERIFICATION_MISCONFIGURED when Kinde refuses this service's own credentials
   */
  verify(rawKey: string): Promise<Verdict> {
    // Not async: callers who wait for one call share its promise, and a promise of their own would cost them more than all the rest.
    if (!couldBeKey(rawKey)) return Promise.resolve(UNKNOWN);
    const digest = digestOf(rawKey);
    const remembered = this.#recall(digest, rawKey);
    return remembered ? Promise.resolve(remembered) : this.#ask(digest, rawKey);
  }

  /**
   * The part of {@link verify} that needs no waiting: what the guard uses on its hot path.
   *
   * @returns the verdict, or `undefined` where Kinde must be asked first
   */
  verifyCached(rawKey: string): Verdict | undefined {
    // What cannot be a key is never remembered, so the form is looked at only where nothing is: not on the hot path.
    const remembered = typeof rawKey === 'string' ? this.#recall(digestOf(rawKey), rawKey) : undefined;
    return remembered ?? (couldBeKey(rawKey) ? undefined : UNKNOWN);
  }

  /** @internal Whether the key was accepted not longer ago than an answer may be, even if Kinde must be asked again before it is now. */
  isProven(rawKey: string): boolean {
    const slot = this.#cache?.proven(digestOf(rawKey)) ?? NONE;
    const ageMs = this.#cache && slot !== NONE ? this.#clock.now() - this.#cache.keys.sentAtMs(slot) : -1;
    return ageMs >= 0 && ageMs < this.maxAcceptedAgeMs;
  }

  /**
   * Forgets the accepted keys of a key id, an organization or a user at once, so that Kinde is asked at their next use. A verification
   * that is in flight meanwhile is not remembered.
   *
   * @throws {TypeError} when the target is not exactly one of the three, with a text that is not empty
   */
  async invalidate(target: InvalidationTarget): Promise<void> {
    const matches = matcherOf(target);
    this.#overtakeFlights();
    this.#cache?.forgetWhere(matches);
  }

  /** Forgets everything that is remembered, refusals included. */
  async invalidateAll(): Promise<void> {
    this.#overtakeFlights();
    this.#cache?.clear();
  }

  #recall(digest: string, rawKey: string): Verdict | undefined {
    if (!this.#cache) return undefined;
    const { keys } = this.#cache;
    const nowMs = this.#clock.now();
    const slot = this.#cache.proven(digest);
    if (slot === NONE) return this.#cache.refusal(digest, nowMs);
    if (nowMs < keys.servedUntilMs(slot) && nowMs >= keys.sentAtMs(slot)) return accepted(keys.apiKey(slot));
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
    const verdict = accepted(cache.keys.apiKey(slot));
    if (!this.#flights.has(digest)) this.#ask(digest, rawKey).catch(() => undefined);
    return verdict;
  }

  #ask(digest: string, rawKey: string): Promise<Verdict> {
    const underWay = this.#flights.get(digest);
    if (underWay) return underWay.verdict;
    const lane = this.#cache && this.#cache.proven(digest) !== NONE ? 'proven' : 'new';
    const flight: Flight = {
      overtaken: false,
      callNo: (this.#calls += 1),
      verdict: this.#verifier
        .verifyKey(rawKey, lane)
        .then(
          (answer) => this.#remember(flight, digest, answer),
          (error: unknown) => this.#afterFailure(digest, error),
        )
        .finally(() => {
          if (this.#flights.get(digest) === flight) this.#flights.delete(digest);
        }),
    };
    this.#flights.set(digest, flight);
    return flight.verdict;
  }

  #remember({ overtaken, callNo }: Flight, digest: string, { verdict, sentAtMs }: KeyAnswer): Verdict {
    if (!this.#cache) return verdict;
    if (overtaken) this.#learnFromOvertaken(digest, verdict, { sentAtMs, callNo });
    else if (verdict.accepted) {
      this.#cache.storeProven(digest, verdict.apiKey, { sentAtMs, callNo }, sentAtMs + this.#ttlMs * REFRESH_AT);
    } else {
      this.#cache.storeRefusal(digest, verdict, sentAtMs);
    }
    return verdict;
  }

  /** An answer that may be older than an invalidation makes nothing known; what it contradicts is forgotten all the same. */
  #learnFromOvertaken(digest: string, verdict: Verdict, call: Call): void {
    if (verdict.accepted) this.#cache?.noteSecret(digest, verdict.apiKey.keyId, call);
    else this.#cache?.forgetOlder(digest, call);
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
    return accepted(keys.apiKey(slot));
  }

  #overtakeFlights(): void {
    for (const flight of this.#flights.values()) flight.overtaken = true;
    this.#flights.clear();
  }
}

/** Made for each request: it costs less than to look up one that is kept, and needs no memory for each key. */
function accepted(apiKey: VerifiedApiKey): AcceptedVerdict {
  return { accepted: true, apiKey };
}
