import type { ApiOptions } from '../audit/audited-api.js';
import { CONNECT } from '../api-key/principal.js';
import type { AccessRule } from '../rules/access-decision.js';

/** Whether a registration accepts access tokens of Kinde. They are the only source of `principals` that the library has. */
export function acceptsTokens({ principals }: ApiOptions): boolean {
  return principals.some((source) => CONNECT in source);
}

/** Whether a registration accepts callers that the app itself authenticates. */
export function acceptsOthers({ principals }: ApiOptions): boolean {
  return principals.some((source) => !(CONNECT in source));
}

/** Returns the lists of which one scope each is required, without those that the required scopes satisfy. */
export function choicesOf({ requiredScopes, requiredAnyOf }: AccessRule): readonly (readonly string[])[] {
  return requiredAnyOf.filter((list) => !list.some((scope) => requiredScopes.includes(scope)));
}
