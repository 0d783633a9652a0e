import type { Clock } from '../clock.js';
import { KindeApiKeyUnavailableError } from '../kinde-api-key.errors.js';
import type { KeyAnswer, Lane } from '../kinde/kinde-client.js';
import type { RefusedVerdict, Verdict } from '../kinde/verdict.js';
import { matcherOf, type InvalidationTarget } from './invalidation.js';
import { couldBeKey, digestOf } from './raw-key.js';
import { VerdictCache, type ProvenEntry, type VerdictCacheOptions } from './verdict-cache.js';

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
  async verify(rawKey: string): Promise<Verdict> {
    return this.verifyCached(rawKey) ?? this.#ask(digestOf(rawKey), rawKey);
  }

  /**
   * The part of {@link verify} that needs no waiting: what the guard uses on its hot path.
   *
   * @returns the verdict, or `undefined` where Kinde must be asked first
   */
  verifyCached(rawKey: string): Verdict | undefined {
    if (!couldBeKey(rawKey)) return UNKNOWN;
    if (!this.#cache) return undefined;
    const digest = digestOf(rawKey);
    const nowMs = this.#clock.now();
    const entry = this.#cache.proven(digest);
    if (!entry) return this.#cache.refusal(digest, nowMs);
    if (nowMs < entry.servedUntilMs && nowMs >= entry.sentAtMs) return entry.verdict;
    return this.#verdictOfAging(entry, digest, rawKey, nowMs);
  }

  /** @internal Whether the key was accepted not longer ago than an answer may be, even if Kinde must be asked again before it is now. */
  isProven(rawKey: string): boolean {
    const entry = this.#cache?.proven(digestOf(rawKey));
    const ageMs = entry ? this.#clock.now() - entry.sentAtMs : -1;
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

  #verdictOfAging(entry: ProvenEntry, digest: string, rawKey: string, nowMs: number): Verdict | undefined {
    const ageMs = nowMs - entry.sentAtMs;
    if (ageMs < 0 || ageMs >= this.maxAcceptedAgeMs) {
      this.#cache?.forget(digest);
      return undefined;
    }
    const inOutage = nowMs - entry.outageAtMs < OUTAGE_MEMORY_MS;
    if (ageMs >= this.#ttlMs && !inOutage) return undefined;
    if (!this.#flights.has(digest)) this.#ask(digest, rawKey).catch(() => undefined);
    return entry.verdict;
  }

  #ask(digest: string, rawKey: string): Promise<Verdict> {
    const underWay = this.#flights.get(digest);
    if (underWay) return underWay.verdict;
    const lane = this.#cache?.proven(digest) ? 'proven' : 'new';
    const flight: Flight = {
      overtaken: false,
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

  #remember(flight: Flight, digest: string, { verdict, sentAtMs }: KeyAnswer): Verdict {
    if (!this.#cache || flight.overtaken) return verdict;
    if (verdict.accepted) {
      const servedUntilMs = sentAtMs + this.#ttlMs * REFRESH_AT;
      this.#cache.storeProven(digest, { verdict, sentAtMs, servedUntilMs, outageAtMs: -Infinity });
    } else {
      this.#cache.storeRefusal(digest, verdict, sentAtMs);
    }
    return verdict;
  }

  /** An outage does not refuse a key that was accepted not long ago; any other failure does once its time to live is over. */
  #afterFailure(digest: string, error: unknown): Verdict {
    const entry = this.#cache?.proven(digest);
    if (!entry) throw error;
    const nowMs = this.#clock.now();
    const isOutage = error instanceof KindeApiKeyUnavailableError;
    const acceptableUntilMs = entry.sentAtMs + (isOutage ? this.maxAcceptedAgeMs : this.#ttlMs);
    entry.servedUntilMs = Math.min(nowMs + ASK_AGAIN_MS, acceptableUntilMs);
    if (isOutage) entry.outageAtMs = nowMs;
    if (nowMs >= acceptableUntilMs || nowMs < entry.sentAtMs) throw error;
    return entry.verdict;
  }

  #overtakeFlights(): void {
    for (const flight of this.#flights.values()) flight.overtaken = true;
    this.#flights.clear();
  }
}
