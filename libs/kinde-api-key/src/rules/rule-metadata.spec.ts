import { describeRule, isRateLimitMetadata, type RuleMetadata } from './rule-metadata.js';

const PARTS: readonly (readonly [part: RuleMetadata, text: string, isAboutRates: boolean])[] = [
  [{ kind: 'public' }, '@PublicRoute()', false],
  [{ kind: 'any-valid-key' }, '@AnyValidKey()', false],
  [{ kind: 'scopes', scopes: ['a', 'b'] }, "@RequireScopes('a', 'b')", false],
  [{ kind: 'any-scope', scopes: ['a'] }, "@RequireAnyScope('a')", false],
  [{ kind: 'organization', target: undefined }, '@OrgScoped()', false],
  [{ kind: 'user' }, '@UserScoped()', false],
  [{ kind: 'rate-limit', limit: 5, windowMs: 1_000 }, '@RateLimit({ limit: 5, windowMs: 1000 })', true],
  [{ kind: 'skip-rate-limit' }, '@SkipRateLimit()', true],
];

describe('a part of a rule', () => {
  it.each(PARTS)('%j is written as it stands in the source', (part, text) => {
    expect(describeRule(part)).toBe(text);
  });

  it.each(PARTS)('%j is about rates or about access', (part, _text, isAboutRates) => {
    expect(isRateLimitMetadata(part)).toBe(isAboutRates);
  });
});
