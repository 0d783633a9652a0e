import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { RawKey } from '../api-key/raw-key.js';
import type { Verdict } from '../api-key/verdict.js';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import { rateLimitField, rateLimitPolicyField, retryAfterSeconds } from '../rate-limit/rate-limit-headers.js';
import type { RateLimitRule } from '../rate-limit/rate-limit-rule.js';
import { ANSWER_OF_REASON, type AnswerName } from '../responses/answers.js';
import type { ApiKeyRefusedException } from '../responses/api-key-refused.exception.js';
import type { HttpResponse } from '../responses/http-response.js';
import { decideAccess, decideOrganization, type AccessRefusal } from '../rules/access-decision.js';
import type { HttpRequest } from '../rules/http-request.js';
import { resolvedOrgOf, type OrgReader } from '../rules/org-reader.js';
import { decisionOf } from './decision-reporter.js';
import { askKinde, isVerificationError } from './key-verification.js';
import { KINDE_API_KEY_REGISTRATION, type Registration } from './registration.js';
import { keepState, stateOf, type RequestState } from './request-state.js';

/** Marks the guard and its subclasses for the boot check, in every copy of the library in a process. */
export const API_KEY_GUARD = Symbol.for('nestjs-kinde-api-key:guard');

/** What the organization readers of a rule loaded. An object, because a resource may be a thenable and must not be awaited. */
interface Loaded {
  readonly resource: unknown;
}

const NOTHING_LOADED: Loaded = Object.freeze({ resource: undefined });

