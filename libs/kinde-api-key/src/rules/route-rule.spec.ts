import type { RateLimitRule } from '../rate-limit/rate-limit-rule.js';
import { compileRateLimit, compileRule, findProblems } from './route-rule.js';
import type { AccessMetadata, HandlerMetadata, RateLimitMetadata } from './rule-metadata.js';

const PUBLIC: AccessMetadata = { kind: 'public' };
const ANY: AccessMetadata = { kind: 'any-valid-key' };
const USER: AccessMetadata = { kind: 'user' };
const KEYS: AccessMetadata = { kind: 'keys-only' };
const ORG: AccessMetadata = { kind: 'organization', target: undefined };
const ORG_OF_KEY: AccessMetadata = { kind: 'organization', target: { from: 'key' } };
const ALL = (...scopes: string[]): AccessMetadata => ({ kind: 'scopes', scopes });
const ONE = (...scopes: string[]): AccessMetadata => ({ kind: 'any-scope', scopes });

const LIMIT: RateLimitMetadata = { kind: 'rate-limit', limit: 5, windowMs: 1_000 };
const SKIP: RateLimitMetadata = { kind: 'skip-rate-limit' };
const RATE_LIMIT: RateLimitRule = {
  scope: 'default',
  policy: 'default',
  limit: 5,
  windowMs: 1_000,
  sendsHeadersOnSuccess: false,
};

const NOTHING: HandlerMetadata['ofClass'] = { access: [], rateLimits: [] };

function accessOf(ofClass: readonly AccessMetadata[], ofMethod: readonly AccessMetadata[]): HandlerMetadata {
  return { ofClass: { access: ofClass, rateLimits: [] }, ofMethod: { access: ofMethod, rateLimits: [] } };
}

/** Compiles a rule whose readers do not depend on their target. */
function compile(ofClass: readonly AccessMetadata[], ofMethod: readonly AccessMetadata[]) {
  const readerOf: Parameters<typeof compileRule>[2] = (target) =>
    target && 'from' in target ? null : () => ({ orgCode: 'claimed' });
  return compileRule('Users.find', accessOf(ofClass, ofMethod), readerOf, RATE_LIMIT).rule;
}

interface Row {
  readonly ofClass: readonly AccessMetadata[];
  readonly ofMethod: readonly AccessMetadata[];
  /** The compiled rule in short: `public`, or what is demanded. */
  readonly rule: string;
  readonly isDecided?: false;
}

/** How rules combine: class metadata, method metadata -> what is demanded. */
const COMBINATIONS: readonly Row[] = [
  { ofClass: [], ofMethod: [], rule: 'any key', isDecided: false },
  { ofClass: [ANY], ofMethod: [], rule: 'any key' },
  { ofClass: [], ofMethod: [ANY], rule: 'any key' },
  { ofClass: [ALL('a')], ofMethod: [], rule: 'a' },
  { ofClass: [], ofMethod: [ALL('a')], rule: 'a' },
  { ofClass: [ALL('a')], ofMethod: [ALL('b')], rule: 'a b' },
  { ofClass: [ALL('a', 'b')], ofMethod: [ALL('b', 'c')], rule: 'a b c' },
  { ofClass: [ALL('b'), ALL('a')], ofMethod: [ALL('d'), ALL('c')], rule: 'b a d c' },
  { ofClass: [ALL('a')], ofMethod: [ANY], rule: 'a' },
  { ofClass: [ANY], ofMethod: [ALL('a')], rule: 'a' },
  { ofClass: [ONE('a', 'b')], ofMethod: [], rule: '(a|b)' },
  { ofClass: [ONE('a', 'b')], ofMethod: [ONE('b', 'c')], rule: '(a|b) (b|c)' },
  { ofClass: [ONE('a', 'b')], ofMethod: [ALL('c')], rule: 'c (a|b)' },
  { ofClass: [USER], ofMethod: [ALL('a')], rule: 'a user' },
  { ofClass: [], ofMethod: [USER, USER], rule: 'user' },
  { ofClass: [KEYS], ofMethod: [], rule: 'key' },
  { ofClass: [USER], ofMethod: [KEYS], rule: 'user key' },
  { ofClass: [ORG], ofMethod: [], rule: 'org 1' },
  { ofClass: [ORG], ofMethod: [ORG], rule: 'org 2' },
  { ofClass: [ORG_OF_KEY], ofMethod: [], rule: 'org 0' },
  { ofClass: [ORG_OF_KEY], ofMethod: [ORG, ALL('a')], rule: 'a org 1' },
  { ofClass: [PUBLIC], ofMethod: [], rule: 'public' },
  { ofClass: [], ofMethod: [PUBLIC], rule: 'public' },
  { ofClass: [PUBLIC], ofMethod: [PUBLIC], rule: 'public' },
  { ofClass: [ALL('a'), ORG, USER], ofMethod: [PUBLIC], rule: 'public' },
  { ofClass: [PUBLIC], ofMethod: [ALL('a')], rule: 'a' },
  { ofClass: [PUBLIC], ofMethod: [ONE('a', 'b')], rule: '(a|b)' },
  { ofClass: [PUBLIC], ofMethod: [USER], rule: 'user' },
  { ofClass: [PUBLIC], ofMethod: [ORG], rule: 'org 1' },
  { ofClass: [PUBLIC], ofMethod: [ANY], rule: 'any key' },
];

