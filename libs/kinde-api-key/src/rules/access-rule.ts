/** What a route demands of a key, whatever the request is about. Compiled once per handler. */
export interface AccessRule {
  /** Every one of these scopes must be granted, in the order of the decorators: ancestors, class, method. */
  readonly requiredScopes: readonly string[];
  /** Of each of these lists at least one scope must be granted. */
  readonly requiredAnyOf: readonly (readonly string[])[];
  /** The key must belong to an organization. */
  readonly needsOrganization: boolean;
  /** The key must belong to a user. */
  readonly needsUser: boolean;
}