/**
 * Lets a request through if its API key is valid and satisfies the handler's decorators. Refuses every other request with
 * {@link ApiKeyRefusedException}. A handler without a decorator requires a valid key.
 *
 * Returns `true` synchronously when the key is cached and no resolver has to be awaited.
 */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  static readonly [API_KEY_GUARD] = true;

  constructor(@Inject(KINDE_API_KEY_REGISTRATION) private readonly registration: Registration) {}

  /**
   * @returns `true`, or a promise of it where Kinde, a shared store or a resolver has to answer first
   * @throws {ApiKeyRefusedException} with one of the codes of `ApiKeyRefusalCode`
   */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const rule = this.registration.rules.ruleOf(context.getClass(), context.getHandler());
    if (!rule) throw this.#refuseUnsupported(context, 'its handler is not known, or its rules contradict each other');
    if (rule.isPublic) return true;
    if (context.getType() !== 'http') throw this.#refuseUnsupported(context, `"${context.getType()}" is not HTTP`);
    const state = stateOf(context.switchToHttp().getRequest<HttpRequest>(), this.registration.id, rule);
    if (state.isAccepted) return true;
    return andThen(this.#authenticate(context, state), (apiKey) =>
      andThen(rule.rateLimit && this.#count(context, state, apiKey, rule.rateLimit), () =>
        andThen(this.#authorize(context, state, apiKey), (loaded) => this.#accept(state, loaded)),
      ),
    );
  }

  /** Reads the key and verifies it, from the cache if possible. */
  #authenticate(context: ExecutionContext, state: RequestState): VerifiedApiKey | Promise<VerifiedApiKey> {
    const { credentials, verification } = this.registration;
    const key = credentials.read(state.request);
    if (typeof key === 'string') throw this.#refuseKey(context, state, key);
    const cached = verification.lookup?.(key);
    if (cached) return this.#acceptKey(context, state, cached, true);
    this.#limitFailures(context, state, key);
    keepState(state);
    return this.#verify(context, state, key);
  }

  /** Rejects unknown keys from a network over its `failedAttempts` limit. Previously accepted keys are unaffected. */
  #limitFailures(context: ExecutionContext, state: RequestState, key: RawKey): void {
    const { failedAttempts, verification } = this.registration;
    const waitSeconds = failedAttempts?.waitSeconds(state.request) ?? 0;
    if (waitSeconds > 0 && !verification.wasAccepted?.(key))
      throw this.#refuse(context, state, 'TOO_MANY_FAILED_ATTEMPTS', waitSeconds);
  }

  async #verify(context: ExecutionContext, state: RequestState, key: RawKey): Promise<VerifiedApiKey> {
    let verdict: Verdict;
    try {
      verdict = await askKinde(this.registration.verification, key);
    } catch (error) {
      if (!isVerificationError(error)) throw error;
      throw this.#refuse(context, state, error.code, error.retryAfterSeconds);
    }
    return this.#acceptKey(context, state, verdict, false);
  }

  #acceptKey(context: ExecutionContext, state: RequestState, verdict: Verdict, wasCached: boolean): VerifiedApiKey {
    state.wasCached = wasCached;
    if (!verdict.accepted) throw this.#refuseKey(context, state, ANSWER_OF_REASON[verdict.reason]);
    state.apiKey = verdict.apiKey;
    keepState(state);
    return verdict.apiKey;
  }

  /** Counts the request, unless another guard of this registration has done so. */
  #count(
    context: ExecutionContext,
    state: RequestState,
    apiKey: VerifiedApiKey,
    rateLimit: RateLimitRule,
  ): void | Promise<void> {
    return andThen((state.rate ??= this.registration.rateLimiter.take(rateLimit, apiKey)), (decision) => {
      if (rateLimit.sendsHeadersOnSuccess || !decision.accepted) {
        const response = responseOf(context);
        response.header('RateLimit', rateLimitField(rateLimit, decision));
        response.header('RateLimit-Policy', rateLimitPolicyField(rateLimit, decision));
      }
      if (!decision.accepted) throw this.#refuse(context, state, 'RATE_LIMITED', retryAfterSeconds(decision));
    });
  }

  /** Checks the key itself first, then each organization that the request names: a resolver loads nothing for a key that is refused anyway. */
  #authorize(context: ExecutionContext, state: RequestState, apiKey: VerifiedApiKey): Loaded | Promise<Loaded> {
    const refusal = decideAccess(state.rule.access, apiKey);
    if (refusal) throw this.#refuseAccess(context, state, refusal);
    let matched: Loaded | Promise<Loaded> = NOTHING_LOADED;
    for (const read of state.rule.organizations) {
      matched =
        matched instanceof Promise
          ? matched.then((loaded) => this.#matchOrganization(context, state, apiKey, read, loaded))
          : this.#matchOrganization(context, state, apiKey, read, matched);
    }
    return matched;
  }

  /** Compares the key's organization with one that the request names. Returns the resource that was loaded last. */
  #matchOrganization(
    context: ExecutionContext,
    state: RequestState,
    apiKey: VerifiedApiKey,
    read: OrgReader,
    loaded: Loaded,
  ): Loaded | Promise<Loaded> {
    return andThen(read(context, state.request, apiKey), (resolution) => {
      const { orgCode, resource } = resolvedOrgOf(resolution);
      const refusal = decideOrganization(apiKey, orgCode);
      if (refusal) throw this.#refuse(context, state, refusal.code);
      return resource === undefined || resource === null ? loaded : { resource };
    });
  }

  #accept(state: RequestState, { resource }: Loaded): true {
    state.resource = resource;
    state.isAccepted = true;
    this.registration.decisions?.report(decisionOf(state, null));
    return true;
  }

  /** Refuses a key, and counts it as a failed attempt of the client's network. */
  #refuseKey(context: ExecutionContext, state: RequestState, name: AnswerName): ApiKeyRefusedException {
    const { failedAttempts } = this.registration;
    if (!failedAttempts || name === 'MISSING_KEY') return this.#refuse(context, state, name);
    const waitSeconds = failedAttempts.waitSeconds(state.request);
    if (waitSeconds > 0) return this.#refuse(context, state, 'TOO_MANY_FAILED_ATTEMPTS', waitSeconds);
    failedAttempts.record(state.request);
    return this.#refuse(context, state, name);
  }

  #refuseAccess(context: ExecutionContext, state: RequestState, refusal: AccessRefusal): ApiKeyRefusedException {
    this.registration.decisions?.report(decisionOf(state, refusal.code));
    return this.registration.refusals.refuseAccess(responseOf(context), refusal, state.rule);
  }

  #refuse(
    context: ExecutionContext,
    state: RequestState,
    name: AnswerName,
    retryAfter?: number,
  ): ApiKeyRefusedException {
    const details = retryAfter === undefined ? {} : { retryAfterSeconds: retryAfter };
    const refused = this.registration.refusals.refuse(responseOf(context), name, details);
    this.registration.decisions?.report(decisionOf(state, refused.code));
    return refused;
  }

  #refuseUnsupported(context: ExecutionContext, why: string): ApiKeyRefusedException {
    const route = `${context.getClass().name}.${context.getHandler().name}`;
    this.registration.log.error(`${route} was refused: ${why}`);
    this.registration.decisions?.report(decisionOf(null, 'UNSUPPORTED_CONTEXT'));
    const response = context.getType() === 'http' ? responseOf(context) : undefined;
    return this.registration.refusals.refuse(response, 'UNSUPPORTED_CONTEXT');
  }
}

function responseOf(context: ExecutionContext): HttpResponse {
  return context.switchToHttp().getResponse<HttpResponse>();
}

/** Continues at once, or after a promise. The value must not be a bare resource of the app: a query builder is a thenable and would run. */
function andThen<In, Out>(value: In | PromiseLike<In>, proceed: (value: In) => Out | Promise<Out>): Out | Promise<Out> {
  // By its shape: promises of other realms and libraries are not instances of `Promise`.
  const isPromise = typeof (value as PromiseLike<In> | null | undefined)?.then === 'function';
  return isPromise ? Promise.resolve(value).then(proceed) : proceed(value as In);
}
