import type { Caller } from '../api-key/principal.js';
import { isLimit, MAX_LIMIT, type Limit } from '../config/rate-limit-options.js';
import type { Log } from '../log.js';
import type { RateLimitRule } from './rate-limit-rule.js';
import type { RateDecision, RateLimitStore } from './rate-limit-store.js';

/** `Retry-After` of a request whose limit is unknown. */
const UNKNOWN_LIMIT_RETRY_MS = 5_000;

/** Counts the requests of a caller against the limit of a route. */
export class RateLimiter {
  #hasLogged = false;

  constructor(
    private readonly store: RateLimitStore,
    private readonly log: Pick<Log, 'error'>,
  ) {}

  /**
   * Counts one request under an id of the caller. The id of a key survives a rotation, so a new secret does not refill the budget.
   * A limit is unknown when the app's function throws or does not return a whole number from 1 to 10,000. Then the request is refused and not
   * counted, and the first such failure is logged.
   */
  take(rule: RateLimitRule, caller: Caller, callerId: string): RateDecision | Promise<RateDecision> {
    const { scope, limit, windowMs } = rule;
    const known = typeof limit === 'number' ? limit : this.#limitOf(limit, caller, callerId);
    if (known !== undefined) return this.store.take(scope, callerId, known, windowMs);
    return { accepted: false, limit: 0, remaining: 0, resetAfterMs: Math.min(UNKNOWN_LIMIT_RETRY_MS, windowMs) };
  }

  #limitOf(limit: Exclude<Limit, number>, caller: Caller, callerId: string): number | undefined {
    let what: string;
    try {
      const returned: unknown = limit(caller);
      if (isLimit(returned)) return returned;
      // An unhandled rejection would end the process.
      if (returned instanceof Promise) returned.catch(() => undefined);
      what = `returned ${describe(returned)}`;
    } catch (error) {
      what = `threw${error instanceof Error ? `: ${error.message}` : ` ${describe(error)}`}`;
    }
    if (this.#hasLogged) return undefined;
    this.#hasLogged = true;
    this.log.error(
      `rateLimit.limit ${what}, for the caller ${callerId}; it must return a whole number from 1 to ${MAX_LIMIT}. Such requests are ` +
        'refused with 429 RATE_LIMITED. This is logged once',
    );
    return undefined;
  }
}

function describe(value: unknown): string {
  return typeof value === 'number' ? String(value) : `a value of type ${value === null ? 'null' : typeof value}`;
}
