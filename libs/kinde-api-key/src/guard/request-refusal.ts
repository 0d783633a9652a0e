import type { ExecutionContext, HttpException } from '@nestjs/common';
import type { ApiKeyRefusalCode } from '../api-key/decision.js';
import type { RawKey } from '../api-key/raw-key.js';
import { refusalFor } from '../contexts/refusal-form.js';
import { rateLimitField, rateLimitPolicyField } from '../rate-limit/rate-limit-headers.js';
import { ANSWERS, TEXTS_WITHOUT_KEY, type AnswerName, type AnswerTexts } from '../responses/answers.js';
import type { HttpResponse } from '../responses/http-response.js';
import { whenSent } from '../responses/sent-refusal.js';
import type { AccessRefusal } from '../rules/access-decision.js';
import type { HttpRequest } from '../rules/http-request.js';
import type { Registration } from './registration.js';
import type { RequestState } from './request-state.js';

/** Returns the exception that refuses a request. What follows from it, headers and report, waits until it is what answers. */
export function refuseRequest(
  registration: Registration,
  context: ExecutionContext,
  state: RequestState,
  name: AnswerName,
  retryAfterSeconds?: number,
  onSent?: () => void,
): Error {
  const { request } = state;
  const texts = name === 'MALFORMED_REQUEST' ? twoCredentialsTexts(registration, request) : textsFor(state, name);
  const details = { ...texts, retryAfterSeconds, headers: rateLimitHeadersOf(state), request };
  const exception = registration.refusals.refuse(name, details);
  return thrown(registration, context, state, exception, ANSWERS[name].code, onSent);
}

/** Returns the exception for an unknown key from a network over its `failedAttempts` limit. Previously accepted keys are unaffected. */
export function limitFailures(
  registration: Registration,
  context: ExecutionContext,
  state: RequestState,
  key: RawKey,
): Error | undefined {
  const waitSeconds = registration.failedAttempts?.waitSeconds(state.request) ?? 0;
  if (waitSeconds === 0 || registration.verification.wasAccepted?.(key)) return undefined;
  return refuseRequest(registration, context, state, 'TOO_MANY_FAILED_ATTEMPTS', waitSeconds);
}

/** Returns the exception that refuses a caller who lacks what the route demands. */
export function refuseAccess(
  registration: Registration,
  context: ExecutionContext,
  state: RequestState,
  refusal: AccessRefusal,
): Error {
  const details = { ...textsFor(state, refusal.code), headers: rateLimitHeadersOf(state), request: state.request };
  const exception = registration.refusals.refuseAccess(refusal, state.rule, details);
  return thrown(registration, context, state, exception, refusal.code);
}

/** Returns the exception that refuses a key, which counts as a failed attempt of the client's network once it is the answer. */
export function refuseKey(
  registration: Registration,
  context: ExecutionContext,
  state: RequestState,
  name: AnswerName,
): Error {
  const { failedAttempts } = registration;
  if (!failedAttempts || name === 'MISSING_KEY') return refuseRequest(registration, context, state, name);
  const waitSeconds = failedAttempts.waitSeconds(state.request);
  if (waitSeconds > 0) return refuseRequest(registration, context, state, 'TOO_MANY_FAILED_ATTEMPTS', waitSeconds);
  // An access token is a good credential for another guard, and costs nothing.
  const isAttempt = name !== 'WRONG_CREDENTIAL_TYPE';
  return refuseRequest(registration, context, state, name, undefined, () => {
    if (isAttempt) failedAttempts.record(state.request);
  });
}

/** Returns what to throw after an error of a resolver: with `hideExistence`, a missing resource is answered like another organization's. */
export function resolverFailure(
  registration: Registration,
  context: ExecutionContext,
  state: RequestState,
  error: unknown,
): unknown {
  state.asked = undefined;
  const isHidden = registration.refusals.hidesExistence && isNotFound(error);
  return isHidden ? refuseRequest(registration, context, state, 'ORG_MISMATCH') : error;
}

/**
 * Returns the exception that refuses a request which the guard does not understand.
 *
 * @param why for the log, which names each handler once a minute
 */
export function refuseUnsupported(registration: Registration, context: ExecutionContext, why: string): Error {
  const line = `${context.getClass()?.name}.${context.getHandler()?.name} was refused: ${why}`;
  if (registration.unsupported.isDue(line)) registration.log.error(line);
  const exception = registration.refusals.refuse('UNSUPPORTED_CONTEXT');
  return thrown(registration, context, null, exception, 'UNSUPPORTED_CONTEXT');
}

/** Returns `RateLimit` and `RateLimit-Policy` of a request that was counted, if its answer carries them. */
export function rateLimitHeadersOf({
  rule: { rateLimit },
  decision,
}: RequestState): Record<string, string> | undefined {
  if (!rateLimit || !decision || (decision.accepted && !rateLimit.sendsHeadersOnSuccess)) return undefined;
  return {
    RateLimit: rateLimitField(rateLimit, decision),
    'RateLimit-Policy': rateLimitPolicyField(rateLimit, decision),
  };
}

function thrown(
  registration: Registration,
  context: ExecutionContext,
  state: RequestState | null,
  exception: HttpException,
  code: ApiKeyRefusalCode,
  onSent?: () => void,
): Error {
  if (state) state.asked = undefined;
  const report = registration.decisions.prepare(state, code);
  const onAnswer = onSent && report ? () => [onSent, report].forEach((one) => one()) : (onSent ?? report);
  if (context.getType() === 'http') {
    whenSent(context.switchToHttp().getResponse<HttpResponse>(), exception, onAnswer);
    return exception;
  }
  onAnswer?.();
  return refusalFor(context, exception);
}

function textsFor({ principal }: RequestState, name: AnswerName): Partial<AnswerTexts> | undefined {
  return principal && TEXTS_WITHOUT_KEY[name];
}

function twoCredentialsTexts(
  { credentials }: Registration,
  request: HttpRequest,
): Pick<AnswerTexts, 'message'> | undefined {
  const headers = credentials.headersWithCredential(request);
  if (headers.length < 2) return undefined;
  const found = headers.map((name) => `"${name}"`).join(' and ');
  return { message: `Two credentials, in the headers ${found}: ${ANSWERS.MALFORMED_REQUEST.message}` };
}

/** By its status: an `HttpException` of another copy of Nest, or an error of another library that has a status. */
function isNotFound(error: unknown): boolean {
  const { status, statusCode } = (error ?? {}) as { readonly status?: unknown; readonly statusCode?: unknown };
  return status === 404 || statusCode === 404;
}
