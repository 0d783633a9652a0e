import type { VerifiedApiKey } from '../api-key/verified-api-key.js';

/** What a route demands of a key, whatever the request is about. Compiled once per handler. */
export interface AccessRule {
  /** Scopes that must all be granted, in the order of the decorators: ancestors, class, method. */
  readonly requiredScopes: readonly string[];
  /** Lists of scopes, of which at least one each must be granted. */
  readonly requiredAnyOf: readonly (readonly string[])[];
  /** Whether the key must belong to an organization. */
  readonly needsOrganization: boolean;
  /** Whether the key must belong to a user. */
  readonly needsUser: boolean;
}

/** Why a verified key may not do what the request asks for. */
export type AccessRefusal =
  | { readonly code: 'INSUFFICIENT_SCOPE'; readonly lacks: 'required' | 'any_of' }
  | { readonly code: 'ORG_REQUIRED' | 'ORG_MISMATCH' | 'USER_REQUIRED' };

/** Decides by the key alone: its scopes, its organization, its user, in this order. Returns why it is refused, or `null`. */
export function decideAccess(rule: AccessRule, apiKey: VerifiedApiKey): AccessRefusal | null {
  const { scopes } = apiKey;
  for (const scope of rule.requiredScopes)
    if (!scopes.includes(scope)) return { code: 'INSUFFICIENT_SCOPE', lacks: 'required' };
  for (const list of rule.requiredAnyOf)
    if (!list.some((scope) => scopes.includes(scope))) return { code: 'INSUFFICIENT_SCOPE', lacks: 'any_of' };
  if (rule.needsOrganization && apiKey.orgCode === null) return { code: 'ORG_REQUIRED' };
  if (rule.needsUser && apiKey.userId === null) return { code: 'USER_REQUIRED' };
  return null;
}

/**
 * Compares the key's organization with the one that the request names: two equal, non-empty strings, code unit by code unit.
 *
 * @param apiKey the authority
 * @param claimed what the request names, of any shape: anything but a non-empty string is a mismatch
 * @returns why the key is refused, or `null` if both are the same organization
 */
export function decideOrganization(apiKey: VerifiedApiKey, claimed: unknown): AccessRefusal | null {
  if (apiKey.orgCode === null) return { code: 'ORG_REQUIRED' };
  return claimed !== '' && claimed === apiKey.orgCode ? null : { code: 'ORG_MISMATCH' };
}
