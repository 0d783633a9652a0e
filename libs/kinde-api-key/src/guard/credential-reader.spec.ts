import fc from 'fast-check';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { ApiKeyCredential } from '../config/credential-options.js';
import { couldBeKey } from '../api-key/raw-key.js';
import { CredentialReader, type CredentialReading } from './credential-reader.js';
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

/** What the guard makes of a request with a key that it does not remember. */
function readingOf(reader: CredentialReader, request: HttpRequest): CredentialReading {
  const reading = reader.read(request);
  return 'rawKey' in reading && !couldBeKey(reading.rawKey) ? (malformed as CredentialReading) : reading;
}

describe('a key behind its scheme', () => {
  it.each([
    ['as it is written everywhere', `Bearer ${KEY}`],
    ['with a scheme in lower case', `bearer ${KEY}`],
    ['with a scheme in upper case', `BEARER ${KEY}`],
    ['with several spaces between', `Bearer   ${KEY}`],
  ])('is read %s', (_case, value) => {
    expect(readingOf(bearerOnly, authorization(value))).toEqual({ rawKey: KEY });
  });

  it.each(['authorization', 'Authorization', 'AUTHORIZATION'])('is found under the name %s', (name) => {
    expect(readingOf(bearerOnly, sent(name, `Bearer ${KEY}`))).toEqual({ rawKey: KEY });
  });

  it('is not found under another name of the same length', () => {
    expect(readingOf(bearerOnly, sent('Last-Modified', `Bearer ${KEY}`))).toEqual(missing);
    expect(readingOf(bearerOnly, sent('if-none-match', 'Bearer other', 'authorization', `Bearer ${KEY}`))).toEqual({
      rawKey: KEY,
    });
  });

  it('may hold every character of b64token, and padding', () => {
    const rawKey = 'AZaz09-._~+/AZaz09==';
    expect(readingOf(bearerOnly, authorization(`Bearer ${rawKey}`))).toEqual({ rawKey });
  });

  it.each([
    [16, true],
    [512, true],
    [15, false],
    [513, false],
  ])('of %i characters is taken: %s', (length, isTaken) => {
    const rawKey = 'k'.repeat(length);
    expect(readingOf(bearerOnly, authorization(`Bearer ${rawKey}`))).toEqual(isTaken ? { rawKey } : malformed);
  });
});

describe('no key', () => {
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
    expect(readingOf(bearerOnly, request)).toEqual(missing);
  });
});

describe('a malformed credential', () => {
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
  ])('is %s', (_case, value) => {
    expect(readingOf(bearerOnly, authorization(value))).toEqual(malformed);
  });

  it('is a second Authorization, which Node shows in the raw list only', () => {
    const request = new IncomingMessage(new Socket());
    request.rawHeaders = ['Authorization', `Bearer ${KEY}`, 'authorization', 'Bearer k_live_another_key_0000'];
    request.headers = { authorization: `Bearer ${KEY}` };
    expect(readingOf(bearerOnly, request)).toEqual(malformed);
  });

  it('is the same key sent twice', () => {
    expect(readingOf(bearerOnly, sent('Authorization', `Bearer ${KEY}`, 'Authorization', `Bearer ${KEY}`))).toEqual(
      malformed,
    );
  });

  it('is a second Authorization with another scheme', () => {
    expect(readingOf(bearerOnly, sent('Authorization', `Bearer ${KEY}`, 'Authorization', 'Basic dTpw'))).toEqual(
      malformed,
    );
  });

  it('is a key in each of two places', () => {
    expect(readingOf(both, sent('Authorization', `Bearer ${KEY}`, 'X-Api-Key', KEY))).toEqual(malformed);
    expect(readingOf(both, sent('X-Api-Key', KEY, 'Authorization', `Bearer ${JWS}`))).toEqual(malformed);
    expect(readingOf(both, sent('X-Api-Key', '', 'Authorization', `Bearer ${KEY}`))).toEqual(malformed);
  });

  it('is a second header of any other name, too', () => {
    const reader = new CredentialReader([X_API_KEY], []);
    expect(readingOf(reader, sent('X-Api-Key', KEY, 'x-api-key', KEY))).toEqual(malformed);
  });
});

