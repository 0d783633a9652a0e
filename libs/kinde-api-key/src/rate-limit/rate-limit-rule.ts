import type { Limit } from '../config/rate-limit-options.js';

/** The rate limit of a route, compiled once. */
export interface RateLimitRule {
  /** What is counted together: the whole API, a class or a method. With the id of a key it names a bucket. */
  readonly scope: string;
  /** Name of the policy in `RateLimit` and `RateLimit-Policy`: printable ASCII without quotes and backslashes. */
  readonly policy: string;
  readonly limit: Limit;
  /** Length of the window in milliseconds. */
  readonly windowMs: number;
  /** Whether the answers to accepted requests carry `RateLimit` and `RateLimit-Policy`, too. */
  readonly sendsHeadersOnSuccess: boolean;
}
