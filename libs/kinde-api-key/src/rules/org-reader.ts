import type { ExecutionContext } from '@nestjs/common';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import type { HttpRequest } from './http-request.js';
import type { OrganizationTarget, OrgResolution, OrgResolver, OrgResolverFunction } from './org-target.js';

/** The organization that a request is about, of any shape, with the resource that a resolver loaded. */
export interface ResolvedOrg {
  readonly orgCode: unknown;
  readonly resource?: unknown;
}

/** Reads which organization a request is about. Errors of a resolver propagate. */
export type OrgReader = (
  context: ExecutionContext,
  request: HttpRequest,
  apiKey: VerifiedApiKey,
) => ResolvedOrg | Promise<ResolvedOrg>;

/** Returns the resolver for a request: a promise if it is built for each request. */
export type ResolverHandle = (request: HttpRequest) => OrgResolver | Promise<OrgResolver>;

/** Returns a reader of a value in the request itself. */
export function requestOrgReader(
  target: Exclude<OrganizationTarget, { from: 'key' } | { resolve: unknown }>,
): OrgReader {
  if ('param' in target) return (_context, request) => ({ orgCode: ownField(request.params, target.param) });
  if ('query' in target) return (_context, request) => ({ orgCode: ownField(request.query, target.query) });
  if ('body' in target) return (_context, request) => ({ orgCode: ownField(request.body, target.body) });
  const header = target.header.toLowerCase();
  return (_context, request) => ({ orgCode: ownField(request.headers, header) });
}

/** Returns a reader that calls a function of the app. */
export function functionOrgReader(resolve: OrgResolverFunction): OrgReader {
  return (context, _request, apiKey) => whenResolved(resolve(context, apiKey), resolvedOrgOf);
}

/** Returns a reader that calls an injectable class of the app. */
export function resolverOrgReader(handle: ResolverHandle): OrgReader {
  return (context, request, apiKey) =>
    whenResolved(handle(request), (resolver) => whenResolved(resolver.resolveOrgCode(context, apiKey), resolvedOrgOf));
}

/** Continues at once with a value, and later with a promised one, so that a request does not wait without need. */
function whenResolved<In, Out>(
  value: In | PromiseLike<In>,
  proceed: (value: In) => Out | Promise<Out>,
): Out | Promise<Out> {
  return isPromiseLike(value) ? Promise.resolve(value).then(proceed) : proceed(value);
}

function isPromiseLike<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as PromiseLike<T> | null | undefined)?.then === 'function';
}

function resolvedOrgOf(resolution: OrgResolution): ResolvedOrg {
  if (typeof resolution !== 'object' || resolution === null) return { orgCode: resolution };
  const { orgCode, resource } = resolution;
  return { orgCode, resource };
}

/** Reads an own field of a record. Ignores inherited ones, so that `constructor` finds nothing. */
function ownField(record: unknown, name: string): unknown {
  if (typeof record !== 'object' || record === null || !Object.hasOwn(record, name)) return undefined;
  return (record as Readonly<Record<string, unknown>>)[name];
}
