import { STATUS_CODES } from 'node:http';
import type { ApiKeyRefusalCode } from '../api-key/decision.js';
import type { RefusalReason } from '../api-key/verdict.js';

/** The error that a challenge names, of RFC 6750 §3.1. `null`: a challenge without an error. Absent: no challenge. */
type ChallengeError = 'invalid_request' | 'invalid_token' | 'insufficient_scope' | null;

/** The name of an answer: its code, or `WRONG_KEY_PREFIX`, an `INVALID_KEY` whose message names the likeliest cause. */
export type AnswerName = ApiKeyRefusalCode | 'WRONG_KEY_PREFIX';

/** What an answer says in words. */
export interface AnswerTexts {
  readonly message: string;
  /** What the developer of the client can do about it, if anything. Never about one request, and never about what the caller may not see. */
  readonly hint: string | undefined;
}

/** The fixed part of the answer to a refused request. */
export interface Answer extends AnswerTexts {
  readonly code: ApiKeyRefusalCode;
  readonly statusCode: number;
  /** The status in words. */
  readonly error: string;
  readonly challenge: ChallengeError | undefined;
}

/** Stands in texts for where the options expect a key, e.g. `the header "Authorization: Bearer <API key>"`. */
export const KEY_HEADER = '{key header}';

type Row = readonly [statusCode: number, message: string, hint?: string, challenge?: ChallengeError];

const CHECK_KEY =
  'Check that the key is complete and belongs to this API and environment. A key that was rotated or deleted has to be replaced by a new one.';
const WAIT = 'Send the request again after as many seconds as the header "Retry-After" says.';

const TABLE: Readonly<Record<AnswerName, Row>> = {
  MISSING_KEY: [
    401,
    `API key required: send it in ${KEY_HEADER}`,
    `Send your API key in ${KEY_HEADER}, with every request. Keys in the query string or the body are not read.`,
    null,
  ],
  MALFORMED_REQUEST: [
    400,
    'Malformed credentials: send one API key, once, e.g. in the header "Authorization: Bearer <API key>" (with the prefix "Bearer ")',
    `Send one API key in ${KEY_HEADER}, once, without quotes or line ends. A key has 16 to 512 characters and no blanks.`,
    'invalid_request',
  ],
  WRONG_CREDENTIAL_TYPE: [
    401,
    'An API key is expected here, not an access token (JWT)',
    `Send an API key in ${KEY_HEADER}. Access tokens are not accepted here.`,
    'invalid_token',
  ],
  INVALID_TOKEN: [
    401,
    'Invalid access token',
    'Log in again, or request an access token whose audience is this API.',
    'invalid_token',
  ],
  TOKEN_EXPIRED: [
    401,
    'Access token has expired',
    'Request a new access token, and renew it before it expires.',
    'invalid_token',
  ],
  INVALID_KEY: [401, 'Invalid API key', CHECK_KEY, 'invalid_token'],
  WRONG_KEY_PREFIX: [
    401,
    'Invalid API key: it starts with another prefix than the keys of this API; it may belong to another environment',
    CHECK_KEY,
    'invalid_token',
  ],
  KEY_REVOKED: [
    401,
    'API key has been revoked',
    'A revoked key cannot be restored. Create a new API key and send that one.',
    'invalid_token',
  ],
  KEY_INACTIVE: [
    401,
    'API key is not active',
    'Activate the key where you manage your API keys, or create a new one.',
    'invalid_token',
  ],
  INSUFFICIENT_SCOPE: [
    403,
    'Insufficient scope',
    'The scopes of an API key cannot be changed. Create a new key with the scopes that this answer lists, and send that one.',
    'insufficient_scope',
  ],
  ORG_REQUIRED: [
    403,
    'Organization-scoped API key required',
    'Send an API key that was created for an organization. The owner of a key cannot be changed.',
  ],
  ORG_MISMATCH: [
    403,
    'Access denied: organization mismatch',
    'Send an API key of the organization that the request is about, or correct the organization in the request.',
  ],
  USER_REQUIRED: [
    403,
    'User-scoped API key required',
    'Send an API key that was created for a user. The owner of a key cannot be changed.',
  ],
  KEY_REQUIRED: [
    403,
    'An API key is required here',
    `Send an API key in ${KEY_HEADER}, instead of a token or a login.`,
  ],
  RATE_LIMITED: [429, 'Rate limit exceeded. Please try again later.', `${WAIT} Until then, every request is refused.`],
  TOO_MANY_FAILED_ATTEMPTS: [
    429,
    'Too many failed attempts. Please try again later.',
    `${WAIT} Do not repeat requests with keys that were refused: each of them counts.`,
  ],
  VERIFICATION_UNAVAILABLE: [
    503,
    'API keys cannot be verified at the moment. Please try again later.',
    `${WAIT} Your API key was not refused: keep it.`,
  ],
  VERIFICATION_MISCONFIGURED: [
    503,
    'API keys cannot be verified: this service is not set up correctly. Please contact its operator.',
    'Report this to the operator of the API. Your API key was not refused: keep it.',
  ],
  UNSUPPORTED_CONTEXT: [500, 'API keys are not supported here'],
};

/** Every answer that refuses a request, with its code, status, texts and challenge. */
export const ANSWERS = Object.fromEntries(
  Object.entries(TABLE).map(([name, [statusCode, message, hint, challenge]]) => {
    const code = name === 'WRONG_KEY_PREFIX' ? 'INVALID_KEY' : (name as ApiKeyRefusalCode);
    const error = String(STATUS_CODES[statusCode]);
    return [name, Object.freeze<Answer>({ code, statusCode, error, message, hint, challenge })];
  }),
) as Readonly<Record<AnswerName, Answer>>;

/** Texts for a caller who is authenticated and has no API key. Those of {@link ANSWERS} speak of keys. */
export const TEXTS_WITHOUT_KEY: Readonly<Partial<Record<AnswerName, Partial<AnswerTexts>>>> = {
  INSUFFICIENT_SCOPE: { hint: 'Log in with, or request a token with, the scopes that this answer lists.' },
  ORG_REQUIRED: {
    message: 'Organization-scoped token required',
    hint: 'Log in to an organization, or send an API key that was created for one.',
  },
  ORG_MISMATCH: {
    hint: 'Log in to the organization that the request is about, or correct the organization in the request.',
  },
  USER_REQUIRED: {
    message: 'User-scoped token required',
    hint: 'Log in as a user, or send an API key that was created for one.',
  },
};

/** The answer to a key that Kinde refused. */
export const ANSWER_OF_REASON: Readonly<Record<RefusalReason, AnswerName>> = {
  unknown: 'INVALID_KEY',
  other_api: 'INVALID_KEY',
  revoked: 'KEY_REVOKED',
  inactive: 'KEY_INACTIVE',
};
