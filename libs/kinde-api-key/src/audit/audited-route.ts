import type { AppHandler } from '../handlers/app-handlers.js';
import { describeRule, type HandlerMetadata, type RuleMetadata } from '../rules/rule-metadata.js';
import type { RegisteredRule } from '../rules/route-rule-registry.js';

/** A rule on a handler, and what carries it. */
export interface AuditedRule {
  /** The decorator as it is written. */
  readonly rule: string;
  /** Ancestors count as the class, overridden methods as the method. `option`: `publicControllers` or `rateLimit`. */
  readonly from: 'class' | 'method' | 'option';
}

/** What a handler of the app demands. JSON holds all of it, so that two builds can be compared. */
export interface AuditedRoute {
  /** `GET /users/:id`, or `Class.method` for a handler without a path. */
  readonly route: string;
  /** `Class.method`. */
  readonly handler: string;
  /** How Nest calls it. `external`: through another package, e.g. for jobs of a queue. */
  readonly transport: AppHandler['transport'];
  /** `guarded`: an `ApiKeyGuard` decides. `public`: `@PublicRoute()`. `open`: no `ApiKeyGuard` runs before it. */
  readonly access: 'guarded' | 'public' | 'open';
  /** All of these scopes are required. */
  readonly scopes: readonly string[];
  /** Of each list, one scope is required. */
  readonly anyOf: readonly (readonly string[])[];
  readonly needsOrganization: boolean;
  /** How many organizations of the request are compared with the caller's. */
  readonly comparedOrganizations: number;
  readonly needsUser: boolean;
  readonly needsKey: boolean;
  /** Maximum age of the verification in milliseconds; `null`: what the cache serves. */
  readonly maxAgeMs: number | null;
  /** `null`: not limited. `limit` is `'function'` where the app decides for each caller. */
  readonly rateLimit: { readonly limit: number | 'function'; readonly windowMs: number; readonly name: string } | null;
  readonly rules: readonly AuditedRule[];
}

/** Describes a handler, once for each of its routes. */
export function auditedRoutes(
  handler: AppHandler,
  { rule, origins }: RegisteredRule,
  isReached: boolean,
): readonly AuditedRoute[] {
  const { access, rateLimit } = rule;
  const described: Omit<AuditedRoute, 'route'> = {
    handler: rule.route,
    transport: handler.transport,
    access: rule.isPublic ? 'public' : isReached ? 'guarded' : 'open',
    scopes: access.requiredScopes,
    anyOf: access.requiredAnyOf,
    needsOrganization: access.needsOrganization,
    comparedOrganizations: rule.organizations.length,
    needsUser: access.needsUser,
    needsKey: access.needsKey,
    maxAgeMs: rule.maxAgeMs,
    rateLimit: rateLimit && {
      limit: typeof rateLimit.limit === 'number' ? rateLimit.limit : 'function',
      windowMs: rateLimit.windowMs,
      name: rateLimit.scope,
    },
    rules: rulesOf(origins, rateLimit !== null),
  };
  const names = handler.routeNames.ofMethod.length > 0 ? handler.routeNames.ofMethod : [rule.route];
  return names.map((route) => ({ route, ...described }));
}

function rulesOf({ ofClass, ofMethod, listed }: RegisteredRule['origins'], isLimited: boolean): AuditedRule[] {
  const from = (origin: AuditedRule['from'], { access, rateLimits }: HandlerMetadata['ofClass']) =>
    [...access, ...rateLimits].map((metadata: RuleMetadata) => ({ rule: describeRule(metadata), from: origin }));
  const limitedByOption = isLimited && ofClass.rateLimits.length === 0 && ofMethod.rateLimits.length === 0;
  const options = [...(listed ? ['publicControllers'] : []), ...(limitedByOption ? ['rateLimit'] : [])];
  return [
    ...options.map((rule) => ({ rule, from: 'option' as const })),
    ...from('class', ofClass),
    ...from('method', ofMethod),
  ];
}
