import type { Caller } from '../api-key/principal.js';
import {
  choice,
  integer,
  isIntegerIn,
  option,
  type OptionalIn,
  type OptionKind,
  type RequiredIn,
} from './option-kinds.js';

const LIMIT = { min: 1, max: 10_000 } as const;
const WINDOW = { min: 1_000, max: 86_400_000, unit: 'ms' } as const;

/** The largest limit: the timestamp of every request in the window is kept. */
export const MAX_LIMIT = LIMIT.max;

/** @returns whether a value is a limit: a whole number from 1 to 10,000 */
export function isLimit(value: unknown): value is number {
  return isIntegerIn(LIMIT, value);
}

/** Returns the limit of a caller. A method, so that an app without `principals` may declare its parameter as a `VerifiedApiKey`. */
type LimitFunction = { limit(caller: Caller): number }['limit'];

/** Number of requests of a caller that are accepted in any window, or a function that returns it. */
export type Limit = number | LimitFunction;

const fixedLimit = integer({ ...LIMIT, default: 100 });
const limit: OptionKind<Limit> = {
  ...fixedLimit,
  takes: `${fixedLimit.takes}, or a function of the caller`,
  read: (given, name, reading) =>
    typeof given === 'function' ? (given as Limit) : fixedLimit.read(given, name, reading),
};

/** The options of `rateLimit`. */
export const RATE_LIMIT_OPTIONS = {
  /**
   * Number of requests of one caller that are accepted in any window. May be a function of the verified key (or other principal) that returns
   * such a number, e.g. by the plan of its organization; it is called for every request and must not return a promise. When it throws or returns anything else, the
   * request is refused with 429 `RATE_LIMITED`, and the first time is logged. 1 to 10,000. Default 100.
   */
  limit,
  /** Length of the sliding window. In milliseconds, 1,000 to 86,400,000. Default 60,000. */
  windowMs: integer({ ...WINDOW, default: 60_000 }),
  /**
   * Responses that carry `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-11), also for `@RateLimit()`. `'refusals'`:
   * only 429 `RATE_LIMITED`. `'always'`: every response to a counted request, which costs a few microseconds. Default `'refusals'`.
   */
  headers: choice('refusals', 'always'),
};

/** How often one key may be used. */
export interface KindeApiKeyRateLimitOptions extends OptionalIn<typeof RATE_LIMIT_OPTIONS> {}

/** The options of `@RateLimit()`. */
export const ROUTE_RATE_LIMIT_OPTIONS = {
  /** Number of requests of one key that are accepted in any window. 1 to 10,000. Required. */
  limit: integer(LIMIT),
  /** Length of the sliding window. In milliseconds, 1,000 to 86,400,000. Required. */
  windowMs: integer(WINDOW),
  /**
   * Name of the budget, which is also the policy's name in `RateLimit-Policy`. Limits with the same name share one budget, and must be equal.
   * 1 to 100 characters of printable ASCII. Default: made from the route, e.g. `GET /reports/:id`.
   */
  name: option<string, undefined>({
    takes: 'a text of 1 to 100 characters of printable ASCII, without blanks around it',
    accepts: isBudgetName,
    absent: undefined,
  }),
};

/** Whether a value may name a budget: 1 to 100 characters that fit into a header. */
export function isBudgetName(value: unknown): value is string {
  return typeof value === 'string' && /^(?! )[\x20-\x7e]{1,100}(?<! )$/.test(value);
}

/** The options of `failedAttempts`. */
export const FAILED_ATTEMPTS_OPTIONS = {
  /** Number of refused keys allowed per window. 1 to 10,000. Required. */
  limit: integer(LIMIT),
  /** Length of the window. In milliseconds, 1,000 to 86,400,000. Required. */
  windowMs: integer(WINDOW),
};

/** How many refused keys one client network may send. */
export interface KindeApiKeyFailedAttemptsOptions extends RequiredIn<typeof FAILED_ATTEMPTS_OPTIONS> {}