describe('a JWT where a key is expected', () => {
  it.each([
    ['signed', JWS],
    ['encrypted', JWE],
    ['unsigned', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c2VyIn0.'],
    ['longer than any key', `eyJ${'a'.repeat(900)}.${'b'.repeat(900)}.${'c'.repeat(342)}`],
  ])('is named as such: %s', (_case, token) => {
    expect(readingOf(bearerOnly, authorization(`Bearer ${token}`))).toEqual(wrongType);
    expect(readingOf(both, sent('x-api-key', token))).toEqual(wrongType);
  });

  it.each(['ey_key_without_dots_in_it', 'k_live_.with.two.dots', 'eyJ.one_dot_is_not_enough', 'eyJ.a.b.c_four_parts'])(
    'is not what %s is',
    (rawKey) => {
      expect(readingOf(bearerOnly, authorization(`Bearer ${rawKey}`))).toEqual({ rawKey });
    },
  );

  it('is recognized in linear time', () => {
    const hostile = `Bearer ey${'.'.repeat(60_000)}`;
    const startMs = performance.now();
    expect(readingOf(bearerOnly, authorization(hostile))).toEqual(malformed);
    expect(performance.now() - startMs).toBeLessThan(500);
  });
});

describe('x-api-key', () => {
  it('is the whole header, without a scheme', () => {
    const reader = new CredentialReader([X_API_KEY], []);
    expect(readingOf(reader, sent('X-API-Key', KEY))).toEqual({ rawKey: KEY });
    expect(readingOf(reader, sent('X-API-Key', `Bearer ${KEY}`))).toEqual(malformed);
    expect(readingOf(reader, sent('X-API-Key', ''))).toEqual(malformed);
    expect(readingOf(reader, authorization(`Bearer ${KEY}`))).toEqual(missing);
  });

  it('is read beside an Authorization of another scheme, which is somebody else’s', () => {
    expect(readingOf(both, sent('Authorization', 'Basic dXNlcjpw', 'X-Api-Key', KEY))).toEqual({ rawKey: KEY });
    expect(readingOf(both, sent('X-Api-Key', KEY))).toEqual({ rawKey: KEY });
    expect(readingOf(both, authorization(`Bearer ${KEY}`))).toEqual({ rawKey: KEY });
  });

  it('may have a scheme of its own', () => {
    const reader = new CredentialReader([{ header: 'x-token', scheme: 'Token' }], []);
    expect(readingOf(reader, sent('X-Token', `token ${KEY}`))).toEqual({ rawKey: KEY });
    expect(readingOf(reader, sent('X-Token', `Bearer ${KEY}`))).toEqual(missing);
  });
});

describe('prefixes', () => {
  const reader = new CredentialReader([BEARER], ['k_live_', 'k_eu_']);

  it('let every key through that starts with one of them', () => {
    expect(readingOf(reader, authorization(`Bearer ${KEY}`))).toEqual({ rawKey: KEY });
    expect(readingOf(reader, authorization('Bearer k_eu_1234567890abcdef'))).toEqual({
      rawKey: 'k_eu_1234567890abcdef',
    });
  });

  it.each(['k_test_1234567890abcdef', 'K_LIVE_1234567890abcdef', 'x_k_live_1234567890'])('refuse %s', (rawKey) => {
    expect(readingOf(reader, authorization(`Bearer ${rawKey}`))).toEqual({ refusal: 'WRONG_KEY_PREFIX' });
  });

  it('do not hide what else is wrong', () => {
    expect(readingOf(reader, authorization('Bearer k_test_'))).toEqual(malformed);
    expect(readingOf(reader, authorization(`Bearer ${JWS}`))).toEqual(wrongType);
  });
});

describe('a request without a raw list', () => {
  it.each([
    ['none', { headers: { authorization: `Bearer ${KEY}` } }],
    ['an empty one, as serverless adapters make', { rawHeaders: [], headers: { authorization: `Bearer ${KEY}` } }],
    ['something else in its place', { rawHeaders: 'no list', headers: { authorization: `Bearer ${KEY}` } }],
  ])('is read from its headers: %s', (_case, request) => {
    expect(readingOf(bearerOnly, request)).toEqual({ rawKey: KEY });
  });

  it('refuses an array of values', () => {
    expect(readingOf(bearerOnly, { headers: { authorization: [`Bearer ${KEY}`] } })).toEqual(malformed);
    expect(readingOf(bearerOnly, { headers: { authorization: null } })).toEqual(malformed);
    expect(readingOf(bearerOnly, { headers: { authorization: { toString: () => `Bearer ${KEY}` } } })).toEqual(
      malformed,
    );
  });

  it.each([
    ['without headers', {}],
    ['with headers that are no object', { headers: 'authorization' }],
    ['with null for headers', { headers: null }],
    ['with an undefined header', { headers: { authorization: undefined } }],
    ['with an inherited header', { headers: Object.create({ authorization: `Bearer ${KEY}` }) as object }],
  ])('has no key %s', (_case, request) => {
    expect(readingOf(bearerOnly, request)).toEqual(missing);
  });

  it('is not what a Fastify request is, whose raw list lies one level down', () => {
    const rawHeaders = ['authorization', `Bearer ${KEY}`, 'authorization', `Bearer ${KEY}`];
    expect(readingOf(bearerOnly, { raw: { rawHeaders }, headers: { authorization: `Bearer ${KEY}` } })).toEqual(
      malformed,
    );
    expect(readingOf(bearerOnly, { raw: { rawHeaders: rawHeaders.slice(0, 2) } })).toEqual({ rawKey: KEY });
  });
});

describe('a raw list of another shape than Node makes', () => {
  it.each([
    ['a name without a value', ['Authorization']],
    ['a value that is no text', ['Authorization', 7]],
    ['a value that cannot become a text', ['Authorization', Object.create(null) as object]],
  ])('is refused: %s', (_case, rawHeaders) => {
    expect(readingOf(bearerOnly, { rawHeaders })).toEqual(malformed);
  });

  it('is read past names that are no text', () => {
    expect(readingOf(bearerOnly, { rawHeaders: [null, 'x', 'Authorization', `Bearer ${KEY}`] })).toEqual({
      rawKey: KEY,
    });
  });
});

describe('a token of another length than any key', () => {
  it.each([15, 513, 16_000])('is refused by that alone, before anything is computed of it: %d characters', (length) => {
    expect(bearerOnly.read(authorization(`Bearer ${'k'.repeat(length)}`))).toEqual(malformed);
  });

  it('counts as a scheme without credentials where it is too short, and else as a key without its scheme', () => {
    expect(bearerOnly.read(authorization('k'.repeat(15)))).toEqual(missing);
    expect(bearerOnly.read(authorization('k'.repeat(16)))).toEqual(malformed);
  });
});

describe('whatever is sent', () => {
  const POSSIBLE_KEY = /^(?=.{16,512}$)[A-Za-z0-9\-._~+/]+=*$/;
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

  it('is never an exception, and never yields anything but a possible key or a refusal', () => {
    fc.assert(
      fc.property(request, fc.constantFrom(...readers), (anything, reader) => {
        const reading = readingOf(reader, anything);
        const isRefusal = 'refusal' in reading && REFUSALS.includes(reading.refusal);
        const isKey = 'rawKey' in reading && POSSIBLE_KEY.test(reading.rawKey);
        expect(isRefusal).toBe(!isKey);
        expect(Object.keys(reading)).toHaveLength(1);
      }),
      { numRuns: 5_000 },
    );
  });

  it('yields a key only where exactly one header brings one', () => {
    const good = fc.stringMatching(/^k_live_[A-Za-z0-9]{16}$/);
    const header = fc
      .tuple(fc.constantFrom('Authorization', 'AUTHORIZATION', 'x-api-key'), good)
      .map(([one, key]) => [one, one === 'x-api-key' ? key : `Bearer ${key}`]);
    fc.assert(
      fc.property(fc.array(header, { maxLength: 4 }), (headers) => {
        const reading = readingOf(both, { rawHeaders: headers.flat() });
        expect('rawKey' in reading).toBe(headers.length === 1);
      }),
    );
  });
});
