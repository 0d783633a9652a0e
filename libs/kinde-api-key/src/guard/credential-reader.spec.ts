import fc from 'fast-check';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { ApiKeyCredential } from '../config/credential-options.js';
import { CredentialReader } from './credential-reader.js';
import type { HttpRequest } from '../rules/http-request.js';

const KEY = 'k_live_1234567890abcdef';
const JWS = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1c2VyIn0.c2lnbmF0dXJl';
const JWE = 'eyJhbGciOiJSU0EtT0FFUCJ9.ZW5j.aXY.Y2lwaGVy.dGFn';

const BEARER: ApiKeyCredential = { header: 'authorization', scheme: 'Bearer' };
const X_API_KEY: ApiKeyCredential = { header: 'x-api-key' };

const bearerOnly = new CredentialReader([BEARER], []);
const both = new CredentialReader([BEARER, X_API_KEY], []);

const missing = { refusal: 'MISSING_KEY' };
const malformed = { refusal: 'MALFORMED_REQUEST' };
const wrongType = { refusal: 'WRONG_CREDENTIAL_TYPE' };

/** A request as Node makes it: a raw list of names and values, and an object that hides some of them. */
function sent(...rawHeaders: string[]): HttpRequest {
  return { rawHeaders, headers: {} };
}

function authorization(value: string): HttpRequest {
  return sent('Host', 'localhost', 'Authorization', value);
}

/** @returns the text of the key that was read, or the refusal */
function resultOf(reader: CredentialReader, request: HttpRequest): { rawKey: string } | { refusal: string } {
  const result = reader.read(request);
  return typeof result === 'string' ? { refusal: result } : { rawKey: result.reveal() };
}

describe('CredentialReader, with a scheme', () => {
  it.each([
    ['as usual', `Bearer ${KEY}`],
    ['with a scheme in lower case', `bearer ${KEY}`],
    ['with a scheme in upper case', `BEARER ${KEY}`],
    ['with several spaces between', `Bearer   ${KEY}`],
  ])('reads a key written %s', (_case, value) => {
    expect(resultOf(bearerOnly, authorization(value))).toEqual({ rawKey: KEY });
  });

  it.each(['authorization', 'Authorization', 'AUTHORIZATION'])('reads the header %s', (name) => {
    expect(resultOf(bearerOnly, sent(name, `Bearer ${KEY}`))).toEqual({ rawKey: KEY });
  });

  it('does not read another header with a name of the same length', () => {
    expect(resultOf(bearerOnly, sent('Last-Modified', `Bearer ${KEY}`))).toEqual(missing);
    expect(resultOf(bearerOnly, sent('if-none-match', 'Bearer other', 'authorization', `Bearer ${KEY}`))).toEqual({
      rawKey: KEY,
    });
  });

  it('reads every character of a b64token, and padding', () => {
    const rawKey = 'AZaz09-._~+/AZaz09==';
    expect(resultOf(bearerOnly, authorization(`Bearer ${rawKey}`))).toEqual({ rawKey });
  });

  it.each([
    [16, true],
    [512, true],
    [15, false],
    [513, false],
  ])('accepts a key of %i characters: %s', (length, isAccepted) => {
    const rawKey = 'k'.repeat(length);
    expect(resultOf(bearerOnly, authorization(`Bearer ${rawKey}`))).toEqual(isAccepted ? { rawKey } : malformed);
  });
});

describe('CredentialReader, without a key', () => {
  it.each([
    ['there is no header at all', sent()],
    ['other headers only', sent('Host', 'localhost', 'X-Api-Key', KEY)],
    ['another scheme', authorization('Basic dXNlcjpwYXNzd29yZA==')],
    ['another scheme that starts alike', authorization(`BearerToken ${KEY}`)],
    ['a scheme of several words', authorization('Digest username="a", realm="b"')],
    ['a scheme alone', authorization('Negotiate')],
    ['a query string with a key', { ...sent(), query: { api_key: KEY, authorization: `Bearer ${KEY}` } }],
    ['a body with a key', { ...sent(), body: { authorization: `Bearer ${KEY}` } }],
  ])('is missing where there is %s', (_case, request) => {
    expect(resultOf(bearerOnly, request)).toEqual(missing);
  });
});

