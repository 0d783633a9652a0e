import type { ApiKeyRefusalCode } from '../api-key/decision.js';
import type { RefusalReason } from '../api-key/verdict.js';

/** The error that a challenge names, of RFC 6750 §3.1. `null`: a challenge without an error. Absent: no challenge. */
type ChallengeError = 'invalid_request' | 'invalid_token' | 'insufficient_scope' | null;

/** The fixed part of the answer to a refused request. */
export interface Answer {
  readonly code: ApiKeyRefusalCode;
  readonly statusCode: number;
  /** The status in words. */
  readonly error: string;
  readonly message: string;
  readonly challenge?: ChallengeError;
}

const ERRORS = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
} as const;

function answer(
  code: ApiKeyRefusalCode,
  statusCode: keyof typeof ERRORS,
  message: string,
  challenge?: ChallengeError,
): Answer {
  return Object.freeze({
    code,
    statusCode,
    error: ERRORS[statusCode],
    message,
    ...(challenge === undefined ? {} : { challenge }),
  });
}

/**
 * Every answer that refuses a request, with its code, status, message and challenge. `WRONG_KEY_PREFIX` is an `INVALID_KEY` whose message
 * names the likeliest cause.
 */
export const ANSWERS = {
  MISSING_KEY: answer('MISSING_KEY', 401, 'API key required', null),
  MALFORMED_REQUEST: answer(
    'MALFORMED_REQUEST',
    400,
    'Malformed credentials: send one API key, once, e.g. in the header "Authorization: Bearer <API key>" (with the prefix "Bearer ")',
    'invalid_request',
  ),
  WRONG_CREDENTIAL_TYPE: answer(
    'WRONG_CREDENTIAL_TYPE',
    401,
    'An API key is expected here, not an access token (JWT)',
    'invalid_token',
  ),
  INVALID_KEY: answer('INVALID_KEY', 401, 'Invalid API key', 'invalid_token'),
  WRONG_KEY_PREFIX: answer(
    'INVALID_KEY',
    401,
    'Invalid API key: it starts with another prefix than the keys of this API; it may belong to another environment',
    'invalid_token',
  ),
  KEY_REVOKED: answer('KEY_REVOKED', 401, 'API key has been revoked', 'invalid_token'),
  KEY_INACTIVE: answer('KEY_INACTIVE', 401, 'API key is not active', 'invalid_token'),
  INSUFFICIENT_SCOPE: answer('INSUFFICIENT_SCOPE', 403, 'Insufficient scope', 'insufficient_scope'),
  ORG_REQUIRED: answer('ORG_REQUIRED', 403, 'Organization-scoped API key required'),
  ORG_MISMATCH: answer('ORG_MISMATCH', 403, 'Access denied: organization mismatch'),
  USER_REQUIRED: answer('USER_REQUIRED', 403, 'User-scoped API key required'),
  RATE_LIMITED: answer('RATE_LIMITED', 429, 'Rate limit exceeded. Please try again later.'),
  TOO_MANY_FAILED_ATTEMPTS: answer(
    'TOO_MANY_FAILED_ATTEMPTS',
    429,
    'Too many failed attempts. Please try again later.',
  ),
  VERIFICATION_UNAVAILABLE: answer(
    'VERIFICATION_UNAVAILABLE',
    503,
    'API keys cannot be verified at the moment. Please try again later.',
  ),
  VERIFICATION_MISCONFIGURED: answer(
    'VERIFICATION_MISCONFIGURED',
    503,
    'API keys cannot be verified: this service is not set up correctly. Please contact its operator.',
  ),
  UNSUPPORTED_CONTEXT: answer('UNSUPPORTED_CONTEXT', 500, 'API keys are not supported here'),
} as const satisfies Record<string, Answer>;

/** The name of a row of {@link ANSWERS}. */
export type AnswerName = keyof typeof ANSWERS;

/** The answer to a key that Kinde refused. */
export const ANSWER_OF_REASON: Readonly<Record<RefusalReason, AnswerName>> = {
  unknown: 'INVALID_KEY',
  other_api: 'INVALID_KEY',
  revoked: 'KEY_REVOKED',
  inactive: 'KEY_INACTIVE',
};

/** The body of `hideExistence`: that of a missing route, plus a code. */
export const NOT_FOUND_BODY = Object.freeze({
  statusCode: 404,
  message: 'Not Found',
  error: 'Not Found',
  code: 'NOT_FOUND',
} as const);
