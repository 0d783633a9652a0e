import { isLimit, isWindowMs } from '../rate-limit/rate-limit-rule.js';
import type { ApiKeyRuleDecorator } from './access.decorators.js';
import { ruleDecorator } from './rule-storage.js';

/** A rate limit of a class or a method. */
export interface ApiKeyRateLimit {
  /** Maximum number of accepted requests of one key in any window, a whole number from 1 to 10,000. */
  readonly limit: number;
  /** Length of the window in milliseconds, a whole number from 1,000 to 86,400,000 (a day). */
  readonly windowMs: number;
}

const DECORATOR = '@RateLimit()';
const EXAMPLE = 'e.g. @RateLimit({ limit: 100, windowMs: 60_000 })';

/**
 * Limits how often one key may call one method, or the methods of a class together. It replaces the limit of the class, an ancestor or the
 * option `rateLimit`: the nearest counts, and limits do not add up. A request over it gets 429 `RATE_LIMITED`.
 *
 * On a class the budget is that of the class that Nest serves: two controllers that inherit the decorator have a budget each. It is not a
 * decision about access: `globalGuard` still demands one. It stops the boot on a public route, where keys are ignored.
 *
 * @param rateLimit the limit and its window
 * @throws {TypeError} when the class is defined, for a limit or a window out of range or an unknown field
 */
export function RateLimit(rateLimit: ApiKeyRateLimit): ApiKeyRuleDecorator {
  const { limit, windowMs, ...others } = checkedObject(rateLimit);
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new TypeError(`${DECORATOR} does not know "${unknown}": ${EXAMPLE}`);
  if (!isLimit(limit))
    throw new TypeError(`${DECORATOR} needs a limit that is a whole number from 1 to 10,000: ${EXAMPLE}`);
  if (!isWindowMs(windowMs)) {
    throw new TypeError(
      `${DECORATOR} needs a windowMs that is a whole number of milliseconds from 1,000 to 86,400,000: ${EXAMPLE}`,
    );
  }
  return ruleDecorator(DECORATOR, Object.freeze({ kind: 'rate-limit', limit, windowMs }));
}

/**
 * Neither limits nor counts requests here, whatever the class, an ancestor or the option `rateLimit` say. A nearer {@link RateLimit} still
 * counts: on a method, it replaces this decorator on the class.
 */
export function SkipRateLimit(): ApiKeyRuleDecorator {
  return ruleDecorator('@SkipRateLimit()', { kind: 'skip-rate-limit' });
}

function checkedObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new TypeError(`${DECORATOR} needs an object: ${EXAMPLE}`);
}
