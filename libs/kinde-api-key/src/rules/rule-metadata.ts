import type { OrganizationTarget } from './org-target.js';

/** What `@RateLimit()` and `@SkipRateLimit()` say. It is no decision about access, and it does not add up: the nearest one counts. */
export type RateLimitMetadata =
  | { readonly kind: 'rate-limit'; readonly limit: number; readonly windowMs: number }
  | { readonly kind: 'skip-rate-limit' };

/** What one decorator says about a class or a method. */
export type RuleMetadata =
  | { readonly kind: 'public' }
  | { readonly kind: 'any-valid-key' }
  | { readonly kind: 'scopes'; readonly scopes: readonly string[] }
  | { readonly kind: 'any-scope'; readonly scopes: readonly string[] }
  | { readonly kind: 'organization'; readonly target: OrganizationTarget | undefined }
  | { readonly kind: 'user' }
  | RateLimitMetadata;

/** @returns whether a part is about how often, and not about who */
export function isRateLimitMetadata(part: RuleMetadata): part is RateLimitMetadata {
  return part.kind === 'rate-limit' || part.kind === 'skip-rate-limit';
}

/** @returns the decorator as it stands in the source, for messages */
export function describeRule(part: RuleMetadata): string {
  switch (part.kind) {
    case 'public':
      return '@PublicRoute()';
    case 'any-valid-key':
      return '@AnyValidKey()';
    case 'scopes':
      return `@RequireScopes(${quoted(part.scopes)})`;
    case 'any-scope':
      return `@RequireAnyScope(${quoted(part.scopes)})`;
    case 'organization':
      return '@OrgScoped()';
    case 'user':
      return '@UserScoped()';
    case 'rate-limit':
      return `@RateLimit({ limit: ${part.limit}, windowMs: ${part.windowMs} })`;
    case 'skip-rate-limit':
      return '@SkipRateLimit()';
  }
}

function quoted(scopes: readonly string[]): string {
  return scopes.map((scope) => `'${scope}'`).join(', ');
}
