import type { Limit } from '../config/rate-limit-options.js';

/** The rate limit of a route, compiled once. */
export interface RateLimitRule {
  /** Name of what is counted together, equal in every build of the app. With the id of a key it names a bucket. */
  readonly scope: string;
  /** Name of the policy in `RateLimit` and `RateLimit-Policy`: the scope as a structured string, without its quotes. */
  readonly policy: string;
  readonly limit: Limit;
  /** Length of the window in milliseconds. */
  readonly windowMs: number;
  /** Whether the answers to accepted requests carry `RateLimit` and `RateLimit-Policy`, too. */
  readonly sendsHeadersOnSuccess: boolean;
}
