import type { RateDecision } from '../rate-limit/rate-limit-store.js';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import type { RouteRule } from '../rules/route-rule.js';

// Equal in every copy of the library that a process may have loaded.
const VISIT = Symbol.for('nestjs-kinde-api-key:visit');

/**
 * What a registration's guards did about a request, for one rule. It is kept on the request, because a guard may be asked again, by a second
 * instance or after a refusal: so nothing is done, and nothing counted, twice.
 */
export interface Visit {
  /** Whose guards: each registration goes by its own. */
  readonly registration: symbol;
  readonly rule: RouteRule;
  /** The visit before, to the guards of another registration or for another rule. */
  readonly previous: Visit | undefined;
  /** What the rate limit said, once the request was counted. */
  rate: RateDecision | Promise<RateDecision> | undefined;
  /** The key with which the request passed, once it did. */
  apiKey: VerifiedApiKey | undefined;
  /** What a resolver loaded on the way. */
  resource: unknown;
}

/** A visit at whose end the request passed. */
export interface Passage extends Visit {
  readonly apiKey: VerifiedApiKey;
}

interface Visitor {
  [VISIT]?: Visit;
}

/** @returns the latest visit that is noted on a request, to whomever */
export function latestVisit(request: object): Visit | undefined {
  // Most requests have none, and on Express it takes 0.2 µs to find that none of their prototypes has one, either.
  return Object.hasOwn(request, VISIT) ? (request as Visitor)[VISIT] : undefined;
}

/** @returns the visit to a registration's guards for a rule, the latest one or one before it, if there was one */
export function findVisit(latest: Visit | undefined, registration: symbol, rule: RouteRule): Visit | undefined {
  let visit = latest;
  while (visit && (visit.registration !== registration || visit.rule !== rule)) visit = visit.previous;
  return visit;
}

/** Notes on a request that it visits a registration's guards for a rule. @param previous the latest visit until now */
export function openVisit(request: object, registration: symbol, rule: RouteRule, previous: Visit | undefined): Visit {
  const visit = { registration, rule, previous, rate: undefined, apiKey: undefined, resource: undefined };
  (request as Visitor)[VISIT] = visit;
  return visit;
}

/** @returns the visit of a request to a registration's guards for a rule: the one that is noted, or else a new one */
export function visitOf(request: object, registration: symbol, rule: RouteRule): Visit {
  const latest = latestVisit(request);
  return findVisit(latest, registration, rule) ?? openVisit(request, registration, rule, latest);
}

/** @returns the latest visit of any registration at whose end the request passed */
export function latestPassage(request: unknown): Passage | undefined {
  let visit = (request as Visitor | null | undefined)?.[VISIT];
  while (visit && !visit.apiKey) visit = visit.previous;
  return visit as Passage | undefined;
}

/**
 * The verified key of a request, for code that is no handler: interceptors, filters, middleware that runs after the guard.
 *
 * @param request the framework's request object (Express's, or Fastify's own and not its `raw`)
 * @returns the key that `ApiKeyGuard` accepted, or `undefined` where no guard ran or the route is public
 */
export function getVerifiedApiKey(request: unknown): VerifiedApiKey | undefined {
  return latestPassage(request)?.apiKey;
}
