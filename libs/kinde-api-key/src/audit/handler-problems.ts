import type { AppHandler } from '../handlers/app-handlers.js';
import { describeRule, isRateLimitMetadata, type RuleMetadata } from '../rules/rule-metadata.js';
import { hasTarget } from '../rules/org-target.js';
import { metadataOf, type RegisteredRule } from '../rules/route-rule-registry.js';

/** What the checks of a handler depend on. */
export interface HandlerCheckOptions {
  /** Whether every handler needs a decision, because the guard protects all of them. */
  readonly isStrict: boolean;
  /** Route parameter that a bare `@OrgScoped()` compares. */
  readonly orgParam: string;
}

type Transport = Exclude<AppHandler['transport'], 'external'>;

const ADD_GUARD = 'add @UseGuards(ApiKeyGuard) to the class or the method';

/** How a guard gets in front of a handler. */
const CURES: Readonly<Record<Transport, string>> = {
  http: `${ADD_GUARD}, set globalGuard: true, or name your own guard that calls ApiKeyGuard in the option guardedBy`,
  graphql:
    `${ADD_GUARD}, or set globalGuard: true. For a field of an object, Nest runs guards only if GraphQLModule.forRoot() has ` +
    "fieldResolverEnhancers: ['guards']",
  ws: `${ADD_GUARD}: global guards reach gateways since Nest 12 only`,
  rpc: `${ADD_GUARD}: global guards do not reach the microservices of a hybrid app`,
};

const CALLS: Readonly<Record<Transport, string>> = {
  http: 'HTTP requests',
  graphql: 'GraphQL operations',
  ws: 'WebSocket messages',
  rpc: 'messages of a microservice',
};

/** Where a handler's organization may stand, besides what a resolver finds. */
const TARGETS: Readonly<Record<Transport, readonly string[]>> = {
  http: ['param', 'header', 'query', 'body'],
  graphql: ['arg', 'header'],
  ws: ['arg', 'header'],
  rpc: ['arg'],
};

/**
 * Returns what is wrong with a handler, each problem with its cure.
 *
 * @param isReached whether an `ApiKeyGuard` runs before it
 */
export function problemsOf(
  handler: AppHandler,
  registered: RegisteredRule,
  isReached: boolean,
  options: HandlerCheckOptions,
): readonly string[] {
  const { rule, problems } = registered;
  const metadata = metadataOf(registered);
  if (rule.isPublic || problems.length > 0) return problems;
  const { transport } = handler;
  if (transport === 'external') return calledByPackage(registered, options);
  const carried = describeAll(metadata);
  return [
    ...(!isReached && (rule.isDecided || metadata.some(isRateLimitMetadata))
      ? [`carries ${carried} but no ApiKeyGuard reaches it: ${CURES[transport]}`]
      : []),
    ...(options.isStrict && !rule.isDecided
      ? [
          'has no decision, which globalGuard demands of every handler: add @RequireScopes(), @AnyValidKey() or another rule, ' +
            '@PublicRoute(), or name a controller that you cannot edit in globalGuard: { publicControllers: [...] }',
        ]
      : []),
    ...unreadableTargets(transport, metadata, options.orgParam),
    ...missingParameters(handler, metadata, options.orgParam),
  ];
}

/** The guard does not know where a key is in what another package calls. It refuses every call, except to public handlers. */
function calledByPackage(registered: RegisteredRule, options: HandlerCheckOptions): string[] {
  const metadata = metadataOf(registered);
  const called = 'is called by another package, for example by jobs of a queue, where ApiKeyGuard cannot check keys';
  const cure = 'add @PublicRoute(), and call ApiKeyVerificationService where the key arrives';
  if (metadata.length > 0) return [`carries ${describeAll(metadata)} but ${called}: remove the rule, ${cure}`];
  if (!options.isStrict || registered.rule.isDecided) return [];
  return [
    `has no decision, which globalGuard demands of every handler. It ${called}: ${cure}, or name a class that you cannot edit in ` +
      'globalGuard: { publicControllers: [...] }',
  ];
}

/** Finds rules that read an organization where calls of a transport have none: they would refuse every call. */
function unreadableTargets(transport: Transport, metadata: readonly RuleMetadata[], orgParam: string): string[] {
  return metadata.flatMap((one) => {
    if (one.kind !== 'organization') return [];
    const [[name, value] = ['']] = Object.entries(one.target ?? { param: orgParam });
    if (['resolve', 'from', ...TARGETS[transport]].includes(name)) return [];
    const cure =
      transport === 'http'
        ? "compare a parameter, a header or a field of the query or the body, e.g. @OrgScoped({ param: 'orgCode' })"
        : `compare an argument, e.g. @OrgScoped({ arg: '${String(value)}' }), or find it with @OrgScoped({ resolve: MyOrgResolver })`;
    return [`carries @OrgScoped() for { ${name}: '${String(value)}' }, which ${CALLS[transport]} do not have: ${cure}`];
  });
}

/** Finds rules that compare a route parameter which a path lacks: they would refuse every request to it. */
function missingParameters({ paths }: AppHandler, metadata: readonly RuleMetadata[], orgParam: string): string[] {
  return metadata.flatMap((one) => {
    if (one.kind !== 'organization') return [];
    const target = one.target ?? { param: orgParam };
    if (!hasTarget(target, 'param')) return [];
    const without = paths.filter((path) => !hasParameter(path, target.param));
    if (without.length === 0) return [];
    const lacking = without.length === paths.length ? 'is in none of its paths' : `is not in ${without.join(' and ')}`;
    return [
      `carries @OrgScoped() for the route parameter "${target.param}", which ${lacking}: add :${target.param} to the path, ` +
        "or say where the organization stands, e.g. @OrgScoped({ param: 'id' }) or @OrgScoped({ resolve: MyOrgResolver })",
    ];
  });
}

function describeAll(metadata: readonly RuleMetadata[]): string {
  return [...new Set(metadata.map(describeRule))].join(' ');
}

/** Whether every request to a path has a parameter. An optional one (`{/:name}`, `:name?`, `(/:name)?`) is missing from some. */
function hasParameter(path: string, name: string): boolean {
  const withoutOptional = withoutGroups(path.replace(/\\[{}]/g, ''))
    .replace(/:\w+(\([^()]*\))?(\?|\*(?!\w))/g, '')
    .replace(/\([^()]*\)[?*]/g, '');
  return new RegExp(`:"?${name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}(?![\\w$])`).test(withoutOptional);
}

/** Removes groups in braces, from the inside to the outside: they may stand in each other. */
function withoutGroups(path: string): string {
  const shorter = path.replace(/\{[^{}]*\}/g, '');
  return shorter === path ? path : withoutGroups(shorter);
}
