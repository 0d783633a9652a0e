import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { decideAccess, decideOrganization } from '../rules/access-decision.js';
import type { ApiKeyRefusalCode } from '../api-key/decision.js';
import { KindeApiKeyMisconfiguredError, KindeApiKeyUnavailableError } from '../kinde-api-key.errors.js';
import type { AcceptedVerdict, Verdict } from '../api-key/verdict.js';
import { rateLimitField, rateLimitPolicyField, retryAfterSeconds } from '../rate-limit/rate-limit-headers.js';
import type { RateLimitRule } from '../rate-limit/rate-limit-rule.js';
import type { RateDecision } from '../rate-limit/rate-limit-store.js';
import { RawKey } from '../api-key/raw-key.js';
import { ANSWER_OF_REASON, type AnswerName } from '../responses/answers.js';
import type { ApiKeyRefusedException } from '../responses/api-key-refused.exception.js';
import { noteVisit, type AcceptedAttempt, type Attempt } from './attempt.js';
import { decisionOf } from './decision-reporter.js';
import type { HttpRequest, HttpResponse } from '../rules/http-request.js';
import type { ResolvedOrg } from '../rules/org-reader.js';
import { KINDE_API_KEY_REGISTRATION, type Registration } from './registration.js';
import { findVisit, latestVisit } from './visit.js';

/** Marks the guard and its subclasses for the boot check, in every copy of the library that a process may have loaded. */
export const API_KEY_GUARD = Symbol.for('nestjs-kinde-api-key:guard');

