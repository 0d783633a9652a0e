import type { VerifiedApiKey } from '../verified-api-key.js';
import type { RouteRule } from './route-rule.js';

// Equal in every copy of the library that a process may have loaded.
const PASSAGE = Symbol.for('nestjs-kinde-api-key:passage');

/** That a registration let a request pass: kept on the request, so that a second guard instance does not do the work again. */
export interface Passage {
  /** Whose guard it was: each registration goes by its own. */
  readonly registration: symbol;
  readonly rule: RouteRule;
  readonly apiKey: VerifiedApiKey;
  readonly resource: unknown;
  /** The passage of another registration whose guard came before. */
  readonly previous: Passage | undefined;
}

interface Passable {
  [PASSAGE]?: Passage;
}

/** @returns the latest passage of any registration */
export function latestPassage(request: unknown): Passage | undefined {
  return (request as Passable | null | undefined)?.[PASSAGE];
}

/** @returns whether a registration has already let the request pass this rule */
export function hasPassed(request: object, registration: symbol, rule: RouteRule): boolean {
  for (let passage = latestPassage(request); passage; passage = passage.previous) {
    if (passage.registration === registration && passage.rule === rule) return true;
  }
  return false;
}

/** Notes on the request that it passed. */
export function recordPassage(
  request: object,
  registration: symbol,
  rule: RouteRule,
  apiKey: VerifiedApiKey,
  resource: unknown,
): void {
  (request as Passable)[PASSAGE] = { registration, rule, apiKey, resource, previous: latestPassage(request) };
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
