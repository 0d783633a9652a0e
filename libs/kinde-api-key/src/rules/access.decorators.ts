import { FRESH_VERIFICATION_OPTIONS } from '../config/fresh-verification-options.js';
import { readArgument } from '../config/option-kinds.js';
import { checkOrganizationTarget, type OrganizationTarget } from './org-target.js';
import { ruleDecorator } from './rule-storage.js';

/** A decorator for a class or a method. */
export type ApiKeyRuleDecorator = ClassDecorator & MethodDecorator;

// RFC 6749 §3.3: scope-token, printable ASCII without space, double quote and backslash.
const SCOPE = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

/**
 * Requires a key with all of these scopes. Adds to what the class, its ancestors and other decorators require.
 * A key that lacks one gets 403 `INSUFFICIENT_SCOPE`, with the scopes that the route requires.
 *
 * @param scopes at least one, each as RFC 6749 §3.3 spells them: no spaces, no quotes
 * @throws {TypeError} when the class is defined, for a scope that is missing, empty or misspelt
 */
export function RequireScopes(...scopes: string[]): ApiKeyRuleDecorator {
  return ruleDecorator({ kind: 'scopes', scopes: checkedScopes('@RequireScopes()', scopes) });
}

/**
 * Requires a key with at least one of these scopes. Adds to what the class, its ancestors and other decorators require.
 *
 * @param scopes at least one, spelt as for {@link RequireScopes}
 * @throws {TypeError} when the class is defined, for a scope that is missing, empty or misspelt
 */
export function RequireAnyScope(...scopes: string[]): ApiKeyRuleDecorator {
  return ruleDecorator({ kind: 'any-scope', scopes: checkedScopes('@RequireAnyScope()', scopes) });
}

/**
 * Requires a key of the organization that the request is about, else 403 `ORG_MISMATCH`. A key without an organization gets 403
 * `ORG_REQUIRED`. The key is the authority: the request's value is compared and never trusted.
 *
 * @param target where the request names the organization; default: the route parameter named by the option `orgParam` (`orgCode`)
 * @throws {TypeError} when the class is defined, for a target of another form
 */
export function OrgScoped(target?: OrganizationTarget): ApiKeyRuleDecorator {
  checkOrganizationTarget(target);
  return ruleDecorator({ kind: 'organization', target });
}

/** Requires a key of a user, else 403 `USER_REQUIRED`. Adds to what the class, its ancestors and other decorators require. */
export function UserScoped(): ApiKeyRuleDecorator {
  return ruleDecorator({ kind: 'user' });
}

/**
 * Requires an API key, else 403 `KEY_REQUIRED`: callers from the option `principals` are refused. Adds to what the class, its ancestors and other
 * decorators require.
 */
export function KeysOnly(): ApiKeyRuleDecorator {
  return ruleDecorator({ kind: 'keys-only' });
}

/**
 * Requires that Kinde's answer about the key is at most this old, e.g. before something that cannot be undone. Of several such decorators the
 * shortest age counts. Other callers than keys are authenticated anew with every request anyway.
 *
 * @param options `maxAgeMs`: maximum age in milliseconds, 0 to 3,600,000
 * @throws {TypeError} when the class is defined, for an age that is missing or out of range, or another field
 */
export function RequireFreshVerification(options: { readonly maxAgeMs: number }): ApiKeyRuleDecorator {
  const cure = ', e.g. @RequireFreshVerification({ maxAgeMs: 5_000 })';
  const { maxAgeMs } = readArgument(FRESH_VERIFICATION_OPTIONS, options, '@RequireFreshVerification', cure);
  return ruleDecorator(Object.freeze({ kind: 'fresh-verification', maxAgeMs }));
}

/**
 * Accepts any valid key. Adds nothing to other requirements and removes nothing: it states the decision that `globalGuard` demands of every
 * handler.
 */
export function AnyValidKey(): ApiKeyRuleDecorator {
  return ruleDecorator({ kind: 'any-valid-key' });
}

/**
 * Accepts requests without a key, and ignores a key that is sent. On a method it beats the requirements of the class. A requirement on a
 * method beats it on the class. Both on one method, or both on one class, stop the boot.
 */
export function PublicRoute(): ApiKeyRuleDecorator {
  return ruleDecorator({ kind: 'public' });
}

/** The scope decorators, limited to the scopes that an API defines. */
export interface ScopeDecorators<Scope extends string> {
  /** {@link RequireScopes}, for these scopes only. */
  readonly RequireScopes: (...scopes: Scope[]) => ApiKeyRuleDecorator;
  /** {@link RequireAnyScope}, for these scopes only. */
  readonly RequireAnyScope: (...scopes: Scope[]) => ApiKeyRuleDecorator;
}

/**
 * The scope decorators typed to the scopes of an API, so that a misspelt scope does not compile. It throws where types are off.
 *
 * @param scopes the scopes of the API, `as const`
 * @throws {TypeError} for an empty or misspelt scope, and from a decorator that is used with a scope outside the list
 */
export function defineScopes<const Scope extends string>(scopes: readonly Scope[]): ScopeDecorators<Scope> {
  const known: ReadonlySet<string> = new Set(checkedScopes('defineScopes()', scopes));
  const refuseUnknown = (used: readonly string[]): void => {
    const unknown = used.find((scope) => !known.has(scope));
    if (unknown !== undefined)
      throw new TypeError(`'${unknown}' is not among the scopes of defineScopes(): ${[...known].join(', ')}`);
  };
  return {
    RequireScopes: (...used) => (refuseUnknown(used), RequireScopes(...used)),
    RequireAnyScope: (...used) => (refuseUnknown(used), RequireAnyScope(...used)),
  };
}

function checkedScopes(decorator: string, scopes: readonly unknown[]): readonly string[] {
  if (scopes.length === 0)
    throw new TypeError(`${decorator} needs at least one scope; for "any valid key" use @AnyValidKey()`);
  return Object.freeze(
    scopes.map((scope) => {
      if (typeof scope === 'string' && SCOPE.test(scope)) return scope;
      throw new TypeError(
        `${decorator} takes scopes like 'read:users', one text each, without spaces and quotes; it got ${JSON.stringify(scope)}`,
      );
    }),
  );
}
