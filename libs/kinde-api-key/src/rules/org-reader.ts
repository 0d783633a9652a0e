import type { ExecutionContext } from '@nestjs/common';
import type { Caller } from '../api-key/principal.js';
import type { HttpRequest } from './http-request.js';
import { hasTarget, type OrganizationTarget, type OrgResolution, type OrgResolverFunction } from './org-target.js';

/** The organization that a request is about, of any shape, with the resource that a resolver loaded. */
export interface ResolvedOrg {
  readonly orgCode: unknown;
  readonly resource?: unknown;
}

/** Reads which organization a request is about, for {@link resolvedOrgOf}. Errors of a resolver propagate. */
export type OrgReader = (
  context: ExecutionContext,
  request: HttpRequest,
  caller: Caller,
) => ResolvedOrg | ReturnType<OrgResolverFunction>;

/** Returns a reader of a value in the request itself. */
export function requestOrgReader(
  target: Exclude<OrganizationTarget, { from: 'key' } | { resolve: unknown }>,
): OrgReader {
  if (hasTarget(target, 'param')) return (_context, request) => ({ orgCode: ownField(request.params, target.param) });
  if (hasTarget(target, 'query')) return (_context, request) => ({ orgCode: ownField(request.query, target.query) });
  if (hasTarget(target, 'body')) return (_context, request) => ({ orgCode: ownField(request.body, target.body) });
  const header = target.header.toLowerCase();
  return (_context, request) => ({ orgCode: ownField(request.headers, header) });
}

/** Returns what a reader read in one shape. Ignores inherited fields: a polluted `Object.prototype` must not match. */
export function resolvedOrgOf(resolution: ResolvedOrg | OrgResolution): ResolvedOrg {
  if (typeof resolution !== 'object' || resolution === null) return { orgCode: resolution };
  return {
    orgCode: Object.hasOwn(resolution, 'orgCode') ? resolution.orgCode : undefined,
    resource: Object.hasOwn(resolution, 'resource') ? resolution.resource : undefined,
  };
}

/** Reads an own field of a record. Ignores inherited ones, so that `constructor` finds nothing. */
function ownField(record: unknown, name: string): unknown {
  if (typeof record !== 'object' || record === null || !Object.hasOwn(record, name)) return undefined;
  return (record as Readonly<Record<string, unknown>>)[name];
}
