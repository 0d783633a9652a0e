import { compileRule, findContradiction, type HandlerMetadata } from './route-rule.js';
import type { RuleMetadata } from './rule-metadata.js';

const PUBLIC: RuleMetadata = { kind: 'public' };
const ANY: RuleMetadata = { kind: 'any-valid-key' };
const USER: RuleMetadata = { kind: 'user' };
const ORG: RuleMetadata = { kind: 'organization', target: undefined };
const ORG_OF_KEY: RuleMetadata = { kind: 'organization', target: { from: 'key' } };
const ALL = (...scopes: string[]): RuleMetadata => ({ kind: 'scopes', scopes });
const ONE = (...scopes: string[]): RuleMetadata => ({ kind: 'any-scope', scopes });

/** A source stands for its target: how it reads is another matter. */
function compile(ofClass: readonly RuleMetadata[], ofMethod: readonly RuleMetadata[]) {
  return compileRule('Users.find', { ofClass, ofMethod }, ({ target }) =>
    target && 'from' in target ? null : () => ({ orgCode: 'claimed' }),
  );
}

interface Row {
  readonly ofClass: readonly RuleMetadata[];
  readonly ofMethod: readonly RuleMetadata[];
  /** What comes out of it, in short: `public`, or what is demanded. */
  readonly rule: string;
  readonly isDecided?: false;
}

/** How rules combine (class rule, method rule -> what is demanded). */
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
    ...(access.needsOrganization ? [`org ${organizations.length}`] : []),
  ];
  return demands.join(' ') || 'any key';
}

describe('compileRule', () => {
  it.each(COMBINATIONS.map((row) => ({ ...row, of: JSON.stringify(row.ofClass), and: JSON.stringify(row.ofMethod) })))(
    'makes "$rule" of class $of and method $and',
    ({ ofClass, ofMethod, rule, isDecided = true }) => {
      const compiled = compile(ofClass, ofMethod);
      expect(inShort(compiled)).toBe(rule);
      expect(compiled).toMatchObject({ route: 'Users.find', isDecided });
    },
  );

  it('demands nothing at all on a public route', () => {
    expect(compile([ALL('a'), ONE('b'), ORG, USER], [PUBLIC])).toMatchObject({
      access: { requiredScopes: [], requiredAnyOf: [], needsOrganization: false, needsUser: false },
      organizations: [],
    });
  });

  it('never asks for the source of an organization on a public route', () => {
    const makeSource = jest.fn(() => null);
    compileRule('Users.find', { ofClass: [ORG], ofMethod: [PUBLIC] }, makeSource);
    expect(makeSource).not.toHaveBeenCalled();
  });
});

describe('findContradiction', () => {
  const consistent: readonly HandlerMetadata[] = COMBINATIONS;

  it.each(consistent.map((parts) => [JSON.stringify(parts), parts] as const))('finds none in %s', (_text, parts) => {
    expect(findContradiction(parts)).toBeNull();
  });

  it.each([
    [[PUBLIC, ALL('a')], "@RequireScopes('a')"],
    [[ONE('a', 'b'), PUBLIC], "@RequireAnyScope('a', 'b')"],
    [[PUBLIC, ORG], '@OrgScoped()'],
    [[PUBLIC, USER], '@UserScoped()'],
    [[PUBLIC, ANY], '@AnyValidKey()'],
  ] as const)('names what contradicts @PublicRoute() on one method: %j', (ofMethod, text) => {
    expect(findContradiction({ ofClass: [], ofMethod })).toBe(
      `is public and required at once: ${text} and @PublicRoute() both stand on the method (a method that it overrides counts); ` +
        'remove one of them',
    );
  });

  it('names a contradiction on one class', () => {
    expect(findContradiction({ ofClass: [USER, PUBLIC], ofMethod: [PUBLIC] })).toBe(
      'is public and required at once: @UserScoped() and @PublicRoute() both stand on the class (its ancestors count); remove one of them',
    );
  });
});