describe('CredentialReader, with a malformed credential', () => {
  it.each([
    ['an empty header', ''],
    ['the scheme alone', 'Bearer'],
    ['the scheme and spaces', 'Bearer    '],
    ['a key without its scheme', KEY],
    ['a JWT without its scheme', JWS],
    ['two keys in one header', `Bearer ${KEY} ${KEY}`],
    ['two keys with a comma', `Bearer ${KEY}, Bearer ${KEY}`],
    ['a quoted key', `Bearer "${KEY}"`],
    ['a colon', `Bearer user:${KEY}`],
    ['a letter beyond ASCII', `Bearer ${KEY}é`],
    ['padding in the middle', 'Bearer k_live_1234=567890abcdef'],
    ['padding alone', `Bearer ${'='.repeat(20)}`],
    ['a line feed behind the key', `Bearer ${KEY}\n`],
    ['a NUL behind the key', `Bearer ${KEY}\0`],
    ['a tab between scheme and key', `Bearer\t${KEY}`],
    ['a doubled scheme', `Bearer Bearer ${KEY}`],
  ])('refuses %s', (_case, value) => {
    expect(resultOf(bearerOnly, authorization(value))).toEqual(malformed);
  });

  it('refuses a second Authorization, which Node shows in the raw list only', () => {
    const request = new IncomingMessage(new Socket());
    request.rawHeaders = ['Authorization', `Bearer ${KEY}`, 'authorization', 'Bearer k_live_another_key_0000'];
    request.headers = { authorization: `Bearer ${KEY}` };
    expect(resultOf(bearerOnly, request)).toEqual(malformed);
  });

  it('refuses the same key sent twice', () => {
    expect(resultOf(bearerOnly, sent('Authorization', `Bearer ${KEY}`, 'Authorization', `Bearer ${KEY}`))).toEqual(
      malformed,
    );
  });

  it('refuses a second Authorization with another scheme', () => {
    expect(resultOf(bearerOnly, sent('Authorization', `Bearer ${KEY}`, 'Authorization', 'Basic dTpw'))).toEqual(
      malformed,
    );
  });

  it('refuses a key in each of two configured headers', () => {
    expect(resultOf(both, sent('Authorization', `Bearer ${KEY}`, 'X-Api-Key', KEY))).toEqual(malformed);
    expect(resultOf(both, sent('X-Api-Key', KEY, 'Authorization', `Bearer ${JWS}`))).toEqual(malformed);
    expect(resultOf(both, sent('X-Api-Key', '', 'Authorization', `Bearer ${KEY}`))).toEqual(malformed);
  });

  it('refuses a second header of any other name', () => {
    const reader = new CredentialReader([X_API_KEY], []);
    expect(resultOf(reader, sent('X-Api-Key', KEY, 'x-api-key', KEY))).toEqual(malformed);
  });
});

