import { isLimit, isWindowMs } from '../rate-limit/rate-limit-rule.js';
import type { ApiKeyRuleDecorator } from './access.decorators.js';
import { ruleDecorator } from './rule-storage.js';

/** A limit of a class or a method of its own. */
export interface ApiKeyRateLimit {
  /** How many requests of one key are accepted in any window, a whole number from 1 to 10,000. */
  readonly limit: number;
  /** Length of the window in milliseconds, a whole number from 1,000 to 86,400,000 (a day). */
  readonly windowMs: number;
}

const DECORATOR = '@RateLimit()';
const EXAMPLE = 'e.g. @RateLimit({ limit: 100, windowMs: 60_000 })';

/**
 * How often one key may call the methods of a class together, or one method. It replaces what the class, an ancestor or the option
 * `rateLimit` say: the nearest one counts, and nothing adds up. A request beyond it gets 429 `RATE_LIMITED`.
 *
 * On a class the budget is that of the class that Nest serves: two controllers that inherit the decorator have a budget each. It is no
 * decision about access: `globalGuard` still demands one. On a public route, which knows no key, it stops the boot.
 *
 * @param rateLimit the limit and its window
 * @throws {TypeError} when the class is defined: for a limit that is no whole number from 1 to 10,000, a window that is no whole number from
 * 1,000 to 86,400,000, or another field
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
 * Requests here are not limited and not counted, whatever the class, an ancestor or the option `rateLimit` say. A {@link RateLimit} that stands
 * nearer (on the method, where this one is on the class) counts all the same.
 */
export function SkipRateLimit(): ApiKeyRuleDecorator {
  return ruleDecorator('@SkipRateLimit()', { kind: 'skip-rate-limit' });
}

function checkedObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new TypeError(`${DECORATOR} needs an object: ${EXAMPLE}`);
}
