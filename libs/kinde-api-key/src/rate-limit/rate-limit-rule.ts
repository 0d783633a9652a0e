import type { Limit } from '../config/rate-limit-options.js';

export { isLimit, isWindowMs, MAX_LIMIT, type Limit } from '../config/rate-limit-options.js';

/** The limit of a route, compiled once. */
export interface RateLimitRule {
  /** Where the limit stands: what is counted apart from what. With a key's id it names a bucket. */
  readonly place: string;
  /** The name of the policy in `RateLimit` and `RateLimit-Policy`: printable ASCII without quotes and backslashes. */
  readonly policy: string;
  readonly limit: Limit;
  /** Length of the window in milliseconds. */
  readonly windowMs: number;
  /** Whether accepted requests are told about their budget, too. */
  readonly sendsHeadersOnSuccess: boolean;
}
