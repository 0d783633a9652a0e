import type { ExecutionContext } from '@nestjs/common';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import type { HttpRequest } from '../rules/http-request.js';
import type { RouteRule } from '../rules/route-rule.js';
import { openVisit, visitOf, type Visit } from './visit.js';

/** A request on its way through the guard. */
export interface Attempt {
  readonly context: ExecutionContext;
  readonly request: HttpRequest;
  readonly rule: RouteRule;
  /** The latest visit that was noted on the request when it came. */
  readonly latest: Visit | undefined;
  /** This one, once it is noted. */
  visit: Visit | undefined;
  apiKey: VerifiedApiKey | undefined;
  cached: boolean | undefined;
}

/** A request whose key is good. */
export interface AcceptedAttempt extends Attempt {
  readonly apiKey: VerifiedApiKey;
}

/**
 * Notes on the request that it is here, unless that is noted already. To be done before the app's code runs or anything is waited for, as the
 * request may visit others meanwhile, and only where it is needed: writing to a request is slow on Express.
 *
 * @param registration whose guard asks
 */
export function noteVisit(attempt_: AcceptedAttempt, registration: symbol): Visit {
  const { request, rule, latest, cached } = attempt_;
  // While Kinde was asked, the request may have visited others.
  return (attempt_.visit ??= cached
    ? openVisit(request, registration, rule, latest)
    : visitOf(request, registration, rule));
}
