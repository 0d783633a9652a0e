import type { AppHandler } from '../handlers/app-handlers.js';
import type { OrganizationTarget } from '../rules/org-target.js';
import { isRateLimitMetadata, type RuleMetadata } from '../rules/rule-metadata.js';
import type { RegisteredRule } from '../rules/route-rule-registry.js';
import { problemsOf, type HandlerCheckOptions } from './handler-problems.js';

class Users {
  find(): void {}
}

const ROUTE_NAMES = { ofClass: [], ofMethod: [] };
const SCOPES: RuleMetadata = { kind: 'scopes', scopes: ['read:users'] };
const LIMIT: RuleMetadata = { kind: 'rate-limit', limit: 5, windowMs: 1_000 };
const LAX: HandlerCheckOptions = { isStrict: false, orgParam: 'orgCode' };
const STRICT: HandlerCheckOptions = { isStrict: true, orgParam: 'orgCode' };

function handlerWith(given: Partial<AppHandler> = {}): AppHandler {
  return {
    registered: Users,
    told: Users,
    prototype: Users.prototype,
    name: 'find',
    handler: Users.prototype['find'],
    routeNames: ROUTE_NAMES,
    transport: 'http',
    paths: ['/users'],
    guards: [],
    ...given,
  };
}

interface Given {
  readonly isPublic?: boolean;
  readonly isDecided?: boolean;
  readonly problems?: readonly string[];
}

const NOTHING = { access: [], rateLimits: [] };

/** A rate limit alone is not a decision about access. */
function registered(metadata: readonly RuleMetadata[], given: Given = {}): RegisteredRule {
  const { isPublic = false, isDecided = metadata.some((one) => one !== LIMIT), problems = [] } = given;
  return {
    rule: {
      route: 'Users.find',
      isPublic,
      isDecided,
      access: { requiredScopes: [], requiredAnyOf: [], needsOrganization: false, needsUser: false, needsKey: false },
      organizations: [],
      resolvesOrganization: false,
      maxAgeMs: null,
      required: { scopes: [], anyOf: [], organization: false, user: false, keysOnly: false, maxAgeMs: null },
      rateLimit: null,
    },
    problems,
    origins: {
      ofClass: NOTHING,
      ofMethod: {
        access: metadata.filter((one) => !isRateLimitMetadata(one)),
        rateLimits: metadata.filter(isRateLimitMetadata),
      },
      listed: false,
    },
    registered: Users,
    names: ['find'],
    routeNames: ROUTE_NAMES,
    conflicts: [],
  };
}

const NO_GUARD = (carried: string): string =>
  `carries ${carried} but no ApiKeyGuard reaches it: add @UseGuards(ApiKeyGuard) to the class or the ` +
  'method, set globalGuard: true, or name your own guard that calls ApiKeyGuard in the option guardedBy';
const NO_DECISION =
  'has no decision, which globalGuard demands of every handler: add @RequireScopes(), @AnyValidKey() or another rule, ' +
  '@PublicRoute(), or name a controller that you cannot edit in globalGuard: { publicControllers: [...] }';

describe('problems of a route', () => {
  it('are empty if a guard reaches it and it has a decision', () => {
    expect(problemsOf(handlerWith(), registered([SCOPES]), true, STRICT)).toEqual([]);
    expect(problemsOf(handlerWith(), registered([SCOPES, LIMIT]), true, LAX)).toEqual([]);
  });

  it('are empty without a rule and without a guard, unless every handler needs a decision', () => {
    expect(problemsOf(handlerWith(), registered([]), false, LAX)).toEqual([]);
    expect(problemsOf(handlerWith(), registered([]), true, LAX)).toEqual([]);
    expect(problemsOf(handlerWith(), registered([]), true, STRICT)).toEqual([NO_DECISION]);
  });

  it('name every decorator once if no guard reaches it', () => {
    const metadata = [SCOPES, { kind: 'user' } as const, { ...SCOPES }];
    expect(problemsOf(handlerWith(), registered(metadata), false, LAX)).toEqual([
      NO_GUARD("@RequireScopes('read:users') @UserScoped()"),
    ]);
  });

  it('name a rate limit without a decision that no guard reaches', () => {
    const carried = NO_GUARD('@RateLimit({ limit: 5, windowMs: 1000 })');
    expect(problemsOf(handlerWith(), registered([LIMIT]), false, LAX)).toEqual([carried]);
    expect(problemsOf(handlerWith(), registered([LIMIT, LIMIT]), false, STRICT)).toEqual([carried, NO_DECISION]);
    expect(problemsOf(handlerWith(), registered([LIMIT]), true, STRICT)).toEqual([NO_DECISION]);
  });

  it('are empty for a public route, in any transport', () => {
    const rule = registered([{ kind: 'public' }], { isPublic: true });
    for (const transport of ['http', 'rpc', 'ws', 'external'] as const)
      expect(problemsOf(handlerWith({ transport }), rule, false, STRICT)).toEqual([]);
  });

  it('are those of its rule alone if the rule has problems', () => {
    for (const isPublic of [true, false]) {
      const rule = registered([SCOPES], { isPublic, problems: ['is public and required at once'] });
      expect(problemsOf(handlerWith(), rule, false, STRICT)).toEqual(['is public and required at once']);
    }
  });
});

