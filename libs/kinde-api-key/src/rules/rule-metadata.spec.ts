import {
  decoratorOf,
  describeRule,
  isEnforceable,
  isRateLimitMetadata,
  metadataList,
  type RuleMetadata,
} from './rule-metadata.js';

const METADATA: readonly (readonly [metadata: RuleMetadata, text: string, isRateLimit: boolean])[] = [
  [{ kind: 'public' }, '@PublicRoute()', false],
  [{ kind: 'any-valid-key' }, '@AnyValidKey()', false],
  [{ kind: 'scopes', scopes: ['a', 'b'] }, "@RequireScopes('a', 'b')", false],
  [{ kind: 'any-scope', scopes: ['a'] }, "@RequireAnyScope('a')", false],
  [{ kind: 'organization', target: undefined }, '@OrgScoped()', false],
  [{ kind: 'user' }, '@UserScoped()', false],
  [{ kind: 'keys-only' }, '@KeysOnly()', false],
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

describe('describeRule() of what a newer copy stored', () => {
  it.each([
    [{ kind: 'scopes', scopes: [] }, 'a rule of the kind "scopes"'],
    [{ kind: 'later' }, 'a rule of the kind "later"'],
    [{}, 'a rule of the kind undefined'],
  ])('names the kind of %j', (metadata, text) => {
    expect(describeRule(metadata as RuleMetadata)).toBe(text);
  });
});

describe('decoratorOf()', () => {
  it.each(METADATA)('returns the decorator of %j without its arguments', (metadata, text) => {
    expect(decoratorOf(metadata)).toBe(`${text.replace(/\(.*/, '')}()`);
  });
});

describe('metadataList()', () => {
  it('returns stored metadata as a list, and an empty one if nothing was stored', () => {
    const metadata: RuleMetadata = { kind: 'user' };
    expect(metadataList(undefined)).toEqual([]);
    expect(metadataList([metadata])).toEqual([metadata]);
    expect(metadataList(metadata)).toEqual([metadata]);
  });

  it.each([[null], ['public'], [7], [() => undefined]])('keeps %p as metadata that cannot be enforced', (stored) => {
    for (const list of [metadataList(stored), metadataList([stored])]) {
      expect(list).toEqual([{ kind: 'unreadable' }]);
      expect(list.some(isEnforceable)).toBe(false);
    }
  });
});

describe('isRateLimitMetadata()', () => {
  it.each(METADATA)('tells rate limits from access: %j', (metadata, _text, isRateLimit) => {
    expect(isRateLimitMetadata(metadata)).toBe(isRateLimit);
  });
});

describe('isEnforceable()', () => {
  it.each(METADATA)('is true for what this copy stores: %j', (metadata) => {
    expect(isEnforceable(metadata)).toBe(true);
  });

  it.each(METADATA)('is false for a field that this copy does not know, beside %j', (metadata) => {
    for (const field of [{ unlessAdmin: undefined }, { constructor: true }])
      expect(isEnforceable({ ...metadata, ...field } as RuleMetadata)).toBe(false);
  });

  it.each(['later', 'constructor', 'toString', '__proto__', '', undefined, 7])(
    'is false for the unknown kind %p',
    (kind) => {
      expect(isEnforceable({ kind } as unknown as RuleMetadata)).toBe(false);
    },
  );

  it.each([
    { kind: 'scopes' },
    { kind: 'scopes', scopes: [] },
    { kind: 'scopes', scopes: 'a' },
    { kind: 'scopes', scopes: ['a', 7] },
    { kind: 'any-scope' },
    { kind: 'any-scope', scopes: [] },
    { kind: 'any-scope', scopes: { length: 1, 0: 'a' } },
    { kind: 'organization', target: { cookie: 'org' } },
    { kind: 'organization', target: null },
    { kind: 'rate-limit', windowMs: 1_000 },
    { kind: 'rate-limit', limit: 5 },
    { kind: 'rate-limit', limit: 0, windowMs: 1_000 },
    { kind: 'rate-limit', limit: -1, windowMs: 1_000 },
    { kind: 'rate-limit', limit: 1.5, windowMs: 1_000 },
    { kind: 'rate-limit', limit: '5', windowMs: 1_000 },
    { kind: 'rate-limit', limit: 5, windowMs: 0 },
    { kind: 'rate-limit', limit: 5, windowMs: Infinity },
  ])('is false for a value of another form: %j', (metadata) => {
    expect(isEnforceable(metadata as unknown as RuleMetadata)).toBe(false);
  });

  it('is true for the smallest limit and window, and for a target of each form', () => {
    expect(isEnforceable({ kind: 'rate-limit', limit: 1, windowMs: 1 })).toBe(true);
    expect(isEnforceable({ kind: 'organization', target: { body: 'org' } })).toBe(true);
    expect(isEnforceable({ kind: 'organization' } as unknown as RuleMetadata)).toBe(true);
  });

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
