import type { ExecutionContext, Type } from '@nestjs/common';
import type { Caller } from '../api-key/principal.js';

/** The organization that a request is about, with the resource that was loaded to find it. */
export interface ResolvedOrganization<Resource = unknown> {
  /** Compared with the caller's organization. Anything but a non-empty string is a mismatch. */
  readonly orgCode: string | null | undefined;
  /** Given to the handler by `@ScopedResource()`, if the organizations match. */
  readonly resource?: Resource;
}

/** What an {@link OrgResolver} may return. */
export type OrgResolution<Resource = unknown> = string | null | undefined | ResolvedOrganization<Resource>;

/**
 * Finds the organization that a request is about: an injectable class of the app, or a function with the same signature.
 *
 * @typeParam Resource what the resolver loads, and the handler gets from `@ScopedResource()`
 */
export interface OrgResolver<Resource = unknown> {
  /**
   * @param context the request, before any pipe has run: its parameters are raw strings
   * @param caller the verified key, or another principal where the option `principals` is set; the result is compared with its `orgCode`
   * @returns the organization, alone or with the loaded resource. Errors reach the app's exception filters
   */
  resolveOrgCode(context: ExecutionContext, caller: Caller): OrgResolution<Resource> | Promise<OrgResolution<Resource>>;
}

/** An {@link OrgResolver} without a class. */
export type OrgResolverFunction = OrgResolver['resolveOrgCode'];

/**
 * Where `@OrgScoped()` finds the organization that a request is about. The value is compared raw, because guards run before pipes. `{ arg }` is for
 * an argument of a GraphQL field, or a field of a message's payload.
 * `{ from: 'key' }` compares nothing: the caller must only belong to an organization.
 */
export type OrganizationTarget =
  | { readonly param: string }
  | { readonly header: string }
  | { readonly query: string }
  | { readonly body: string }
  | { readonly arg: string }
  | { readonly resolve: Type<OrgResolver> | OrgResolverFunction }
  | { readonly from: 'key' };

/**
 * Checks what was passed to `@OrgScoped()`.
 *
 * @throws {TypeError} for a target of another form, naming the forms
 */
export function checkOrganizationTarget(target: OrganizationTarget | undefined): void {
  if (isOrganizationTarget(target)) return;
  throw new TypeError(
    "@OrgScoped() takes nothing, or one of { param: 'name' }, { header: 'name' }, { query: 'name' }, { body: 'name' }, " +
      "{ arg: 'name' }, { resolve: a class or a function } and { from: 'key' }",
  );
}

/** Whether a value is a target of `@OrgScoped()`; `undefined` is one. */
export function isOrganizationTarget(target: unknown): target is OrganizationTarget | undefined {
  if (target === undefined) return true;
  const [[name, value] = ['', undefined], ...others] = Object.entries<unknown>(
    (target as Record<string, unknown> | null) ?? {},
  );
  const isNamed =
    ['param', 'header', 'query', 'body', 'arg'].includes(name) && typeof value === 'string' && value !== '';
  const isResolver = name === 'resolve' && typeof value === 'function';
  const isOfKey = name === 'from' && value === 'key';
  return others.length === 0 && (isNamed || isResolver || isOfKey);
}

/** Whether a target is of one form. Looks at its own field only: `in` would see a polluted `Object.prototype`. */
export function hasTarget<Name extends string>(
  target: OrganizationTarget,
  name: Name,
): target is Extract<OrganizationTarget, Readonly<Record<Name, unknown>>> {
  return Object.hasOwn(target, name);
}

/** Whether `{ resolve }` holds a class to be found among the app's providers, and not a function to be called. */
export function isResolverClass(resolve: Type<OrgResolver> | OrgResolverFunction): resolve is Type<OrgResolver> {
  return (
    typeof (resolve.prototype as Partial<OrgResolver> | undefined)?.resolveOrgCode === 'function' ||
    /^class\b/.test(Function.prototype.toString.call(resolve))
  );
}
