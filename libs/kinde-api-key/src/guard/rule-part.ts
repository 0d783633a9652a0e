import type { OrganizationTarget } from './organization-target.js';

/** What one decorator says about a class or a method. */
export type RulePart =
  | { readonly kind: 'public' }
  | { readonly kind: 'any-valid-key' }
  | { readonly kind: 'scopes'; readonly scopes: readonly string[] }
  | { readonly kind: 'any-scope'; readonly scopes: readonly string[] }
  | { readonly kind: 'organization'; readonly target: OrganizationTarget | undefined }
  | { readonly kind: 'user' };

/** @returns the decorator as it stands in the source, for messages */
export function describePart(part: RulePart): string {
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
  }
}

function quoted(scopes: readonly string[]): string {
  return scopes.map((scope) => `'${scope}'`).join(', ');
}
