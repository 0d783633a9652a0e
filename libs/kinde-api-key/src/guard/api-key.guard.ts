import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { RawKey } from '../api-key/raw-key.js';
import type { Verdict } from '../api-key/verdict.js';
import { responseOf } from '../contexts/calls.js';
import { retryAfterSeconds } from '../rate-limit/rate-limit-headers.js';
import type { RateLimitRule } from '../rate-limit/rate-limit-rule.js';
import type { RateDecision } from '../rate-limit/rate-limit-store.js';
import { keepFromSharedCaches, setHeaders } from '../responses/accepted-headers.js';
import { ANSWER_OF_REASON } from '../responses/answers.js';
import { decideAccess, decideOrganization } from '../rules/access-decision.js';
import { comparedOf } from '../rules/compared-request.js';
import type { HttpRequest } from '../rules/http-request.js';
import { resolvedOrgOf, type ResolvedOrg } from '../rules/org-reader.js';
import type { OrgResolution } from '../rules/org-target.js';
import type { SourcedVerdict } from '../verification/verdict-storage.js';
import { decideCall } from './outside-http/decide-call.js';
import { authenticateOther } from './other-callers.js';
import { DECISIONS } from './decision-reporter.js';
import { askKinde, isVerificationError } from './key-verification.js';
import { KINDE_API_KEY_REGISTRATION, type Registration } from './registration.js';
import {
  limitFailures,
  rateLimitHeadersOf,
  refuseAccess,
  refuseKey,
  refuseRequest,
  refuseUnsupported,
  resolverFailure,
} from './request-refusal.js';
import { callerIdOf, callerOf, keepState, stateOf, stillMatches, type RequestState } from './request-state.js';

const UNKNOWN_HANDLER = 'its handler is not known, or its rules contradict each other';

/** Marks the guard and its subclasses for the boot check, in every copy of the library in a process. */
export const API_KEY_GUARD = Symbol.for('nestjs-kinde-api-key:guard');

