import type { HttpException } from '@nestjs/common';
import type { ApiOptions } from '../audit/audited-api.js';
import type { AnswerName } from '../responses/answers.js';
import type { RouteRule } from '../rules/route-rule.js';
import { acceptsTokens } from './accepted-callers.js';
import type { MatchedOperation, RouteOfApi } from './matched-operations.js';

/** A refusal that can be the answer of an operation, with an example of it. */
export interface OccurringRefusal {
  readonly name: AnswerName;
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  /** Headers that have the same value in every such answer. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Returns the refusals that can be the answer of a guarded route, in the order in which the guard checks. */
export function refusalsOf(
  { api, route: { rule } }: RouteOfApi,
  { path, method }: MatchedOperation,
): OccurringRefusal[] {
  return namesOf(rule, api.options).map((name) => {
    const exception = exampleOf(name, rule, api, { method: method.toUpperCase(), url: path });
    const { headers = {} } = exception as { readonly headers?: Record<string, string> };
    const body = exception.getResponse() as Readonly<Record<string, unknown>>;
    return { name, status: exception.getStatus(), body, headers };
  });
}

function namesOf({ access, organizations, rateLimit }: RouteRule, options: ApiOptions): AnswerName[] {
  const hasScopes = access.requiredScopes.length > 0 || access.requiredAnyOf.length > 0;
  const occurs: readonly (readonly [AnswerName, boolean])[] = [
    ['MALFORMED_REQUEST', true],
    ['MISSING_KEY', true],
    ['WRONG_CREDENTIAL_TYPE', true],
    ['INVALID_TOKEN', acceptsTokens(options)],
    ['TOKEN_EXPIRED', acceptsTokens(options)],
    ['INVALID_KEY', true],
    ['KEY_REVOKED', true],
    ['KEY_INACTIVE', true],
    ['TOO_MANY_FAILED_ATTEMPTS', options.failedAttempts !== null],
    ['VERIFICATION_UNAVAILABLE', true],
    ['VERIFICATION_MISCONFIGURED', true],
    ['RATE_LIMITED', rateLimit !== null],
    ['KEY_REQUIRED', access.needsKey && options.principals.length > 0],
    ['INSUFFICIENT_SCOPE', hasScopes],
    ['ORG_REQUIRED', access.needsOrganization],
    ['USER_REQUIRED', access.needsUser],
    ['ORG_MISMATCH', organizations.length > 0],
  ];
  return occurs.filter(([, canOccur]) => canOccur).map(([name]) => name);
}

function exampleOf(name: AnswerName, rule: RouteRule, { refusals }: RouteOfApi['api'], request: object): HttpException {
  if (name !== 'INSUFFICIENT_SCOPE') return refusals.refuse(name, { request });
  const lacks = rule.access.requiredScopes.length > 0 ? 'required' : 'any_of';
  return refusals.refuseAccess({ code: name, lacks }, rule);
}
