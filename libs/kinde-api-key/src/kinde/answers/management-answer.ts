import type { KindeResponse } from '../http.js';
import { saysScopeIsMissing } from './m2m-claims.js';
import { answerOfStatus, foreignAnswer, isKindeError, parseJsonAnswer, unusable } from './wire.js';
import type { NoAnswer, UnusableAnswer, WireObject } from './wire.js';

/** What a call asked for. */
export interface Result<T> {
  readonly kind: 'result';
  readonly result: T;
}

/** A call that Kinde refused, and that changed nothing. `rejected`: our M2M token, or its permissions. */
export type CallRefusal =
  | { readonly kind: 'not_found' }
  | { readonly kind: 'invalid_input' }
  | { readonly kind: 'rejected'; readonly isScopeMissing: boolean };

/** Reads the body of an answer with a status of success. Pure, and never throws. */
export type ReadResult<T> = (answer: WireObject) => Result<T> | UnusableAnswer;

/**
 * Parses an answer of any status and content to a call of the Management API. Pure, and never throws. A 4xx counts as Kinde's refusal only
 * in Kinde's own format: a firewall's 404 does not say that a key does not exist.
 */
export function parseManagementAnswer<T>(
  response: KindeResponse,
  read: ReadResult<T>,
): Result<T> | CallRefusal | NoAnswer {
  const { status, body } = response;
  if (status === 200 || status === 201) {
    const answer = parseJsonAnswer(response);
    return typeof answer === 'string' ? unusable(answer) : read(answer);
  }
  if (![400, 401, 403, 404].includes(status)) return answerOfStatus(status);
  if (!isKindeError(response)) return foreignAnswer(status);
  if (status === 400) return { kind: 'invalid_input' };
  if (status === 404) return { kind: 'not_found' };
  return { kind: 'rejected', isScopeMissing: status === 403 && saysScopeIsMissing(body) };
}

/** Returns a {@link Result}. */
export function resultOf<T>(result: T): Result<T> {
  return { kind: 'result', result };
}