describe('problems of a handler that another package calls', () => {
  const handler = handlerWith({ transport: 'external', paths: [] });
  const CALLED = 'is called by another package, for example by jobs of a queue, where ApiKeyGuard cannot check keys';
  const CURE = 'add @PublicRoute(), and call ApiKeyVerificationService where the key arrives';

  it('name a rule that cannot be enforced', () => {
    for (const options of [LAX, STRICT])
      expect(problemsOf(handler, registered([SCOPES]), true, options)).toEqual([
        `carries @RequireScopes('read:users') but ${CALLED}: remove the rule, ${CURE}`,
      ]);
  });

  it('name a missing decision only if every handler needs one', () => {
    expect(problemsOf(handler, registered([]), true, LAX)).toEqual([]);
    expect(problemsOf(handler, registered([]), true, STRICT)).toEqual([
      `has no decision, which globalGuard demands of every handler. It ${CALLED}: ${CURE}, or name a class that you cannot edit in ` +
        'globalGuard: { publicControllers: [...] }',
    ]);
    expect(problemsOf(handler, registered([], { isDecided: true }), true, STRICT)).toEqual([]);
  });
});

describe.each([
  ['graphql', "fieldResolverEnhancers: ['guards']", 'GraphQL operations', ['arg', 'header']],
  ['ws', 'global guards reach gateways since Nest 12 only', 'WebSocket messages', ['arg', 'header']],
  ['rpc', 'global guards do not reach the microservices of a hybrid app', 'messages of a microservice', ['arg']],
  ['http', 'set globalGuard: true', 'HTTP requests', ['param', 'header', 'query', 'body']],
] as const)('problems of a handler with the transport %s', (transport, guardCure, calls, readable) => {
  const handler = handlerWith({ transport, paths: [] });

  it('are empty if a guard reaches it and it has a decision', () => {
    expect(problemsOf(handler, registered([SCOPES, LIMIT]), true, STRICT)).toEqual([]);
  });

  it('name a rule that no guard reaches, and how one gets there', () => {
    const [problem, ...others] = problemsOf(handler, registered([SCOPES]), false, LAX);
    expect(others).toEqual([]);
    expect(problem).toContain(
      "carries @RequireScopes('read:users') but no ApiKeyGuard reaches it: add @UseGuards(ApiKeyGuard)",
    );
    expect(problem).toContain(guardCure);
  });

  it('name a missing decision only if every handler needs one', () => {
    expect(problemsOf(handler, registered([]), true, LAX)).toEqual([]);
    expect(problemsOf(handler, registered([]), true, STRICT)).toEqual([NO_DECISION]);
  });

  it.each(['param', 'header', 'query', 'body', 'arg'])('name an organization that cannot be read: %s', (name) => {
    const target = { [name]: 'org' } as unknown as OrganizationTarget;
    const problems = problemsOf(handler, registered([{ kind: 'organization', target }]), true, LAX);
    const isReadable = (readable as readonly string[]).includes(name);
    expect(problems).toEqual(
      isReadable
        ? []
        : [expect.stringContaining(`carries @OrgScoped() for { ${name}: 'org' }, which ${calls} do not have`)],
    );
    if (!isReadable && transport !== 'http') expect(problems[0]).toContain("@OrgScoped({ arg: 'org' })");
  });

  it.each([{ from: 'key' }, { resolve: () => 'org_a' }] as OrganizationTarget[])('are empty for %p', (target) => {
    expect(problemsOf(handler, registered([{ kind: 'organization', target }]), true, LAX)).toEqual([]);
  });

  it('name the bare @OrgScoped() where there are no route parameters', () => {
    const problems = problemsOf(handler, registered([{ kind: 'organization', target: undefined }]), true, LAX);
    expect(problems).toEqual(transport === 'http' ? [] : [expect.stringContaining("{ param: 'orgCode' }")]);
  });
});

