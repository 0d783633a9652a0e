import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import type { AccessRule } from './access-rule.js';

/** Why a verified key may not do what the request asks for. */
export type AccessRefusal =
  | { readonly code: 'INSUFFICIENT_SCOPE'; readonly lacks: 'required' | 'any_of' }
  | { readonly code: 'ORG_REQUIRED' | 'ORG_MISMATCH' | 'USER_REQUIRED' };

const LACKS_REQUIRED: AccessRefusal = Object.freeze({ code: 'INSUFFICIENT_SCOPE', lacks: 'required' });
const LACKS_ANY_OF: AccessRefusal = Object.freeze({ code: 'INSUFFICIENT_SCOPE', lacks: 'any_of' });
const ORG_REQUIRED: AccessRefusal = Object.freeze({ code: 'ORG_REQUIRED' });
const USER_REQUIRED: AccessRefusal = Object.freeze({ code: 'USER_REQUIRED' });
const ORG_MISMATCH: AccessRefusal = Object.freeze({ code: 'ORG_MISMATCH' });

/**
 * Decides what the key alone can decide: its scopes, its organization, its user, in this order.
 *
 * @returns why the key is refused, or `null` if nothing speaks against it
 */
export function decideAccess(rule: AccessRule, apiKey: VerifiedApiKey): AccessRefusal | null {
  for (const scope of rule.requiredScopes) {
    if (!apiKey.scopes.includes(scope)) return LACKS_REQUIRED;
  }
  for (const alternatives of rule.requiredAnyOf) {
    if (!alternatives.some((scope) => apiKey.scopes.includes(scope))) return LACKS_ANY_OF;
  }
  if (rule.needsOrganization && apiKey.orgCode === null) return ORG_REQUIRED;
  if (rule.needsUser && apiKey.userId === null) return USER_REQUIRED;
  return null;
}

/**
 * Compares the key's organization with the one that the request is about: two equal texts, code unit by code unit, that are not empty.
 *
 * @param apiKey the authority
 * @param claimed what the request names, of any shape: whatever is not a text that is not empty is a mismatch
 * @returns why the key is refused, or `null` if both are the same organization
 */
export function decideOrganization(apiKey: VerifiedApiKey, claimed: unknown): AccessRefusal | null {
  if (apiKey.orgCode === null) return ORG_REQUIRED;
  return claimed !== '' && claimed === apiKey.orgCode ? null : ORG_MISMATCH;
}
