import type { ExecutionContext } from '@nestjs/common';
import type { ApiKeyVerdictSource } from '../api-key/decision.js';
import { principalOf, type Caller, type Principal } from '../api-key/principal.js';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import type { RateDecision } from '../rate-limit/rate-limit-store.js';
import type { Call } from '../contexts/call.js';
import { decideOrganization } from '../rules/access-decision.js';
import { isUnchanged, type ComparedRequest } from '../rules/compared-request.js';
import { isObject, type HttpRequest } from '../rules/http-request.js';
import type { ResolvedOrg } from '../rules/org-reader.js';
import type { RouteRule } from '../rules/route-rule.js';

// Equal in every copy of the library in a process.
const STATE = Symbol.for('nestjs-kinde-api-key:request-state');

/**
 * What the guards of one registration know about a request, for one rule. It is kept on the request, because a guard may run again, by a
 * second instance or after a refusal: nothing is done, and nothing counted, twice. Fastify's raw request carries it, too: middleware and access
 * logs see only that one.
 */
export interface RequestState {
  readonly request: HttpRequest;
  readonly registration: symbol;
  readonly rule: RouteRule;
  isKept: boolean;
  /** The state kept before this one: of another registration, or for another rule. */
  previous: RequestState | undefined;
  /** The verified key, once Kinde or the cache has answered. */
  apiKey: VerifiedApiKey | undefined;
  /** The caller from the option `principals`, if it is not an API key. */
  principal: Principal | undefined;
  /** The question to the sources, until the request is decided: guards that run at the same time must check one caller, not two. */
  asked: Promise<Principal | null> | undefined;
  /** Whether the answer about the key came from the cache. */
  wasCached: boolean | undefined;
  /** Where the answer about the key came from. Answers in memory beyond their time to live count as `memory` here. */
  source: ApiKeyVerdictSource | null;
  /** When the guard began, by a monotonic clock in milliseconds; `undefined` if decisions are not reported. */
  startedAtMs: number | undefined;
  /** The answer of the rate limit, once the request was counted. */
  rate: RateDecision | Promise<RateDecision> | undefined;
  /** The caller that was counted. A guard of the app may let in another one after a refusal. */
  countedFor: string | undefined;
  /** The answer of the rate limit, once it is known. */
  decision: RateDecision | undefined;
  /** Whether the guard let the request through. */
  isAccepted: boolean;
  /** What a resolver found its organizations from, once they matched. */
  compared: ComparedRequest | undefined;
  /** What an organization resolver loaded. */
  resource: unknown;
}

interface KeptOn {
  [STATE]?: RequestState;
}

/** The states of calls outside HTTP. Not on the objects themselves: an app copies and prints a payload. */
const CALLS = new WeakMap<object, RequestState>();

/** Returns the state that a registration keeps on a request for a rule, or a new one that is not kept yet. */
export function stateOf(request: HttpRequest, registration: symbol, rule: RouteRule): RequestState {
  // An own property: most requests have none, and a look through Express's prototypes takes 0.2 µs.
  let state = Object.hasOwn(request, STATE) ? (request as KeptOn)[STATE] : undefined;
  while (state && (state.registration !== registration || state.rule !== rule)) state = state.previous;
  return (
    state ?? {
      request,
      registration,
      rule,
      isKept: false,
      previous: undefined,
      apiKey: undefined,
      principal: undefined,
      asked: undefined,
      wasCached: undefined,
      source: null,
      startedAtMs: undefined,
      rate: undefined,
      countedFor: undefined,
      decision: undefined,
      isAccepted: false,
      compared: undefined,
      resource: undefined,
    }
  );
}

/** Returns the state that a registration keeps for a rule of a call outside HTTP. Two calls share none, though they share a request. */
export function stateOfCall({ id, request }: Call, registration: symbol, rule: RouteRule): RequestState {
  let state = CALLS.get(id);
  const previous = state;
  while (state && (state.registration !== registration || state.rule !== rule)) state = state.previous;
  if (state) return state;
  const made = Object.assign(stateOf(request, registration, rule), { isKept: true, previous });
  CALLS.set(id, made);
  return made;
}

/** Stores what was found out about a call for code that runs after the guard. */
export function keepForLater({ id, foundBy, isFoundAlone, origin, owner }: Call, state: RequestState): void {
  if (state.isAccepted && foundBy !== id) CALLS.set(foundBy, isFoundAlone ? state : { ...state, resource: undefined });
  const isLatest = state.isAccepted || origin === id || !acceptedState(owner);
  const { raw } = owner as { readonly raw?: unknown };
  if (isLatest) for (const one of [owner, raw]) if (isObject(one)) CALLS.set(one, state);
}

