import type { AccessRule } from './access-rule.js';
import type { RateLimitRule } from '../rate-limit/rate-limit-rule.js';
import type { OrgReader } from './org-reader.js';
import { describeRule, type RuleMetadata } from './rule-metadata.js';

/** What a handler demands, compiled from all the decorators that reach it. */
export interface RouteRule {
  /** `Class.method`, for events and messages. */
  readonly route: string;
  /** Needs no key, and ignores one that is sent. */
  readonly isPublic: boolean;
  /** A decorator decided about this handler; without one, any valid key will do wherever the guard runs. */
  readonly isDecided: boolean;
  readonly access: AccessRule;
  /** Where the request names its organization; every one must match. */
  readonly organizations: readonly OrgReader[];
  /** How often a key may call it; `null`: not limited. */
  readonly rateLimit: RateLimitRule | null;
}

/** The parts that reach a handler, by where they stand; those about rate limits are not among them. */
export interface HandlerMetadata {
  readonly ofClass: readonly RuleMetadata[];
  readonly ofMethod: readonly RuleMetadata[];
}

/**
 * How rules combine: requirements add up over class, ancestors and method. `@PublicRoute()` on a method beats its class, a requirement
 * on a method beats `@PublicRoute()` on its class.
 *
 * @param makeSource turns a target of `@OrgScoped()` into the code that reads it, or `null` where there is nothing to compare
 * @param rateLimit what was found out about how often, which a public route ignores
 */
export function compileRule(
  route: string,
  { ofClass, ofMethod }: HandlerMetadata,
  makeSource: (part: RuleMetadata & { kind: 'organization' }) => OrgReader | null,
  rateLimit: RateLimitRule | null = null,
): RouteRule {
  const isPublic = ofMethod.some(isPublicPart) || (ofMethod.length === 0 && ofClass.some(isPublicPart));
  const parts = isPublic ? [] : [...ofClass, ...ofMethod];
  const organizationParts = parts.filter((part) => part.kind === 'organization');
  return {
    route,
    isPublic,
    isDecided: ofClass.length + ofMethod.length > 0,
    access: {
      requiredScopes: [...new Set(parts.flatMap((part) => (part.kind === 'scopes' ? part.scopes : [])))],
      requiredAnyOf: parts.flatMap((part) => (part.kind === 'any-scope' ? [part.scopes] : [])),
      needsOrganization: organizationParts.length > 0,
      needsUser: parts.some((part) => part.kind === 'user'),
    },
    organizations: organizationParts.map(makeSource).filter((source) => source !== null),
    rateLimit: isPublic ? null : rateLimit,
  };
}

/** @returns what is contradictory about the parts, or `null` */
export function findContradiction({ ofClass, ofMethod }: HandlerMetadata): string | null {
  for (const [parts, place] of [
    [ofMethod, 'the method (a method that it overrides counts)'],
    [ofClass, 'the class (its ancestors count)'],
  ] as const) {
    const requirement = parts.find((part) => !isPublicPart(part));
    if (requirement && parts.some(isPublicPart)) {
      return `is public and required at once: ${describeRule(requirement)} and @PublicRoute() both stand on ${place}; remove one of them`;
    }
  }
  return null;
}

function isPublicPart(part: RuleMetadata): boolean {
  return part.kind === 'public';
}
