import type { OrganizationTarget } from './org-target.js';

/** What a decorator says about the keys that may call a handler. Such metadata adds up. */
export type AccessMetadata =
  | { readonly kind: 'public' }
  | { readonly kind: 'any-valid-key' }
  | { readonly kind: 'scopes'; readonly scopes: readonly string[] }
  | { readonly kind: 'any-scope'; readonly scopes: readonly string[] }
  | { readonly kind: 'organization'; readonly target: OrganizationTarget | undefined }
  | { readonly kind: 'user' };

/** What `@RateLimit()` and `@SkipRateLimit()` say. It is not a decision about access, and the nearest replaces all others. */
export type RateLimitMetadata =
  | { readonly kind: 'rate-limit'; readonly limit: number; readonly windowMs: number }
  | { readonly kind: 'skip-rate-limit' };

/** What one decorator says about a class or a method. */
export type RuleMetadata = AccessMetadata | RateLimitMetadata;

/** The metadata of a class or a method that takes effect, inherited metadata included. */
export interface EffectiveMetadata {
  /** All of it: of ancestors and overridden methods first, then from top to bottom as written. */
  readonly access: readonly AccessMetadata[];
  /** That of the nearest class or method with any. More than one entry is a contradiction. */
  readonly rateLimits: readonly RateLimitMetadata[];
}

/** The metadata that reaches a handler. */
export interface HandlerMetadata {
  readonly ofClass: EffectiveMetadata;
  readonly ofMethod: EffectiveMetadata;
}

/** Whether metadata is about rate limits, and not about access. */
export function isRateLimitMetadata(metadata: RuleMetadata): metadata is RateLimitMetadata {
  return metadata.kind === 'rate-limit' || metadata.kind === 'skip-rate-limit';
}

/** Returns the decorator as written in the source, for messages. */
export function describeRule(metadata: RuleMetadata): string {
  switch (metadata.kind) {
    case 'public':
      return '@PublicRoute()';
    case 'any-valid-key':
      return '@AnyValidKey()';
    case 'scopes':
      return `@RequireScopes(${quoted(metadata.scopes)})`;
    case 'any-scope':
      return `@RequireAnyScope(${quoted(metadata.scopes)})`;
    case 'organization':
      return '@OrgScoped()';
    case 'user':
      return '@UserScoped()';
    case 'rate-limit':
      return `@RateLimit({ limit: ${metadata.limit}, windowMs: ${metadata.windowMs} })`;
    case 'skip-rate-limit':
      return '@SkipRateLimit()';
  }
}

function quoted(scopes: readonly string[]): string {
  return scopes.map((scope) => `'${scope}'`).join(', ');
}
