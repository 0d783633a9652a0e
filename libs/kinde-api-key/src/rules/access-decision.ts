import type { Caller } from '../api-key/principal.js';

/** What a route demands of a caller, whatever the request is about. Compiled once per handler. */
export interface AccessRule {
  /** Scopes that must all be granted, in the order of the decorators: ancestors, class, method. */
  readonly requiredScopes: readonly string[];
  /** Lists of scopes, of which at least one each must be granted. */
  readonly requiredAnyOf: readonly (readonly string[])[];
  /** Whether the caller must belong to an organization. */
  readonly needsOrganization: boolean;
  /** Whether the caller must belong to a user. */
  readonly needsUser: boolean;
  /** Whether the caller must be an API key. */
  readonly needsKey: boolean;
}

/** Why an authenticated caller may not do what the request asks for. */
export type AccessRefusal =
  | { readonly code: 'INSUFFICIENT_SCOPE'; readonly lacks: 'required' | 'any_of' }
  | { readonly code: 'ORG_REQUIRED' | 'ORG_MISMATCH' | 'USER_REQUIRED' | 'KEY_REQUIRED' };

/**
 * Decides by the caller alone: its kind, its scopes, its organization, its user, in this order.
 *
 * @param isApiKey whether the caller is a verified key. Its own fields do not say so: an app makes the others
 * @returns why the caller is refused, or `null`
 */
export function decideAccess(rule: AccessRule, caller: Caller, isApiKey: boolean): AccessRefusal | null {
  if (rule.needsKey && !isApiKey) return { code: 'KEY_REQUIRED' };
  const { scopes } = caller;
  for (const scope of rule.requiredScopes)
    if (!scopes.includes(scope)) return { code: 'INSUFFICIENT_SCOPE', lacks: 'required' };
  for (const list of rule.requiredAnyOf)
    if (!list.some((scope) => scopes.includes(scope))) return { code: 'INSUFFICIENT_SCOPE', lacks: 'any_of' };
  if (rule.needsOrganization && caller.orgCode === null) return { code: 'ORG_REQUIRED' };
  if (rule.needsUser && caller.userId === null) return { code: 'USER_REQUIRED' };
  return null;
}

/**
 * Compares the caller's organization with the one that the request names: two equal, non-empty strings, code unit by code unit.
 *
 * @param caller the authority
 * @param claimed what the request names, of any shape: anything but a non-empty string is a mismatch
 * @returns why the caller is refused, or `null` if both are the same organization
 */
export function decideOrganization(caller: Caller, claimed: unknown): AccessRefusal | null {
  if (caller.orgCode === null) return { code: 'ORG_REQUIRED' };
  return claimed !== '' && claimed === caller.orgCode ? null : { code: 'ORG_MISMATCH' };
}
