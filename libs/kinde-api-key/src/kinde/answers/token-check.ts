import type { KindeResponse } from '../http.js';
import {
  answerOfStatus,
  foreignAnswer,
  isKindeError,
  ownField,
  parseJsonAnswer,
  unusable,
  type NoAnswer,
} from './wire.js';

/** Whether Kinde accepts the M2M token for a call that depends on nothing else. */
export interface TokenCheckAnswer {
  readonly kind: 'token_check';
  readonly isAccepted: boolean;
}

/** Parses an answer of any status and content to `GET /api/v1/api_keys`. The keys in it are not read. Pure, and never throws. */
export function parseTokenCheck(response: KindeResponse): TokenCheckAnswer | NoAnswer {
  const { status } = response;
  if (status === 401 || status === 403)
    return isKindeError(response) ? { kind: 'token_check', isAccepted: false } : foreignAnswer(status);
  if (status !== 200) return answerOfStatus(status);
  const answer = parseJsonAnswer(response);
  if (typeof answer === 'string') return unusable(answer);
  if (!Array.isArray(ownField(answer, 'api_keys'))) return unusable("'api_keys' is not an array");
  return { kind: 'token_check', isAccepted: true };
}
