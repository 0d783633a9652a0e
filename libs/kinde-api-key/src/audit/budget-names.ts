import type { RouteRule } from '../rules/route-rule.js';

/** Finds rate limits whose budgets have the same name although the limits differ: one budget cannot keep both. */
export function budgetProblems(rules: readonly RouteRule[]): readonly string[] {
  const first = new Map<string, RouteRule>();
  return rules.flatMap((rule) => {
    const limit = rule.rateLimit;
    if (!limit) return [];
    const earlier = first.get(limit.scope) ?? rule;
    first.set(limit.scope, earlier);
    if (limit.limit === earlier.rateLimit?.limit && limit.windowMs === earlier.rateLimit.windowMs) return [];
    return [
      `${rule.route} counts against the same budget as ${earlier.route}, "${limit.scope}", but with another limit or window: give one of the ` +
        'two another name, e.g. @RateLimit({ limit, windowMs, name }), or make them equal',
    ];
  });
}