function inShort({ isPublic, access, organizations }: ReturnType<typeof compile>): string {
  if (isPublic) return 'public';
  const demands = [
    ...access.requiredScopes,
    ...access.requiredAnyOf.map((list) => `(${list.join('|')})`),
    ...(access.needsUser ? ['user'] : []),
    ...(access.needsKey ? ['key'] : []),
    ...(access.needsOrganization ? [`org ${organizations.length}`] : []),
  ];
  return demands.join(' ') || 'any key';
}

describe('compileRule()', () => {
  it.each(COMBINATIONS.map((row) => ({ ...row, of: JSON.stringify(row.ofClass), and: JSON.stringify(row.ofMethod) })))(
    'compiles "$rule" from $of on the class and $and on the method',
    ({ ofClass, ofMethod, rule, isDecided = true }) => {
      const compiled = compile(ofClass, ofMethod);
      expect(inShort(compiled)).toBe(rule);
      expect(compiled).toMatchObject({ route: 'Users.find', isDecided });
    },
  );

  it('neither demands nor limits anything on a public route', () => {
    expect(compile([ALL('a'), ONE('b'), ORG, USER, KEYS], [PUBLIC])).toMatchObject({
      access: { requiredScopes: [], requiredAnyOf: [], needsOrganization: false, needsUser: false, needsKey: false },
      organizations: [],
      rateLimit: null,
    });
    expect(compile([PUBLIC], [ANY]).rateLimit).toBe(RATE_LIMIT);
  });

  it('does not make organization readers for a public route', () => {
    const readerOf = jest.fn(() => null);
    compileRule('Users.find', accessOf([ORG], [PUBLIC]), readerOf, null);
    expect(readerOf).not.toHaveBeenCalled();
  });
});

describe('the problems of a compiled rule', () => {
  it('are those of its decorators and of the resolvers that are not found', () => {
    const compiled = compileRule('Users.find', accessOf([], [PUBLIC, USER]), () => null, null);
    expect(compiled.problems).toEqual([expect.stringContaining('both stand on the method')]);
    const targets = accessOf([ORG], [ORG]);
    expect(compileRule('Users.find', targets, () => 'names nothing', null)).toMatchObject({
      rule: { organizations: [], access: { needsOrganization: true } },
      problems: ['names nothing', 'names nothing'],
    });
  });
});

