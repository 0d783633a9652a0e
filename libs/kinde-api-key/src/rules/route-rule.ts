import type { ApiKeyRouteRequirement } from '../api-key/decision.js';
import type { ResolvedOptions } from '../config/resolved-options.js';
import type { RateLimitRule } from '../rate-limit/rate-limit-rule.js';
import type { RouteNames } from '../handlers/route-names.js';
import type { AccessRule } from './access-decision.js';
import type { OrgReader } from './org-reader.js';
import { hasTarget, type OrganizationTarget } from './org-target.js';
import {
  describeRule,
  isEnforceable,
  type EffectiveMetadata,
  type HandlerMetadata,
  type RuleMetadata,
} from './rule-metadata.js';

/** Name of the option's budget. */
const WHOLE_API = 'default';

/** What a handler demands, compiled from all the decorators that reach it. */
export interface RouteRule {
  /** `Class.method`, for events and messages. */
  readonly route: string;
  /** Needs no key, and ignores one that is sent. */
  readonly isPublic: boolean;
  /** Whether a decorator decided about access. Without one, the guard accepts any valid key. */
  readonly isDecided: boolean;
  readonly access: AccessRule;
  /** Where the request names its organization. Every one must match. */
  readonly organizations: readonly OrgReader[];
  /** Whether a resolver of the app finds one of them. It may load, so guards of one handler call it once. */
  readonly resolvesOrganization: boolean;
  /** The rate limit of each key here. `null`: not limited. */
  readonly rateLimit: RateLimitRule | null;
  /** Maximum age of the verification in milliseconds. `null`: what the cache serves. */
  readonly maxAgeMs: number | null;
  /** What decisions say about the rule. */
  readonly required: ApiKeyRouteRequirement;
}

/** A rule and its problems. A rule with problems is not enforced in part: its handler is refused. */
export interface CompiledRule {
  readonly rule: RouteRule;
  readonly problems: readonly string[];
}

/**
 * Combines metadata into a rule. Requirements add up over class, ancestors and method. `@PublicRoute()` on a method beats its class, and a
 * requirement on a method beats `@PublicRoute()` on its class.
 *
 * @param readerOf returns the reader of a target of `@OrgScoped()`, `null` where nothing has to be compared, or what is wrong with it
 */
export function compileRule(
  route: string,
  metadata: HandlerMetadata,
  readerOf: (target: OrganizationTarget | undefined) => OrgReader | string | null,
  rateLimit: RateLimitRule | null,
): CompiledRule {
  const isPublic = publicTarget(metadata) !== null;
  const declared = [...metadata.ofClass.access, ...metadata.ofMethod.access];
  const demanded = isPublic ? [] : declared.filter(isEnforceable);
  const targets = demanded.flatMap((one) => (one.kind === 'organization' ? [one.target] : []));
  const readers = targets.map(readerOf);
  const ages = demanded.flatMap((one) => (one.kind === 'fresh-verification' ? [one.maxAgeMs] : []));
  const access: AccessRule = {
    requiredScopes: [...new Set(demanded.flatMap((one) => (one.kind === 'scopes' ? one.scopes : [])))],
    requiredAnyOf: demanded.flatMap((one) => (one.kind === 'any-scope' ? [one.scopes] : [])),
    needsOrganization: readers.length > 0,
    needsUser: demanded.some(({ kind }) => kind === 'user'),
    needsKey: demanded.some(({ kind }) => kind === 'keys-only'),
  };
  const maxAgeMs = ages.length > 0 ? Math.min(...ages) : null;
  const rule = {
    route,
    isPublic,
    isDecided: declared.length > 0,
    access,
    organizations: readers.filter((reader) => typeof reader === 'function'),
    resolvesOrganization: targets.some((target) => target !== undefined && hasTarget(target, 'resolve')),
    rateLimit: isPublic ? null : rateLimit,
    maxAgeMs,
    required: requirementOf(access, maxAgeMs),
  };
  return { rule, problems: [...findProblems(metadata), ...readers.filter((reader) => typeof reader === 'string')] };
}

/** Listeners get it, so it shares no list with the rule that is enforced. */
function requirementOf(access: AccessRule, maxAgeMs: number | null): ApiKeyRouteRequirement {
  return Object.freeze({
    scopes: Object.freeze([...access.requiredScopes]),
    anyOf: Object.freeze(access.requiredAnyOf.map((list) => Object.freeze([...list]))),
    organization: access.needsOrganization,
    user: access.needsUser,
    keysOnly: access.needsKey,
    maxAgeMs,
  });
}

