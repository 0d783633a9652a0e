import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import { isLimit, MAX_LIMIT, type Limit, type RateLimitRule } from './rate-limit-rule.js';
import type { RateDecision, RateLimitStore } from './rate-limit-store.js';

/** Where the limiter says that a limit is not known. */
interface RateLimiterLog {
  error(message: string): void;
}

/** How soon a client may try again whose limit is not known. */
const UNKNOWN_RETRY_MS = 5_000;

/** How often? Counts the requests of a key against the limit of a route. */
export class RateLimiter {
  readonly #store: RateLimitStore;
  readonly #log: RateLimiterLog;
  #hasComplained = false;

  constructor(store: RateLimitStore, log: RateLimiterLog) {
    this.#store = store;
    this.#log = log;
  }

  /**
   * Counts one request. It goes by the key's id, which survives a rotation: a new secret does not refill the budget.
   *
   * A limit that is not known, because the app's function threw or returned something else than a whole number from 1 to 10,000, is a limit
   * of 0: the request is refused and nothing is counted. The first time it is logged.
   *
   * @param hint see {@link RateLimitStore.take}
   * @returns the store's decision, or a promise of it where the store must wait
   */
  take(rule: RateLimitRule, apiKey: VerifiedApiKey, hint?: number): RateDecision | Promise<RateDecision> {
    const limit = typeof rule.limit === 'number' ? rule.limit : this.#ask(rule.limit, apiKey);
    if (limit !== undefined) return this.#store.take(rule.scope, apiKey.keyId, limit, rule.windowMs, hint);
    return { accepted: false, limit: 0, remaining: 0, resetAfterMs: Math.min(UNKNOWN_RETRY_MS, rule.windowMs) };
  }

  #ask(limitOf: Exclude<Limit, number>, apiKey: VerifiedApiKey): number | undefined {
    try {
      const limit: unknown = limitOf(apiKey);
      if (isLimit(limit)) return limit;
      // A rejection that nobody hears would end the process.
      if (limit instanceof Promise) limit.catch(() => undefined);
      this.#complain(apiKey, `returned ${describe(limit)}`);
    } catch (error) {
      this.#complain(
        apiKey,
        error instanceof Error ? `threw: ${error.message}` : `threw a value of type ${typeof error}`,
      );
    }
    return undefined;
  }

  #complain({ keyId }: VerifiedApiKey, what: string): void {
    if (this.#hasComplained) return;
    this.#hasComplained = true;
    this.#log.error(
      `rateLimit.limit ${what}, for the key ${keyId}; it must return a whole number from 1 to ${MAX_LIMIT}. Such requests are refused ` +
        'with 429 RATE_LIMITED. This is logged once',
    );
  }
}

function describe(value: unknown): string {
  return typeof value === 'number' ? String(value) : `a value of type ${value === null ? 'null' : typeof value}`;
}