describe('CredentialReader, with a JWT', () => {
  it.each([
    ['signed', JWS],
    ['encrypted', JWE],
    ['unsigned', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c2VyIn0.'],
    ['longer than any key', `eyJ${'a'.repeat(900)}.${'b'.repeat(900)}.${'c'.repeat(342)}`],
  ])('answers WRONG_CREDENTIAL_TYPE to one that is %s', (_case, token) => {
    expect(resultOf(bearerOnly, authorization(`Bearer ${token}`))).toEqual(wrongType);
    expect(resultOf(both, sent('x-api-key', token))).toEqual(wrongType);
  });

  it.each(['ey_key_without_dots_in_it', 'k_live_.with.two.dots', 'eyJ.one_dot_is_not_enough', 'eyJ.a.b.c_four_parts'])(
    'reads %s as a key',
    (rawKey) => {
      expect(resultOf(bearerOnly, authorization(`Bearer ${rawKey}`))).toEqual({ rawKey });
    },
  );

  it('recognizes it in linear time', () => {
    // In quadratic time this would take hours.
    const hostile = `Bearer ey${'.'.repeat(5_000_000)}`;
    expect(resultOf(bearerOnly, authorization(hostile))).toEqual(malformed);
  });
});

describe('CredentialReader, with x-api-key', () => {
  it('reads the whole header, without a scheme', () => {
    const reader = new CredentialReader([X_API_KEY], []);
    expect(resultOf(reader, sent('X-API-Key', KEY))).toEqual({ rawKey: KEY });
    expect(resultOf(reader, sent('X-API-Key', `Bearer ${KEY}`))).toEqual(malformed);
    expect(resultOf(reader, sent('X-API-Key', ''))).toEqual(malformed);
    expect(resultOf(reader, authorization(`Bearer ${KEY}`))).toEqual(missing);
  });

  it('ignores an Authorization header with another scheme', () => {
    expect(resultOf(both, sent('Authorization', 'Basic dXNlcjpw', 'X-Api-Key', KEY))).toEqual({ rawKey: KEY });
    expect(resultOf(both, sent('X-Api-Key', KEY))).toEqual({ rawKey: KEY });
    expect(resultOf(both, authorization(`Bearer ${KEY}`))).toEqual({ rawKey: KEY });
  });

  it('reads a header with a scheme of its own', () => {
    const reader = new CredentialReader([{ header: 'x-token', scheme: 'Token' }], []);
    expect(resultOf(reader, sent('X-Token', `token ${KEY}`))).toEqual({ rawKey: KEY });
    expect(resultOf(reader, sent('X-Token', `Bearer ${KEY}`))).toEqual(missing);
  });
});

describe('CredentialReader, with keyPrefixes', () => {
  const reader = new CredentialReader([BEARER], ['k_live_', 'k_eu_']);

  it('accepts a key with any of them', () => {
    expect(resultOf(reader, authorization(`Bearer ${KEY}`))).toEqual({ rawKey: KEY });
    expect(resultOf(reader, authorization('Bearer k_eu_1234567890abcdef'))).toEqual({
      rawKey: 'k_eu_1234567890abcdef',
    });
  });

  it.each(['k_test_1234567890abcdef', 'K_LIVE_1234567890abcdef', 'x_k_live_1234567890'])('refuses %s', (rawKey) => {
    expect(resultOf(reader, authorization(`Bearer ${rawKey}`))).toEqual({ refusal: 'WRONG_KEY_PREFIX' });
  });

  it('still names a malformed key and a JWT', () => {
    expect(resultOf(reader, authorization('Bearer k_test_'))).toEqual(malformed);
    expect(resultOf(reader, authorization(`Bearer ${JWS}`))).toEqual(wrongType);
  });
});

describe('CredentialReader, without a raw header list', () => {
  it.each([
    ['none', { headers: { authorization: `Bearer ${KEY}` } }],
    ['an empty one, as serverless adapters make', { rawHeaders: [], headers: { authorization: `Bearer ${KEY}` } }],
    ['something else in place of it', { rawHeaders: 'no list', headers: { authorization: `Bearer ${KEY}` } }],
  ])('reads the parsed headers: %s', (_case, request) => {
    expect(resultOf(bearerOnly, request)).toEqual({ rawKey: KEY });
  });

  it('refuses an array of values', () => {
    expect(resultOf(bearerOnly, { headers: { authorization: [`Bearer ${KEY}`] } })).toEqual(malformed);
    expect(resultOf(bearerOnly, { headers: { authorization: null } })).toEqual(malformed);
    expect(resultOf(bearerOnly, { headers: { authorization: { toString: () => `Bearer ${KEY}` } } })).toEqual(
      malformed,
    );
  });

  it.each([
    ['without headers', {}],
    ['with headers that are not an object', { headers: 'authorization' }],
    ['with null for headers', { headers: null }],
    ['with an undefined header', { headers: { authorization: undefined } }],
    ['with an inherited header', { headers: Object.create({ authorization: `Bearer ${KEY}` }) as object }],
  ])('finds no key in a request %s', (_case, request) => {
    expect(resultOf(bearerOnly, request)).toEqual(missing);
  });

  it('reads the raw list of a Fastify request, one level down', () => {
    const rawHeaders = ['authorization', `Bearer ${KEY}`, 'authorization', `Bearer ${KEY}`];
    expect(resultOf(bearerOnly, { raw: { rawHeaders }, headers: { authorization: `Bearer ${KEY}` } })).toEqual(
      malformed,
    );
    expect(resultOf(bearerOnly, { raw: { rawHeaders: rawHeaders.slice(0, 2) } })).toEqual({ rawKey: KEY });
  });
});

describe('CredentialReader, with a raw header list of an unknown shape', () => {
  it.each([
    ['a name without a value', ['Authorization']],
    ['a value that is not a text', ['Authorization', 7]],
    ['a value that cannot become a text', ['Authorization', Object.create(null) as object]],
  ])('refuses %s', (_case, rawHeaders) => {
    expect(resultOf(bearerOnly, { rawHeaders })).toEqual(malformed);
  });

  it('skips names that are not texts', () => {
    expect(resultOf(bearerOnly, { rawHeaders: [null, 'x', 'Authorization', `Bearer ${KEY}`] })).toEqual({
      rawKey: KEY,
    });
  });
});

describe('CredentialReader, with a token of a wrong length', () => {
  it.each([15, 513, 16_000])('refuses %d characters', (length) => {
    expect(resultOf(bearerOnly, authorization(`Bearer ${'k'.repeat(length)}`))).toEqual(malformed);
  });

  it('treats one short word as a scheme without credentials, and a longer one as a key without its scheme', () => {
    expect(resultOf(bearerOnly, authorization('k'.repeat(15)))).toEqual(missing);
    expect(resultOf(bearerOnly, authorization('k'.repeat(16)))).toEqual(malformed);
  });
});

describe('CredentialReader, with arbitrary requests', () => {
  const WELL_FORMED_KEY = /^(?=.{16,512}$)[A-Za-z0-9\-._~+/]+=*$/;
  const REFUSALS = ['MISSING_KEY', 'MALFORMED_REQUEST', 'WRONG_CREDENTIAL_TYPE', 'WRONG_KEY_PREFIX'];
  const token = fc.oneof(
    fc.string({ minLength: 0, maxLength: 40 }),
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.stringMatching(/^[A-Za-z0-9\-._~+/]{10,24}={0,2}$/),
    fc.constantFrom(KEY, JWS, JWE, '', 'k'.repeat(512), 'k'.repeat(513)),
  );
  const value = fc
    .tuple(fc.constantFrom('', 'Bearer ', 'bearer ', 'Bearer', ' Bearer ', 'Basic ', 'Bearer Bearer '), token)
    .map(([scheme, rest]) => scheme + rest);
  const name = fc.constantFrom('Authorization', 'authorization', 'X-API-KEY', 'x-api-key', 'Host', 'constructor');
  const rawHeaders = fc
    .array(fc.tuple(name, fc.oneof({ weight: 9, arbitrary: value }, { weight: 1, arbitrary: fc.anything() })), {
      maxLength: 4,
    })
    .map((pairs) => pairs.flat());
  const request = fc.oneof(
    fc.record({ rawHeaders }),
    fc.record({ raw: fc.record({ rawHeaders }) }),
    fc.record({ headers: fc.dictionary(name, fc.oneof(value, fc.anything())) }),
    fc.record({ headers: fc.anything(), rawHeaders: fc.anything() }),
  );
  const readers = [bearerOnly, both, new CredentialReader([X_API_KEY], ['k_live_'])];

  it('never throws, and returns nothing but a well-formed key or a refusal', () => {
    fc.assert(
      fc.property(request, fc.constantFrom(...readers), (anything, reader) => {
        const result = resultOf(reader, anything);
        const isRefusal = 'refusal' in result && REFUSALS.includes(result.refusal);
        const isKey = 'rawKey' in result && WELL_FORMED_KEY.test(result.rawKey);
        expect(isRefusal).toBe(!isKey);
        expect(Object.keys(result)).toHaveLength(1);
      }),
      { numRuns: 5_000 },
    );
  });

  it('returns a key only if exactly one header carries one', () => {
    const good = fc.stringMatching(/^k_live_[A-Za-z0-9]{16}$/);
    const header = fc
      .tuple(fc.constantFrom('Authorization', 'AUTHORIZATION', 'x-api-key'), good)
      .map(([one, key]) => [one, one === 'x-api-key' ? key : `Bearer ${key}`]);
    fc.assert(
      fc.property(fc.array(header, { maxLength: 4 }), (headers) => {
        const result = resultOf(both, { rawHeaders: headers.flat() });
        expect('rawKey' in result).toBe(headers.length === 1);
      }),
    );
  });
});
