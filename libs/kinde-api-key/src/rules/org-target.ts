import type { ExecutionContext, Type } from '@nestjs/common';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';

/** The organization that a request is about, and what was loaded to find it out: the handler gets it from `@ScopedResource()`. */
export interface ResolvedOrganization<Resource = unknown> {
  /** Compared with the key's `org_code`; anything but a text that is not empty is a mismatch. */
  readonly orgCode: string | null | undefined;
  /** Handed to the handler by `@ScopedResource()`, only if the organizations match. */
  readonly resource?: Resource;
}

/** What an {@link OrgResolver} may answer. */
export type OrgResolution<Resource = unknown> = string | null | undefined | ResolvedOrganization<Resource>;

/**
 * Finds out which organization a request is about: an injectable class of the app's own, or a function of the same signature.
 *
 * @typeParam Resource what it loads on the way, which the handler gets from `@ScopedResource()`
 */
export interface OrgResolver<Resource = unknown> {
  /**
   * @param context the request, before any pipe has run: its parameters are raw texts
   * @param apiKey the verified key; its `orgCode` is what the result is compared with
   * @returns the organization, alone or with the loaded resource; whatever it throws reaches the app's own filters
   */
  resolveOrgCode(
    context: ExecutionContext,
    apiKey: VerifiedApiKey,
  ): OrgResolution<Resource> | Promise<OrgResolution<Resource>>;
}

/** An {@link OrgResolver} without a class. */
export type OrgResolverFunction = OrgResolver['resolveOrgCode'];

/**
 * Where `@OrgScoped()` finds the organization that a request is about. The value is taken raw, because guards run before pipes.
 * `{ from: 'key' }` compares nothing: the key must just belong to an organization.
 */
export type OrganizationTarget =
  | { readonly param: string }
  | { readonly header: string }
  | { readonly query: string }
  | { readonly body: string }
  | { readonly resolve: Type<OrgResolver> | OrgResolverFunction }
  | { readonly from: 'key' };

const NAMED = ['param', 'header', 'query', 'body'] as const;

/**
 * @param target what was passed to `@OrgScoped()`
 * @throws {TypeError} when it is none of the forms, naming them
 */
export function checkOrganizationTarget(target: OrganizationTarget | undefined): void {
  if (target === undefined) return;
  const entries: [string, unknown][] = Object.entries(target ?? {});
  const [name, value] = entries[0] ?? [];
  const isNamed = NAMED.some((known) => known === name) && typeof value === 'string' && value !== '';
  const isResolver = name === 'resolve' && typeof value === 'function';
  if (entries.length !== 1 || !(isNamed || isResolver || (name === 'from' && value === 'key'))) {
    throw new TypeError(
      "@OrgScoped() takes nothing, or one of { param: 'name' }, { header: 'name' }, { query: 'name' }, { body: 'name' }, " +
        "{ resolve: a class or a function } and { from: 'key' }",
    );
  }
}

/** @returns whether `{ resolve }` holds a class to be found among the app's providers, and not a function to be called */
export function isResolverClass(resolve: Type<OrgResolver> | OrgResolverFunction): resolve is Type<OrgResolver> {
  return (
    typeof (resolve.prototype as Partial<OrgResolver> | undefined)?.resolveOrgCode === 'function' ||
    /^class\b/.test(Function.prototype.toString.call(resolve))
  );
}
