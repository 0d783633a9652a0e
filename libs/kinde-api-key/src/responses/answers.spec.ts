import { ANSWER_OF_REASON, ANSWERS } from './answers.js';

// The table of the contract: code -> status, challenge, message.
const TABLE: Record<
  string,
  readonly [code: string, status: number, challenge: string | null | undefined, message: string]
> = {
  MISSING_KEY: ['MISSING_KEY', 401, null, 'API key required'],
  MALFORMED_REQUEST: [
    'MALFORMED_REQUEST',
    400,
    'invalid_request',
    'Malformed credentials: send one API key, once, e.g. in the header "Authorization: Bearer <API key>" (with the prefix "Bearer ")',
  ],
  WRONG_CREDENTIAL_TYPE: [
    'WRONG_CREDENTIAL_TYPE',
    401,
    'invalid_token',
    'An API key is expected here, not an access token (JWT)',
  ],
  INVALID_TOKEN: ['INVALID_TOKEN', 401, 'invalid_token', 'Invalid access token'],
  TOKEN_EXPIRED: ['TOKEN_EXPIRED', 401, 'invalid_token', 'Access token has expired'],
  INVALID_KEY: ['INVALID_KEY', 401, 'invalid_token', 'Invalid API key'],
  WRONG_KEY_PREFIX: [
    'INVALID_KEY',
    401,
    'invalid_token',
    'Invalid API key: it starts with another prefix than the keys of this API; it may belong to another environment',
  ],
  KEY_REVOKED: ['KEY_REVOKED', 401, 'invalid_token', 'API key has been revoked'],
  KEY_INACTIVE: ['KEY_INACTIVE', 401, 'invalid_token', 'API key is not active'],
  INSUFFICIENT_SCOPE: ['INSUFFICIENT_SCOPE', 403, 'insufficient_scope', 'Insufficient scope'],
  ORG_REQUIRED: ['ORG_REQUIRED', 403, undefined, 'Organization-scoped API key required'],
  ORG_MISMATCH: ['ORG_MISMATCH', 403, undefined, 'Access denied: organization mismatch'],
  USER_REQUIRED: ['USER_REQUIRED', 403, undefined, 'User-scoped API key required'],
  KEY_REQUIRED: ['KEY_REQUIRED', 403, undefined, 'An API key is required here'],
  RATE_LIMITED: ['RATE_LIMITED', 429, undefined, 'Rate limit exceeded. Please try again later.'],
  TOO_MANY_FAILED_ATTEMPTS: [
    'TOO_MANY_FAILED_ATTEMPTS',
    429,
    undefined,
    'Too many failed attempts. Please try again later.',
  ],
  VERIFICATION_UNAVAILABLE: [
    'VERIFICATION_UNAVAILABLE',
    503,
    undefined,
    'API keys cannot be verified at the moment. Please try again later.',
  ],
  VERIFICATION_MISCONFIGURED: [
    'VERIFICATION_MISCONFIGURED',
    503,
    undefined,
    'API keys cannot be verified: this service is not set up correctly. Please contact its operator.',
  ],
  UNSUPPORTED_CONTEXT: ['UNSUPPORTED_CONTEXT', 500, undefined, 'API keys are not supported here'],
};

const STATUS_TEXTS: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

describe('ANSWERS', () => {
  it('has a row for each code, and one for a wrong key prefix', () => {
    expect(Object.keys(ANSWERS)).toEqual(Object.keys(TABLE));
  });

  it.each(Object.entries(ANSWERS))('has the status, message and challenge of the contract for %s', (name, answer) => {
    const [code, statusCode, challenge, message] = TABLE[name] ?? [];
    expect(answer).toEqual({
      code,
      statusCode,
      error: STATUS_TEXTS[answer.statusCode],
      message,
      ...(challenge === undefined ? {} : { challenge }),
    });
  });

  it('is frozen', () => {
    for (const answer of Object.values(ANSWERS)) expect(Object.isFrozen(answer)).toBe(true);
  });
});

describe('ANSWER_OF_REASON', () => {
  it('answers a key of another API like an unknown key', () => {
    expect(ANSWER_OF_REASON).toEqual({
      unknown: 'INVALID_KEY',
      other_api: 'INVALID_KEY',
      revoked: 'KEY_REVOKED',
      inactive: 'KEY_INACTIVE',
    });
  });
});