/**
 * Lets a request through if its API key is valid, or a source of the option `principals` knows the caller, and the handler's decorators are
 * satisfied. Refuses every other request with `ApiKeyRefusedException`. A handler without a decorator requires a valid key.
 *
 * Returns `true` synchronously when the key is cached and no resolver has to be awaited.
 */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  static readonly [API_KEY_GUARD] = true;
  /** @internal A subclass without a constructor inherits it. */
  constructor(@Inject(KINDE_API_KEY_REGISTRATION) private readonly registration: Registration) {}

  /**
   * @returns `true`, or a promise of it where Kinde, a shared store or a resolver has to answer first
   * @throws {ApiKeyRefusedException} with one of the codes of `ApiKeyRefusalCode`
   */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const { registration } = this;
    // Nest copies the fields of a subclass that has a forwardRef() to another object, which has no private methods.
    if (!(#decide in this)) return new ApiKeyGuard(registration).canActivate(context);
    const rule = registration.rules.ruleOf(context.getClass(), context.getHandler());
    if (!rule) throw refuseUnsupported(registration, context, UNKNOWN_HANDLER);
    if (rule.isPublic) return true;
    if (context.getType() === 'http')
      return this.#decide(context, stateOf(context.switchToHttp().getRequest<HttpRequest>(), registration.id, rule));
    return decideCall(registration, context, rule, (once, state) => new ApiKeyGuard(once).#decide(context, state));
  }

  #decide(context: ExecutionContext, state: RequestState): boolean | Promise<boolean> {
    const { rateLimit, organizations } = state.rule;
    if (state.isAccepted && (organizations.length === 0 || stillMatches(context, state))) return true;
    state.isAccepted = false;
    // Fields of an object and of Node: a hit that is not observed runs no function for it.
    const { listeners } = this.registration.decisions;
    state.startedAtMs = listeners.isHeard || DECISIONS.hasSubscribers ? performance.now() : undefined;
    // Each step throws a refusal, and returns a promise only if it has to wait. Each stands here twice, so that a hit makes no closures.
    let waiting = this.#authenticate(context, state);
    if (rateLimit)
      waiting = waiting
        ? waiting.then(() => this.#count(context, state, rateLimit))
        : this.#count(context, state, rateLimit);
    waiting = waiting ? waiting.then(() => this.#authorize(context, state)) : this.#authorize(context, state);
    if (organizations.length > 0)
      waiting = waiting
        ? waiting.then(() => this.#matchOrganizations(context, state))
        : this.#matchOrganizations(context, state);
    return waiting ? waiting.then(() => this.#accept(context, state)) : this.#accept(context, state);
  }

  /** Reads the key and verifies it, from the cache if possible. */
  #authenticate(context: ExecutionContext, state: RequestState): void | Promise<void> {
    const { credentials, verification } = this.registration;
    const key = credentials.read(state.request);
    if (typeof key === 'string') return authenticateOther(this.registration, context, state, key);
    const { maxAgeMs } = state.rule;
    const cached = maxAgeMs === null ? verification.lookup?.(key) : verification.lookupWithin?.(key, maxAgeMs);
    if (cached) return this.#acceptKey(context, state, cached, true);
    const refusal = limitFailures(this.registration, context, state, key);
    if (refusal) throw refusal;
    keepState(state);
    return this.#verify(context, state, key);
  }

  async #verify(context: ExecutionContext, state: RequestState, key: RawKey): Promise<void> {
    const release = this.registration.failedAttempts?.reserve(state.request);
    let answer: SourcedVerdict;
    try {
      answer = await askKinde(this.registration.verification, key, state.rule.maxAgeMs !== null);
    } catch (error) {
      if (!isVerificationError(error)) throw error;
      throw refuseRequest(this.registration, context, state, error.code, error.retryAfterSeconds);
    } finally {
      release?.();
    }
    state.source = answer.source;
    this.#acceptKey(context, state, answer.verdict, false);
  }

  #acceptKey(context: ExecutionContext, state: RequestState, verdict: Verdict, wasCached: boolean): void {
    state.wasCached = wasCached;
    if (wasCached) state.source = 'memory';
    if (!verdict.accepted) throw refuseKey(this.registration, context, state, ANSWER_OF_REASON[verdict.reason]);
    state.apiKey = verdict.apiKey;
    state.principal = undefined;
    keepState(state);
  }

  /** Counts the request, unless another guard of this registration has counted it for the same caller. */
  #count(context: ExecutionContext, state: RequestState, rateLimit: RateLimitRule): void | Promise<void> {
    const callerId = callerIdOf(state);
    if (state.countedFor !== callerId) state.rate = undefined;
    state.countedFor = callerId;
    const decision = (state.rate ??= this.registration.rateLimiter.take(rateLimit, callerOf(state), callerId));
    if (isThenable(decision)) return Promise.resolve(decision).then((decided) => this.#limit(context, state, decided));
    return this.#limit(context, state, decision);
  }

  #limit(context: ExecutionContext, state: RequestState, decision: RateDecision): void {
    state.decision = decision;
    if (!decision.accepted)
      throw refuseRequest(this.registration, context, state, 'RATE_LIMITED', retryAfterSeconds(decision));
  }

  /** Checks the caller itself, before an organization is resolved: nothing is loaded for a caller that is refused anyway. */
  #authorize(context: ExecutionContext, state: RequestState): void {
    const refusal = decideAccess(state.rule.access, callerOf(state), state.apiKey !== undefined);
    if (refusal) throw refuseAccess(this.registration, context, state, refusal);
  }

  /** Compares the caller's organization with each one that the request names. */
  #matchOrganizations(context: ExecutionContext, state: RequestState, first = 0): void | Promise<void> {
    const { organizations } = state.rule;
    for (let index = first; index < organizations.length; index += 1) {
      let resolution;
      try {
        resolution = organizations[index]?.(context, state.request, callerOf(state));
      } catch (error) {
        throw resolverFailure(this.registration, context, state, error);
      }
      if (isThenable(resolution))
        return Promise.resolve(resolution).then(
          (resolved) => {
            this.#match(context, state, resolved);
            return this.#matchOrganizations(context, state, index + 1);
          },
          (error: unknown) => {
            throw resolverFailure(this.registration, context, state, error);
          },
        );
      this.#match(context, state, resolution);
    }
  }

  #match(context: ExecutionContext, state: RequestState, resolution: ResolvedOrg | OrgResolution): void {
    const { orgCode, resource } = resolvedOrgOf(resolution);
    const refusal = decideOrganization(callerOf(state), orgCode);
    if (refusal) throw refuseRequest(this.registration, context, state, refusal.code);
    state.resource = resource ?? state.resource;
  }

  #accept(context: ExecutionContext, state: RequestState): true {
    const { credentials, decisions } = this.registration;
    const { resolvesOrganization, rateLimit } = state.rule;
    state.isAccepted = true;
    state.asked = undefined;
    if (resolvesOrganization) state.compared = comparedOf(context, state.request);
    if (rateLimit?.sendsHeadersOnSuccess) setHeaders(responseOf(context), rateLimitHeadersOf(state));
    if (credentials.uncommonHeaders.length > 0 || state.principal)
      keepFromSharedCaches(responseOf(context), credentials.uncommonHeaders);
    if (state.startedAtMs !== undefined) decisions.prepare(state, null)?.();
    return true;
  }
}

/** By its shape: promises of other realms and libraries are not instances of `Promise`. */
function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as PromiseLike<T> | null | undefined)?.then === 'function';
}
