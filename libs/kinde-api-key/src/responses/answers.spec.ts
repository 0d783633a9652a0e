import { ANSWER_OF_REASON, ANSWERS, KEY_HEADER, TEXTS_WITHOUT_KEY } from './answers.js';

// The table of the contract: code -> status, challenge, message.
const TABLE: Record<
  string,
  readonly [code: string, status: number, challenge: string | null | undefined, message: string]
> = {
  MISSING_KEY: ['MISSING_KEY', 401, null, `API key required: send it in ${KEY_HEADER}`],
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
      ...(code !== 'UNSUPPORTED_CONTEXT' && { hint: expect.any(String) as string }),
      ...(challenge === undefined ? {} : { challenge }),
    });
  });

  it.each([
    ['MISSING_KEY', KEY_HEADER],
    ['MALFORMED_REQUEST', KEY_HEADER],
    ['WRONG_CREDENTIAL_TYPE', KEY_HEADER],
    ['KEY_REQUIRED', KEY_HEADER],
    ['INVALID_KEY', 'environment'],
    ['KEY_REVOKED', 'Create a new API key'],
    ['KEY_INACTIVE', 'Activate the key'],
    ['INSUFFICIENT_SCOPE', 'scopes of an API key cannot be changed. Create a new key'],
    ['ORG_REQUIRED', 'created for an organization'],
    ['ORG_MISMATCH', 'of the organization that the request is about'],
    ['USER_REQUIRED', 'created for a user'],
    ['RATE_LIMITED', 'Retry-After'],
    ['TOO_MANY_FAILED_ATTEMPTS', 'Retry-After'],
    ['VERIFICATION_UNAVAILABLE', 'not refused: keep it'],
    ['VERIFICATION_MISCONFIGURED', 'operator'],
  ] as const)('says in the hint of %s what to do next: %s', (name, text) => {
    expect(ANSWERS[name].hint).toContain(text);
  });

  it('has the same hint for a wrong prefix as for any invalid key', () => {
    expect(ANSWERS.WRONG_KEY_PREFIX.hint).toBe(ANSWERS.INVALID_KEY.hint);
  });

  it('has hints of plain sentences with at most 25 words each', () => {
    const hints = [...Object.values(ANSWERS), ...Object.values(TEXTS_WITHOUT_KEY)].flatMap(({ hint }) => hint ?? []);
    expect(hints).toHaveLength(Object.keys(ANSWERS).length - 1 + Object.keys(TEXTS_WITHOUT_KEY).length);
    expect(hints.filter((hint) => !/^[A-Z].*\.$/.test(hint))).toEqual([]);
    const sentences = hints.flatMap((hint) => hint.split(/(?<=\.) /));
    expect(sentences.filter((sentence) => sentence.split(' ').length > 25)).toEqual([]);
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

describe('TEXTS_WITHOUT_KEY', () => {
  it('has a hint of its own for every refusal that a caller without a key can get for what it may not do', () => {
    expect(Object.keys(TEXTS_WITHOUT_KEY).toSorted()).toEqual([
      'INSUFFICIENT_SCOPE',
      'ORG_MISMATCH',
      'ORG_REQUIRED',
      'USER_REQUIRED',
    ]);
    for (const { hint } of Object.values(TEXTS_WITHOUT_KEY)) expect(hint).toMatch(/^Log in/);
  });
});