/**
 * Returns the limit of a route: the method's, else the class's, else the option's. Its budget has the decorator's name, else one that is
 * made from paths. Never one of a class: builds of one app count in the same Redis, and a minifier may exchange the names of two classes.
 *
 * @param methodName names the budget of a handler that has no path
 */
export function compileRateLimit(
  { ofMethod, ofClass }: HandlerMetadata,
  routeNames: RouteNames,
  methodName: string,
  option: ResolvedOptions['rateLimit'],
): RateLimitRule | null {
  const [onMethod] = ofMethod.rateLimits;
  const nearest = onMethod ?? ofClass.rateLimits[0];
  if (nearest?.kind === 'skip-rate-limit') return null;
  const limited = nearest ?? option;
  if (!limited) return null;
  const name = nearest ? (nearest.name ?? pathNameOf(onMethod ? 'route' : 'class', routeNames, methodName)) : WHOLE_API;
  return {
    scope: name,
    policy: structuredText(name),
    limit: limited.limit,
    windowMs: limited.windowMs,
    sendsHeadersOnSuccess: option?.headers === 'always',
  };
}

/** Names a budget after its route, or after the first route of its class: no other class has it. */
function pathNameOf(target: 'route' | 'class', { ofMethod, ofClass }: RouteNames, methodName: string): string {
  return target === 'route' ? ofMethod.join(', ') || methodName : `class of ${ofClass[0] ?? methodName}`;
}

/** Returns a text as a structured string allows it (RFC 9651 §3.3.3): other characters than printable ASCII are encoded. */
function structuredText(text: string): string {
  return text
    .replace(/[\ud800-\udfff]/gu, '?') // Halves of a character, which cannot be encoded.
    .replace(/[^\x20-\x7e]+/g, encodeURIComponent)
    .replace(/["\\]/g, '\\$&');
}

/** Returns what is wrong with the decorators of a handler: contradictions, and limits that a public route cannot keep. */
export function findProblems(metadata: HandlerMetadata): readonly string[] {
  return [
    ...findUnknown(metadata),
    ...findContradictions(metadata.ofMethod, 'method', 'a method that it overrides counts'),
    ...findContradictions(metadata.ofClass, 'class', 'its ancestors count'),
    ...findPublicLimit(metadata),
  ];
}

function findUnknown({ ofClass, ofMethod }: HandlerMetadata): string[] {
  const all = [ofClass, ofMethod].flatMap(({ access, rateLimits }) => [...access, ...rateLimits]);
  return [...new Set(all.filter((metadata) => !isEnforceable(metadata)).map(describeRule))].map(
    (rule) =>
      `carries ${rule} in a form that this copy of nestjs-kinde-api-key does not know: two versions are installed; ` +
      'run `npm ls nestjs-kinde-api-key` and keep one',
  );
}

function findContradictions({ access, rateLimits }: EffectiveMetadata, target: string, inherited: string): string[] {
  const problems: string[] = [];
  const requirement = access.find((metadata) => !isPublicMetadata(metadata));
  if (requirement && access.some(isPublicMetadata)) {
    problems.push(
      `is public and required at once: ${describeRule(requirement)} and @PublicRoute() both stand on the ${target} (${inherited}); ` +
        'remove one of them',
    );
  }
  if (rateLimits.length > 1) {
    problems.push(`carries ${rateLimits.map(describeRule).join(' and ')} on one ${target}: keep one of them`);
  }
  return problems;
}

function findPublicLimit({ ofClass, ofMethod }: HandlerMetadata): string[] {
  const target = publicTarget({ ofClass, ofMethod });
  if (target === null) return [];
  // A limit on the class of a public method is meant for the other methods.
  const limits = target === 'class' && ofMethod.rateLimits.length === 0 ? ofClass.rateLimits : ofMethod.rateLimits;
  const limit = limits.find(({ kind }) => kind === 'rate-limit');
  if (!limit) return [];
  return [
    `carries ${describeRule(limit)} but is public: limits go by the key, and a public route looks at none; remove one of the two, or add ` +
      '@SkipRateLimit() to the method',
  ];
}

/** Returns where the `@PublicRoute()` stands that takes effect, or `null`: metadata of the method beats that of the class. */
function publicTarget({ ofClass, ofMethod }: HandlerMetadata): 'method' | 'class' | null {
  if (ofMethod.access.length > 0) return ofMethod.access.some(isPublicMetadata) ? 'method' : null;
  return ofClass.access.some(isPublicMetadata) ? 'class' : null;
}

function isPublicMetadata({ kind }: RuleMetadata): boolean {
  return kind === 'public';
}
