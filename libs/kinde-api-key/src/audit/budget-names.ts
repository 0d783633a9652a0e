import type { AnyFunction } from '../handlers/ancestors.js';
import type { RouteRule } from '../rules/route-rule.js';

type RateLimitRule = NonNullable<RouteRule['rateLimit']>;

/** A rule that is in force, and the class that Nest registered for it. */
export interface RuleInForce {
  readonly rule: RouteRule;
  readonly registered: AnyFunction;
}

/**
 * Finds rate limits whose budgets have the same name by mistake: limits that differ cannot be kept in one budget, and two classes that have the
 * same path would share one that each of them states for itself.
 */
export function budgetProblems(rules: readonly RuleInForce[]): readonly string[] {
  const first = new Map<string, { readonly limit: RateLimitRule } & RuleInForce>();
  const problems = new Set<string>();
  for (const { rule, registered } of rules) {
    const limit = rule.rateLimit;
    if (!limit) continue;
    const earlier = first.get(limit.scope);
    if (!earlier) first.set(limit.scope, { limit, rule, registered });
    else if (limit.limit !== earlier.limit.limit || limit.windowMs !== earlier.limit.windowMs)
      problems.add(
        `${rule.route} counts against the budget "${limit.scope}" of ${describe(earlier.limit, earlier.rule)}, but with another limit or ` +
          'window: give one of the two another name, e.g. @RateLimit({ limit, windowMs, name }), or make them equal',
      );
    else if (limit.namedBy === 'class' && earlier.limit.namedBy === 'class' && registered !== earlier.registered)
      problems.add(
        `${registered.name} and ${earlier.registered.name} have the same path, "${limit.scope}", and a @RateLimit() each: give each of them a ` +
          'name, or both the same to share one budget, e.g. @RateLimit({ limit, windowMs, name })',
      );
  }
  return [...problems];
}

function describe({ namedBy }: RateLimitRule, { route }: RouteRule): string {
  return namedBy === 'option' ? 'the option rateLimit' : route;
}
