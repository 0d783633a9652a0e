import { STATUS_CODES } from 'node:http';
import type { ApiKeyRefusalCode } from '../api-key/decision.js';
import type { RefusalReason } from '../api-key/verdict.js';

/** The error that a challenge names, of RFC 6750 §3.1. `null`: a challenge without an error. Absent: no challenge. */
type ChallengeError = 'invalid_request' | 'invalid_token' | 'insufficient_scope' | null;

/** The name of an answer: its code, or `WRONG_KEY_PREFIX`, an `INVALID_KEY` whose message names the likeliest cause. */
export type AnswerName = ApiKeyRefusalCode | 'WRONG_KEY_PREFIX';

/** The fixed part of the answer to a refused request. */
export interface Answer {
  readonly code: ApiKeyRefusalCode;
  readonly statusCode: number;
  /** The status in words. */
  readonly error: string;
  readonly message: string;
  readonly challenge: ChallengeError | undefined;
}

type Row = readonly [statusCode: number, message: string, challenge?: ChallengeError];

const TABLE: Readonly<Record<AnswerName, Row>> = {
  MISSING_KEY: [401, 'API key required', null],
  MALFORMED_REQUEST: [
    400,
    'Malformed credentials: send one API key, once, e.g. in the header "Authorization: Bearer <API key>" (with the prefix "Bearer ")',
    'invalid_request',
  ],
  WRONG_CREDENTIAL_TYPE: [401, 'An API key is expected here, not an access token (JWT)', 'invalid_token'],
  INVALID_TOKEN: [401, 'Invalid access token', 'invalid_token'],
  TOKEN_EXPIRED: [401, 'Access token has expired', 'invalid_token'],
  INVALID_KEY: [401, 'Invalid API key', 'invalid_token'],
  WRONG_KEY_PREFIX: [
    401,
    'Invalid API key: it starts with another prefix than the keys of this API; it may belong to another environment',
    'invalid_token',
  ],
  KEY_REVOKED: [401, 'API key has been revoked', 'invalid_token'],
  KEY_INACTIVE: [401, 'API key is not active', 'invalid_token'],
  INSUFFICIENT_SCOPE: [403, 'Insufficient scope', 'insufficient_scope'],
  ORG_REQUIRED: [403, 'Organization-scoped API key required'],
  ORG_MISMATCH: [403, 'Access denied: organization mismatch'],
  USER_REQUIRED: [403, 'User-scoped API key required'],
  KEY_REQUIRED: [403, 'An API key is required here'],
  RATE_LIMITED: [429, 'Rate limit exceeded. Please try again later.'],
  TOO_MANY_FAILED_ATTEMPTS: [429, 'Too many failed attempts. Please try again later.'],
  VERIFICATION_UNAVAILABLE: [503, 'API keys cannot be verified at the moment. Please try again later.'],
  VERIFICATION_MISCONFIGURED: [
    503,
    'API keys cannot be verified: this service is not set up correctly. Please contact its operator.',
  ],
  UNSUPPORTED_CONTEXT: [500, 'API keys are not supported here'],
};

/** Every answer that refuses a request, with its code, status, message and challenge. */
export const ANSWERS = Object.fromEntries(
  Object.entries(TABLE).map(([name, [statusCode, message, challenge]]) => {
    const code = name === 'WRONG_KEY_PREFIX' ? 'INVALID_KEY' : (name as ApiKeyRefusalCode);
    const error = String(STATUS_CODES[statusCode]);
    return [name, Object.freeze<Answer>({ code, statusCode, error, message, challenge })];
  }),
) as Readonly<Record<AnswerName, Answer>>;

/** The answer to a key that Kinde refused. */
export const ANSWER_OF_REASON: Readonly<Record<RefusalReason, AnswerName>> = {
  unknown: 'INVALID_KEY',
  other_api: 'INVALID_KEY',
  revoked: 'KEY_REVOKED',
  inactive: 'KEY_INACTIVE',
};
