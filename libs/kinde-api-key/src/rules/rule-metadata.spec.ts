import { describeRule, isEnforceable, isRateLimitMetadata, type RuleMetadata } from './rule-metadata.js';

const METADATA: readonly (readonly [metadata: RuleMetadata, text: string, isRateLimit: boolean])[] = [
  [{ kind: 'public' }, '@PublicRoute()', false],
  [{ kind: 'any-valid-key' }, '@AnyValidKey()', false],
  [{ kind: 'scopes', scopes: ['a', 'b'] }, "@RequireScopes('a', 'b')", false],
  [{ kind: 'any-scope', scopes: ['a'] }, "@RequireAnyScope('a')", false],
  [{ kind: 'organization', target: undefined }, '@OrgScoped()', false],
  [{ kind: 'user' }, '@UserScoped()', false],
  [{ kind: 'rate-limit', limit: 5, windowMs: 1_000 }, '@RateLimit({ limit: 5, windowMs: 1000 })', true],
  [
    { kind: 'rate-limit', limit: 5, windowMs: 1_000, name: 'export' },
    "@RateLimit({ limit: 5, windowMs: 1000, name: 'export' })",
    true,
  ],
  [{ kind: 'skip-rate-limit' }, '@SkipRateLimit()', true],
];

describe('describeRule()', () => {
  it.each(METADATA)('writes %j as in the source', (metadata, text) => {
    expect(describeRule(metadata)).toBe(text);
  });
});

describe('isRateLimitMetadata()', () => {
  it.each(METADATA)('tells rate limits from access: %j', (metadata, _text, isRateLimit) => {
    expect(isRateLimitMetadata(metadata)).toBe(isRateLimit);
  });
});

describe('isEnforceable()', () => {
  it.each([
    ['no name', {}, true],
    ['a name', { name: 'export' }, true],
    ['a name that does not fit into a header', { name: 'größe' }, false],
    ['a name that is not a text', { name: 7 }, false],
    ['a field of a newer copy', { burst: 7 }, false],
  ])('refuses what this copy cannot keep in a rate limit: %s', (_case, fields, expected) => {
    const metadata = { kind: 'rate-limit', limit: 5, windowMs: 1_000, ...fields } as RuleMetadata;
    expect(isEnforceable(metadata)).toBe(expected);
  });
});
