import type { VerifiedApiKey } from '../api-key/verified-api-key.js';

/** The largest limit. The time of every request that counts is kept, so the limit bounds the memory of a key. */
export const MAX_LIMIT = 10_000;
/** The shortest window, in milliseconds: `Retry-After` and `RateLimit` count in whole seconds. */
export const MIN_WINDOW_MS = 1_000;
/** The longest window, in milliseconds: a day. */
export const MAX_WINDOW_MS = 86_400_000;

/** Maximum number of accepted requests of a key in any window: a number, or a function of the key. */
export type Limit = number | ((apiKey: VerifiedApiKey) => number);

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

/** @returns whether a value can be a limit: a whole number from 1 to 10,000 */
export function isLimit(value: unknown): value is number {
  return isWholeNumber(value, 1, MAX_LIMIT);
}

/** @returns whether a value can be the length of a window: a whole number of milliseconds from a second to a day */
export function isWindowMs(value: unknown): value is number {
  return isWholeNumber(value, MIN_WINDOW_MS, MAX_WINDOW_MS);
}

function isWholeNumber(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
}