describe('problems of a route parameter that a path lacks', () => {
  const lacking = (paths: string[], target: OrganizationTarget | undefined, orgParam = 'orgCode') =>
    problemsOf(handlerWith({ paths }), registered([{ kind: 'organization', target }]), true, { ...LAX, orgParam });
  const problem = (param: string, which: string): string =>
    `carries @OrgScoped() for the route parameter "${param}", which ${which}: add :${param} to the path, ` +
    "or say where the organization stands, e.g. @OrgScoped({ param: 'id' }) or @OrgScoped({ resolve: MyOrgResolver })";

  it('compare the parameter of the decorator, else that of the options', () => {
    expect(lacking(['/orgs/:orgCode'], undefined)).toEqual([]);
    expect(lacking(['/orgs/:tenant'], undefined, 'tenant')).toEqual([]);
    expect(lacking(['/orgs/:id'], { param: 'id' })).toEqual([]);
    expect(lacking(['/orgs/:id'], undefined)).toEqual([problem('orgCode', 'is in none of its paths')]);
    expect(lacking(['/orgs/:orgCode'], { param: 'id' })).toEqual([problem('id', 'is in none of its paths')]);
  });

  it('name the paths that lack it, of several', () => {
    expect(lacking(['/a/:id', '/b/:id'], { param: 'id' })).toEqual([]);
    expect(lacking(['/a', '/b/:id', '/c'], { param: 'id' })).toEqual([problem('id', 'is not in /a and /c')]);
    expect(lacking(['/a', '/c'], { param: 'id' })).toEqual([problem('id', 'is in none of its paths')]);
  });

  it.each([
    { query: 'org' },
    { header: 'x-org' },
    { body: 'org' },
    { from: 'key' },
    { resolve: () => 'org_a' },
  ] as OrganizationTarget[])('are empty for another target: %p', (target) => {
    expect(lacking(['/orgs'], target)).toEqual([]);
  });

  it('are found for every decorator of several, and not for rules of other kinds', () => {
    const metadata: RuleMetadata[] = [
      { kind: 'organization', target: { param: 'a' } },
      SCOPES,
      { kind: 'organization', target: { param: 'b' } },
    ];
    expect(problemsOf(handlerWith({ paths: ['/'] }), registered(metadata), true, LAX)).toEqual([
      problem('a', 'is in none of its paths'),
      problem('b', 'is in none of its paths'),
    ]);
  });

  it.each([
    '/:id',
    '/:id/x',
    '/a/:id.json',
    '/a-:id-b',
    '/:id(\\d+)',
    '/:id{.json}',
    '/:id:lang?',
    '/:"id"',
    '/{:lang/}:id',
    '/:lang?/:id',
    '/:lang(a|b)?/:id',
    '/:other/:id?x=/:id',
    '/{a/{:b/}}:id',
    '/\\{:id\\}',
    '/(a|b)?/:id',
  ])('are empty for a path that always has it: %s', (path) => {
    expect(lacking([path], { param: 'id' })).toEqual([]);
  });

  it.each([
    '/id',
    '/:idx',
    '/:id$',
    '/:ids',
    '/{:id}',
    '/a{/:id}',
    '/:id?',
    '/:id(\\d+)?',
    '/:id()?',
    '/:xid',
    '/x/{a}{:id}',
    '/a{/:x{/:id}}',
    '/a{/:id{/:x}}',
    '/a{/:x{/:y}/:id}',
    '/a{{{/:id}}}',
    '/a(/:id)?',
    '/a/:id*',
  ])('are found for a path that some requests fit without it: %s', (path) => {
    expect(lacking([path], { param: 'id' })).toEqual([problem('id', 'is in none of its paths')]);
  });

  it('take special characters of a name literally', () => {
    expect(lacking(['/:a.b'], { param: 'a.b' })).toEqual([]);
    expect(lacking(['/:axb'], { param: 'a.b' })).toEqual([problem('a.b', 'is in none of its paths')]);
    for (const name of ['$id', 'a+b', 'a(b', 'a]b', 'a|b', 'a^b', 'a*b', 'a\\b'])
      expect(lacking([`/:${name}`], { param: name })).toEqual([]);
  });
});
