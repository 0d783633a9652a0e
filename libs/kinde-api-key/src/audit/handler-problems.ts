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

const CALLERS: Readonly<Record<AppHandler['transport'], string>> = {
  http: 'HTTP requests',
  rpc: 'messages of a microservice',
  ws: 'WebSocket messages',
  external: 'another package, for example by GraphQL operations or jobs of a queue',
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
  if (handler.transport !== 'http') return outsideHttp(handler, registered, options);
  const carried = describeAll(metadata);
  return [
    ...(!isReached && (rule.isDecided || metadata.some(isRateLimitMetadata))
      ? [
          `carries ${carried} but no ApiKeyGuard reaches it: add @UseGuards(ApiKeyGuard) to the class or the ` +
            'method, set globalGuard: true, or name your own guard that calls ApiKeyGuard in the option guardedBy',
        ]
      : []),
    ...(options.isStrict && !rule.isDecided
      ? [
          'has no decision, which globalGuard demands of every handler: add @RequireScopes(), @AnyValidKey() or another rule, ' +
            '@PublicRoute(), or name a controller that you cannot edit in globalGuard: { publicControllers: [...] }',
        ]
      : []),
    ...missingParameters(handler, metadata, options.orgParam),
  ];
}

/** Outside HTTP the guard cannot check keys yet. It refuses every call, except to public handlers. */
function outsideHttp({ transport }: AppHandler, registered: RegisteredRule, options: HandlerCheckOptions): string[] {
  const metadata = metadataOf(registered);
  const cure = 'add @PublicRoute(), and call ApiKeyVerificationService where the key arrives';
  if (metadata.length > 0)
    return [
      `carries ${describeAll(metadata)} but is called by ${CALLERS[transport]}, where ApiKeyGuard cannot check keys: remove the rule, ${cure}`,
    ];
  if (!options.isStrict || registered.rule.isDecided) return [];
  return [
    `has no decision, which globalGuard demands of every handler. It is called by ${CALLERS[transport]}, where ApiKeyGuard cannot check ` +
      `keys: ${cure}, or name a class that you cannot edit in globalGuard: { publicControllers: [...] }`,
  ];
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
