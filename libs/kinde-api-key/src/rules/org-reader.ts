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

/** A target that stands in the request itself. */
type RequestTarget = Exclude<OrganizationTarget, { from: 'key' } | { resolve: unknown }>;

/**
 * Returns a reader of a value in the request itself.
 *
 * @param warn told once, without the value, when a request lacks it: each such request is refused
 */
export function requestOrgReader(target: RequestTarget, warn?: (message: string) => void): OrgReader {
  const read = fieldReader(target);
  let hasWarned = false;
  return (_context, request) => {
    const orgCode = read(request);
    if (orgCode === undefined && !hasWarned) {
      hasWarned = true;
      warn?.(absence(target, request));
    }
    return { orgCode };
  };
}

function fieldReader(target: RequestTarget): (request: HttpRequest) => unknown {
  if (hasTarget(target, 'param')) return (request) => ownField(request.params, target.param);
  if (hasTarget(target, 'query')) return (request) => ownField(request.query, target.query);
  if (hasTarget(target, 'body')) return (request) => ownField(request.body, target.body);
  if (hasTarget(target, 'arg')) return (request) => ownField(request.args, target.arg);
  const header = target.header.toLowerCase();
  return (request) => ownField(request.headers, header);
}

/** Returns what is absent, and why that usually is. */
function absence(target: RequestTarget, { body }: HttpRequest): string {
  if (hasTarget(target, 'param'))
    return `the route parameter "${target.param}" is absent: the path that was called does not have it`;
  if (hasTarget(target, 'query')) return `the query parameter "${target.query}" is absent: the client did not send it`;
  if (hasTarget(target, 'header'))
    return `the header "${target.header}" is absent: the client did not send it, or a proxy drops it`;
  if (hasTarget(target, 'arg')) return `the call has no argument "${target.arg}" of its own`;
  const isParsed = typeof body === 'object' && body !== null && Object.keys(body).length > 0;
  if (isParsed) return `the body has no field "${target.body}" of its own`;
  return (
    `the body is not parsed yet, so its field "${target.body}" is absent: guards run before interceptors such as FileInterceptor, which parse ` +
    'multipart bodies, or no body parser knows its Content-Type. Read the organization from the path, a header or a resolver instead'
  );
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
