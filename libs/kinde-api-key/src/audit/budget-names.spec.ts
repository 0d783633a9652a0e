import type { RouteRule } from '../rules/route-rule.js';
import { budgetProblems } from './budget-names.js';

function ruleOf(route: string, limit?: { scope?: string; limit?: number; windowMs?: number }): RouteRule {
  const { scope = 'export', ...rest } = limit ?? {};
  return {
    route,
    isPublic: false,
    isDecided: true,
    access: { requiredScopes: [], requiredAnyOf: [], needsOrganization: false, needsUser: false, needsKey: false },
    organizations: [],
    resolvesOrganization: false,
    maxAgeMs: null,
    required: { scopes: [], anyOf: [], organization: false, user: false, keysOnly: false, maxAgeMs: null },
    rateLimit: limit
      ? { scope, policy: scope, limit: 5, windowMs: 1_000, sendsHeadersOnSuccess: false, ...rest }
      : null,
  };
}

const problem = (route: string, earlier: string): string =>
  `${route} counts against the same budget as ${earlier}, "export", but with another limit or window: give one of the ` +
  'two another name, e.g. @RateLimit({ limit, windowMs, name }), or make them equal';

describe('budgetProblems()', () => {
  it('is empty for one budget with one limit, for several budgets, and for routes without a limit', () => {
    expect(budgetProblems([])).toEqual([]);
    expect(budgetProblems([ruleOf('A.a'), ruleOf('A.b', {}), ruleOf('A.c'), ruleOf('A.d', {})])).toEqual([]);
    expect(budgetProblems([ruleOf('A.a', { scope: 'a', limit: 1 }), ruleOf('A.b', { scope: 'b', limit: 2 })])).toEqual(
      [],
    );
  });

  it.each([
    ['limit', { limit: 6 }],
    ['window', { windowMs: 2_000 }],
    ['limit and window', { limit: 6, windowMs: 2_000 }],
  ])('names both routes and the cure if one budget has two values of: %s', (_case, other) => {
    expect(budgetProblems([ruleOf('A.a', {}), ruleOf('A.b', other)])).toEqual([problem('A.b', 'A.a')]);
  });

  it('compares every later route with the first of its budget', () => {
    const rules = [ruleOf('A.a', {}), ruleOf('A.b', { limit: 6 }), ruleOf('A.c', {}), ruleOf('A.d', { limit: 6 })];
    expect(budgetProblems(rules)).toEqual([problem('A.b', 'A.a'), problem('A.d', 'A.a')]);
  });
});
