import type { ExecutionContext } from '@nestjs/common';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import type { HttpRequest } from './http-request.js';
import type {
  OrganizationTarget,
  OrgResolution,
  OrgResolver,
  OrgResolverFunction,
  ResolvedOrganization,
} from './org-target.js';

/** What a request says about its organization; of any shape, for it comes from outside. */
export interface ResolvedOrg {
  readonly orgCode: unknown;
  readonly resource?: unknown;
}

/** Reads which organization a request is about. What it throws or rejects with propagates. */
export type OrgReader = (
  context: ExecutionContext,
  request: HttpRequest,
  apiKey: VerifiedApiKey,
) => ResolvedOrg | Promise<ResolvedOrg>;

/** Gives the resolver for a request: at once, or later where it is built for each request. */
export type ResolverHandle = (request: HttpRequest) => OrgResolver | Promise<OrgResolver>;

/** @returns the source for a value that stands in the request itself */
export function requestOrgReader(
  target: Exclude<OrganizationTarget, { from: 'key' } | { resolve: unknown }>,
): OrgReader {
  if ('param' in target) return (_context, request) => ({ orgCode: ownText(request.params, target.param) });
  if ('query' in target) return (_context, request) => ({ orgCode: ownText(request.query, target.query) });
  if ('body' in target) return (_context, request) => ({ orgCode: ownText(request.body, target.body) });
  const header = target.header.toLowerCase();
  return (_context, request) => ({ orgCode: ownText(request.headers, header) });
}

/** @returns the source that calls a function of the app's own */
export function functionOrgReader(resolve: OrgResolverFunction): OrgReader {
  return (context, _request, apiKey) => settle(resolve(context, apiKey), claimOf);
}

/** @returns the source that calls an injectable class of the app's own */
export function resolverOrgReader(handle: ResolverHandle): OrgReader {
  return (context, request, apiKey) =>
    settle(handle(request), (resolver) => settle(resolver.resolveOrgCode(context, apiKey), claimOf));
}

/** Goes on at once with a value that is there, and later with one that is promised: a request is not made to wait for nothing. */
function settle<In, Out>(value: In | PromiseLike<In>, proceed: (value: In) => Out | Promise<Out>): Out | Promise<Out> {
  return isPromiseLike(value) ? Promise.resolve(value).then((settled) => proceed(settled)) : proceed(value);
}

function isPromiseLike<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as PromiseLike<T> | null | undefined)?.then === 'function';
}

function claimOf(resolution: OrgResolution): ResolvedOrg {
  return typeof resolution === 'object' && resolution !== null ? claimOfObject(resolution) : { orgCode: resolution };
}

function claimOfObject({ orgCode, resource }: ResolvedOrganization): ResolvedOrg {
  return { orgCode, resource };
}

/** A field that is the record's own, so that `constructor` and the like find nothing. */
function ownText(record: unknown, name: string): unknown {
  if (typeof record !== 'object' || record === null || !Object.hasOwn(record, name)) return undefined;
  return (record as Readonly<Record<string, unknown>>)[name];
}