describe('metadata in a form that this copy does not know', () => {
  const LATER = { kind: 'later' } as unknown as AccessMetadata;
  const SCOPELESS = { kind: 'scopes' } as unknown as AccessMetadata;
  const BURST = { ...LIMIT, burst: 7 } as RateLimitMetadata;
  const problem = (rule: string): string =>
    `carries ${rule} in a form that this copy of nestjs-kinde-api-key does not know: two versions are installed; ` +
    'run `npm ls nestjs-kinde-api-key` and keep one';

  it.each([
    ['access of a class', { access: [LATER], rateLimits: [] }, NOTHING, 'a rule of the kind "later"'],
    ['access of a method', NOTHING, { access: [SCOPELESS], rateLimits: [] }, 'a rule of the kind "scopes"'],
    ['a rate limit of a class', { access: [], rateLimits: [BURST] }, NOTHING, 'a rule of the kind "rate-limit"'],
    ['a rate limit of a method', NOTHING, { access: [], rateLimits: [BURST] }, 'a rule of the kind "rate-limit"'],
  ])('is a problem: %s', (_case, ofClass, ofMethod, rule) => {
    expect(findProblems({ ofClass, ofMethod })).toEqual([problem(rule)]);
  });

  it('is one problem if it reaches a handler twice', () => {
    expect(findProblems(accessOf([LATER], [LATER, USER]))).toEqual([problem('a rule of the kind "later"')]);
  });

  it('demands nothing half-read, and is a problem of the compiled rule', () => {
    const { rule, problems } = compileRule('Users.find', accessOf([SCOPELESS], [ALL('a')]), () => null, null);
    expect(rule.access.requiredScopes).toEqual(['a']);
    expect(rule.isDecided).toBe(true);
    expect(problems).toEqual([problem('a rule of the kind "scopes"')]);
  });
});

describe('compileRateLimit()', () => {
  it('encodes a path as a header allows it, characters of two UTF-16 units and halves of them included', () => {
    const names = { ofClass: [], ofMethod: ['GET /"caf\u00e9"/\ud83d\ude00/\ud83d\\'] };
    const ofMethod = { access: [], rateLimits: [LIMIT] };
    expect(compileRateLimit({ ofClass: NOTHING, ofMethod }, names, 'find', null)).toEqual({
      scope: names.ofMethod[0],
      policy: 'GET /\\"caf%C3%A9\\"/%F0%9F%98%80/?\\\\',
      limit: 5,
      windowMs: 1_000,
      sendsHeadersOnSuccess: false,
    });
  });
});

describe('findProblems()', () => {
  it.each(
    COMBINATIONS.map(({ ofClass, ofMethod }) => [JSON.stringify({ ofClass, ofMethod }), ofClass, ofMethod] as const),
  )('returns an empty list for %s', (_text, ofClass, ofMethod) => {
    expect(findProblems(accessOf(ofClass, ofMethod))).toEqual([]);
  });

  it.each([
    [[PUBLIC, ALL('a')], "@RequireScopes('a')"],
    [[ONE('a', 'b'), PUBLIC], "@RequireAnyScope('a', 'b')"],
    [[PUBLIC, ORG], '@OrgScoped()'],
    [[PUBLIC, USER], '@UserScoped()'],
    [[PUBLIC, ANY], '@AnyValidKey()'],
  ] as const)('names the contradiction to @PublicRoute() on one method: %j', (ofMethod, text) => {
    expect(findProblems(accessOf([], ofMethod))).toEqual([
      `is public and required at once: ${text} and @PublicRoute() both stand on the method (a method that it overrides counts); ` +
        'remove one of them',
    ]);
  });

  it('names the contradiction to @PublicRoute() on one class', () => {
    expect(findProblems(accessOf([USER, PUBLIC], [PUBLIC]))).toEqual([
      'is public and required at once: @UserScoped() and @PublicRoute() both stand on the class (its ancestors count); remove one of them',
    ]);
  });

  it('names every problem at once', () => {
    const contradictory = { access: [PUBLIC, USER], rateLimits: [SKIP, LIMIT] };
    expect(findProblems({ ofClass: contradictory, ofMethod: contradictory })).toEqual([
      expect.stringContaining('both stand on the method'),
      'carries @SkipRateLimit() and @RateLimit({ limit: 5, windowMs: 1000 }) on one method: keep one of them',
      expect.stringContaining('both stand on the class'),
      'carries @SkipRateLimit() and @RateLimit({ limit: 5, windowMs: 1000 }) on one class: keep one of them',
      'carries @RateLimit({ limit: 5, windowMs: 1000 }) but is public: limits go by the key, and a public route looks at none; remove one of ' +
        'the two, or add @SkipRateLimit() to the method',
    ]);
  });
});
