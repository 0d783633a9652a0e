import { readArgument, type OptionalIn, type RequiredIn } from '../config/option-table.js';
import { ROUTE_RATE_LIMIT_OPTIONS } from '../config/rate-limit-options.js';
import type { ApiKeyRuleDecorator } from './access.decorators.js';
import { ruleDecorator } from './rule-storage.js';

/** A limit of a class or a method of its own. */
export interface ApiKeyRateLimit
  extends OptionalIn<typeof ROUTE_RATE_LIMIT_OPTIONS>, RequiredIn<typeof ROUTE_RATE_LIMIT_OPTIONS> {}

/**
 * How often one key may call the methods of a class together, or one method. It replaces what the class, an ancestor or the option
 * `rateLimit` say: the nearest one counts, and nothing adds up. A request beyond it gets 429 `RATE_LIMITED`.
 *
 * On a class the budget is that of the class that Nest serves: two controllers that inherit the decorator have a budget each. It is no
 * decision about access: `globalGuard` still demands one. On a public route, which knows no key, it stops the boot.
 *
 * @param rateLimit the limit and its window
 * @throws {TypeError} when the class is defined: for a limit or a window that is missing or out of range, or another field
 */
export function RateLimit(rateLimit: ApiKeyRateLimit): ApiKeyRuleDecorator {
  const cure = ', e.g. @RateLimit({ limit: 100, windowMs: 60_000 })';
  const { limit, windowMs } = readArgument(ROUTE_RATE_LIMIT_OPTIONS, rateLimit, '@RateLimit', cure);
  return ruleDecorator('@RateLimit()', Object.freeze({ kind: 'rate-limit', limit, windowMs }));
}

/**
 * Requests here are not limited and not counted, whatever the class, an ancestor or the option `rateLimit` say. A {@link RateLimit} that stands
 * nearer (on the method, where this one is on the class) counts all the same.
 */
export function SkipRateLimit(): ApiKeyRuleDecorator {
  return ruleDecorator('@SkipRateLimit()', { kind: 'skip-rate-limit' });
}