/**
 * Stores the state on its request, once. Call it before running app code or awaiting: another guard may run meanwhile. A key that is refused
 * at once needs no state, and writing to one of Express's requests takes a microsecond.
 */
export function keepState(state: RequestState): void {
  if (state.isKept) return;
  const request = state.request as KeptOn;
  if (Object.hasOwn(request, STATE)) state.previous = request[STATE];
  request[STATE] = state;
  const { raw } = state.request;
  // An app on Express may use this name for something of its own, such as a text or a frozen object.
  if (Object.isExtensible(raw)) (raw as KeptOn)[STATE] = state;
  state.isKept = true;
}

/** @internal Stores a key on a request as if a guard had accepted it, for tests. The guards of every registration still check the request. */
export function acceptKey(request: object, apiKey: VerifiedApiKey, resource?: unknown): void {
  // Rules are compared by identity: this one belongs to no registration.
  const state = stateOf(request, Symbol('a test'), {} as RouteRule);
  keepState(Object.assign(state, { apiKey, resource, isAccepted: true }));
}

/** Returns the most recent state of a request that was let through, by this registration or by any. */
export function acceptedState(request: unknown, registration?: symbol): RequestState | undefined {
  let state = keptOn(request);
  while (state && (!state.isAccepted || (registration && state.registration !== registration))) state = state.previous;
  return state;
}

function keptOn(request: unknown): RequestState | undefined {
  return (request as KeptOn | null | undefined)?.[STATE] ?? CALLS.get(request as object);
}

/** Returns the caller of a request that is authenticated. */
export function callerOf({ apiKey, principal }: RequestState): Caller {
  const caller = apiKey ?? principal;
  if (!caller) throw new Error('the request is not authenticated yet');
  return caller;
}

/** Returns what identifies the caller of a request in rate limits. */
export function callerIdOf({ apiKey, principal }: RequestState): string {
  // No key id starts with a bracket, so the two cannot collide.
  return apiKey ? apiKey.keyId : JSON.stringify([principal?.kind, principal?.id]);
}

/** Whether every organization of a request that was let through is still the caller's: an app may hand the same request on with other values. */
export function stillMatches(context: ExecutionContext, state: RequestState): boolean {
  const { request, compared, rule } = state;
  if (rule.resolvesOrganization) return compared !== undefined && isUnchanged(compared, context, request);
  const caller = callerOf(state);
  return rule.organizations.every((read) => {
    // Only a resolver answers otherwise.
    const resolution = read(context, request, caller) as ResolvedOrg;
    return decideOrganization(caller, resolution.orgCode) === null;
  });
}

/**
 * Returns the verified key of a request, for code outside handlers: interceptors, filters, middleware and access logs, once the guard has run.
 *
 * @param request the framework's request object, or the raw request behind Fastify's
 * @returns the key that `ApiKeyGuard` accepted, or `undefined` where no guard ran, the route is public, the caller has no key or the request was
 * refused
 */
export function getVerifiedApiKey(request: unknown): VerifiedApiKey | undefined {
  return acceptedState(request)?.apiKey;
}

/**
 * Returns the caller of a request: the verified key, or whom a source of the option `principals` named. For code outside handlers, once the guard has
 * run.
 *
 * @param request the framework's request object, or the raw request behind Fastify's
 * @returns the caller that `ApiKeyGuard` accepted, frozen, or `undefined` where no guard ran, the route is public or the request was refused
 */
export function getPrincipal(request: unknown): Principal | undefined {
  const state = acceptedState(request);
  return state?.apiKey ? principalOf(state.apiKey) : state?.principal;
}

/**
 * Returns whose key a refused request carried, for access logs and filters. The caller may not do what it asked for: never grant anything by it.
 *
 * @param request the framework's request object, or the raw request behind Fastify's
 * @returns the key of a request that `ApiKeyGuard` refused although the key is good (403, 429), or `undefined`
 */
export function getRefusedApiKey(request: unknown): VerifiedApiKey | undefined {
  if (acceptedState(request)) return undefined;
  let state = keptOn(request);
  while (state && !state.apiKey) state = state.previous;
  return state?.apiKey;
}
