import { readArgument, type OptionalIn, type RequiredIn } from '../config/option-kinds.js';
import { ROUTE_RATE_LIMIT_OPTIONS } from '../config/rate-limit-options.js';
import type { ApiKeyRuleDecorator } from './access.decorators.js';
import { ruleDecorator } from './rule-storage.js';

/** A rate limit of a class or a method. */
export interface ApiKeyRateLimit
  extends
    RequiredIn<typeof ROUTE_RATE_LIMIT_OPTIONS, 'limit' | 'windowMs'>,
    OptionalIn<typeof ROUTE_RATE_LIMIT_OPTIONS, 'name'> {}

/**
 * Limits how often one key may call one method, or the methods of a class together. It replaces the limit of the class, an ancestor or the
 * option `rateLimit`: the nearest counts, and limits do not add up. A request over it gets 429 `RATE_LIMITED`.
 *
 * Limits with the same `name` share one budget. Without a name, the budget is that of the route or of the class: two controllers that
 * inherit the decorator have a budget each. It is not a decision about access: `globalGuard` still demands one. It stops the boot on a public route, where keys are ignored.
 *
 * @param rateLimit the limit and its window
 * @throws {TypeError} when the class is defined: for a limit or a window that is missing or out of range, a name that is not printable
 *   ASCII, or another field
 */
export function RateLimit(rateLimit: ApiKeyRateLimit): ApiKeyRuleDecorator {
  const cure = ', e.g. @RateLimit({ limit: 100, windowMs: 60_000 })';
  const { limit, windowMs, name } = readArgument(ROUTE_RATE_LIMIT_OPTIONS, rateLimit, '@RateLimit', cure);
  return ruleDecorator(Object.freeze({ kind: 'rate-limit', limit, windowMs, ...(name === undefined ? {} : { name }) }));
}

/**
 * Neither limits nor counts requests here, whatever the class, an ancestor or the option `rateLimit` say. A nearer {@link RateLimit} still
 * counts: on a method, it replaces this decorator on the class.
 */
export function SkipRateLimit(): ApiKeyRuleDecorator {
  return ruleDecorator({ kind: 'skip-rate-limit' });
}