/**
 * Lets a request through whose API key is valid and may do what the handler's decorators demand; refuses every other with
 * {@link ApiKeyRefusedException}. A handler without a decorator demands a valid key.
 *
 * Where the key is remembered and nothing has to be loaded it answers with `true` and not with a promise.
 */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  static readonly [API_KEY_GUARD] = true;

  constructor(@Inject(KINDE_API_KEY_REGISTRATION) private readonly registration: Registration) {}

  /**
   * @returns `true`, at once where Kinde need not be asked
   * @throws {ApiKeyRefusedException} with one of the codes of {@link ApiKeyRefusalCode}
   */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const { id, rules, credentials, verification } = this.registration;
    const rule = rules.ruleOf(context.getClass(), context.getHandler());
    if (!rule) throw this.#refuseUnsupported(context, 'its handler is not known, or its rules contradict each other');
    if (rule.isPublic) return true;
    if (context.getType() !== 'http') throw this.#refuseUnsupported(context, `"${context.getType()}" is not HTTP`);
    const request = context.switchToHttp().getRequest<HttpRequest>();
    const latest = latestVisit(request);
    const visit = findVisit(latest, id, rule);
    if (visit?.apiKey) return true;
    const attempt: Attempt = { context, request, rule, latest, visit, apiKey: undefined, cached: undefined };
    const reading = credentials.read(request);
    if ('refusal' in reading) throw this.#refuseKey(attempt, reading.refusal);
    const key = RawKey.parse(reading.rawKey);
    if (!key) throw this.#refuseKey(attempt, 'MALFORMED_REQUEST');
    const verdict = verification.lookup(key);
    return verdict?.accepted ? this.#admit(attempt, verdict, true) : this.#examine(attempt, key, verdict);
  }

  /** A key that is not remembered as a good one. */
  #examine(attempt: Attempt, key: RawKey, verdict: Verdict | undefined): boolean | Promise<boolean> {
    if (verdict) return this.#judge(attempt, verdict, true);
    this.#holdUpFailures(attempt, key);
    return this.#verify(attempt, key);
  }

  /** A network that sent too many bad keys does not get another one looked at; a key that was accepted before is no such. */
  #holdUpFailures(attempt: Attempt, key: RawKey): void {
    const { failedAttempts, verification } = this.registration;
    const waitSeconds = failedAttempts?.waitSeconds(attempt.request) ?? 0;
    if (waitSeconds > 0 && !verification.wasAccepted(key))
      throw this.#refuse(attempt, 'TOO_MANY_FAILED_ATTEMPTS', waitSeconds);
  }

  async #verify(attempt: Attempt, key: RawKey): Promise<boolean> {
    let verdict: Verdict;
    try {
      verdict = await this.registration.verification.ask(key);
    } catch (error) {
      if (error instanceof KindeApiKeyUnavailableError || error instanceof KindeApiKeyMisconfiguredError) {
        throw this.#refuse(attempt, error.code, error.retryAfterSeconds);
      }
      throw error;
    }
    return this.#judge(attempt, verdict, false);
  }

  #judge(attempt: Attempt, verdict: Verdict, cached: boolean): boolean | Promise<boolean> {
    if (verdict.accepted) return this.#admit(attempt, verdict, cached);
    attempt.cached = cached;
    throw this.#refuseKey(attempt, ANSWER_OF_REASON[verdict.reason]);
  }

  #admit(attempt: Attempt, verdict: AcceptedVerdict, cached: boolean): boolean | Promise<boolean> {
    attempt.apiKey = verdict.apiKey;
    attempt.cached = cached;
    const attempt_ = attempt as AcceptedAttempt;
    const { rateLimit } = attempt.rule;
    return rateLimit ? this.#limit(attempt_, rateLimit) : this.#authorize(attempt_);
  }

  /** Counts the request, unless another guard of this registration has done so. */
  #limit(attempt_: AcceptedAttempt, limit: RateLimitRule): boolean | Promise<boolean> {
    const visit = noteVisit(attempt_, this.registration.id);
    const rate = (visit.rate ??= this.registration.rateLimiter.take(limit, attempt_.apiKey));
    return 'accepted' in rate
      ? this.#afterCount(attempt_, limit, rate)
      : rate.then((decision) => this.#afterCount(attempt_, limit, decision));
  }

  #afterCount(attempt_: AcceptedAttempt, limit: RateLimitRule, decision: RateDecision): boolean | Promise<boolean> {
    if (limit.sendsHeadersOnSuccess || !decision.accepted) {
      const response = responseOf(attempt_.context);
      response.header('RateLimit', rateLimitField(limit, decision));
      response.header('RateLimit-Policy', rateLimitPolicyField(limit, decision));
    }
    if (!decision.accepted) throw this.#refuse(attempt_, 'RATE_LIMITED', retryAfterSeconds(decision));
    return this.#authorize(attempt_);
  }

  #authorize(attempt_: AcceptedAttempt): boolean | Promise<boolean> {
    const { context, rule, apiKey } = attempt_;
    const refusal = decideAccess(rule.access, apiKey);
    if (refusal) {
      this.#report(attempt_, refusal.code);
      throw this.registration.refusals.refuseAccess(responseOf(context), refusal, rule);
    }
    return this.#matchOrganizations(attempt_, 0, undefined);
  }

  /** From the source with this index on; later, where one of them has to be waited for. */
  #matchOrganizations(attempt_: AcceptedAttempt, index: number, resource: unknown): boolean | Promise<boolean> {
    const { context, request, rule, apiKey } = attempt_;
    const source = rule.organizations[index];
    if (!source) return this.#pass(attempt_, resource);
    noteVisit(attempt_, this.registration.id);
    const claim = source(context, request, apiKey);
    return claim instanceof Promise
      ? claim.then((found) => this.#matchClaim(attempt_, index, resource, found))
      : this.#matchClaim(attempt_, index, resource, claim);
  }

  #matchClaim(
    attempt_: AcceptedAttempt,
    index: number,
    resource: unknown,
    claim: ResolvedOrg,
  ): boolean | Promise<boolean> {
    const refusal = decideOrganization(attempt_.apiKey, claim.orgCode);
    if (refusal) throw this.#refuse(attempt_, refusal.code);
    return this.#matchOrganizations(attempt_, index + 1, claim.resource ?? resource);
  }

  #pass(attempt_: AcceptedAttempt, resource: unknown): true {
    const visit = noteVisit(attempt_, this.registration.id);
    visit.apiKey = attempt_.apiKey;
    visit.resource = resource;
    this.#report(attempt_, null);
    return true;
  }

  #refuseKey(attempt: Attempt, name: AnswerName): ApiKeyRefusedException {
    const { failedAttempts } = this.registration;
    if (!failedAttempts || name === 'MISSING_KEY') return this.#refuse(attempt, name);
    const waitSeconds = failedAttempts.waitSeconds(attempt.request);
    if (waitSeconds > 0) return this.#refuse(attempt, 'TOO_MANY_FAILED_ATTEMPTS', waitSeconds);
    failedAttempts.record(attempt.request);
    return this.#refuse(attempt, name);
  }

  #refuse(attempt: Attempt, name: AnswerName, retryAfterSeconds?: number): ApiKeyRefusedException {
    const details = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
    const refused = this.registration.refusals.refuse(responseOf(attempt.context), name, details);
    this.#report(attempt, refused.code);
    return refused;
  }

  #refuseUnsupported(context: ExecutionContext, why: string): ApiKeyRefusedException {
    const route = `${context.getClass().name}.${context.getHandler().name}`;
    this.registration.log.error(`${route} was refused: ${why}`);
    this.registration.decisions.report(() => decisionOf(null, 'UNSUPPORTED_CONTEXT'));
    const response = context.getType() === 'http' ? responseOf(context) : undefined;
    return this.registration.refusals.refuse(response, 'UNSUPPORTED_CONTEXT');
  }

  #report({ rule, apiKey, cached }: Attempt, code: ApiKeyRefusalCode | null): void {
    const { decisions } = this.registration;
    if (decisions.hasListener) decisions.report(() => decisionOf(rule.route, code, apiKey, cached));
  }
}

function responseOf(context: ExecutionContext): HttpResponse {
  return context.switchToHttp().getResponse<HttpResponse>();
}
