import fc from 'fast-check';
import { parseMintAnswer } from './m2m-answer.js';

const HEADERS = { 'content-type': 'application/json' };
const NOW_MS = 1_800_000_000_000;
const encoded = (text: string) => Buffer.from(text).toString('base64url');
const jwt = (claims: unknown) => `${encoded('{"alg":"RS256"}')}.${encoded(JSON.stringify(claims))}.c2ln`;
const parse = (body: unknown, status = 200, headers: Record<string, string> = HEADERS) =>
  parseMintAnswer({ status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) }, NOW_MS);
const GOOD = { access_token: 'abc.def.ghi', expires_in: 3_600, token_type: 'bearer' };

describe('parseMintAnswer', () => {
  it('reads the token and its life', () => {
    expect(parse(GOOD)).toEqual({ kind: 'token', accessToken: 'abc.def.ghi', lifeMs: 3_600_000 });
  });

  it.each([['Bearer'], ['BEARER'], [null], [undefined]])('accepts the token type %j', (token_type) => {
    expect(parse({ ...GOOD, token_type }).kind).toBe('token');
  });

  it.each([
    [{ access_token: '' }, "'access_token' is not a token"],
    [{ token_type: 'mac' }, "'token_type' is not bearer"],
    [{ expires_in: 0 }, 'the M2M token has no lifetime'],
  ])('names the problem of %j', (fields, reason) => {
    const problem = `Kinde's answer is not usable (${reason})`;
    expect(parse({ ...GOOD, ...fields })).toEqual({ kind: 'unusable', problem });
    expect(parse('')).toMatchObject({ problem: "Kinde's answer is not usable (it is not a JSON object)" });
  });

  it.each([
    ['a token type of another kind', { ...GOOD, token_type: 'mac' }],
    ['a token type that is not a string', { ...GOOD, token_type: ['bearer'] }],
    ['an absent token', { expires_in: 3_600 }],
    ['a token that is not a string', { ...GOOD, access_token: 7 }],
    ['an empty token', { ...GOOD, access_token: '' }],
    ['a token with a line break', { ...GOOD, access_token: 'abc\r\nx-evil: 1' }],
    ['a token with a space', { ...GOOD, access_token: 'abc def' }],
    ['a token beyond ASCII', { ...GOOD, access_token: 'abcé' }],
    ['a life of 0', { ...GOOD, expires_in: 0 }],
    ['a negative life', { ...GOOD, expires_in: -1 }],
    ['a life that is a text', { ...GOOD, expires_in: '1 h' }],
    ['a life that is a negative text', { ...GOOD, expires_in: '-60' }],
    ['a life that is an empty text', { ...GOOD, expires_in: '' }],
    ['an infinite life', '{"access_token":"a","expires_in":1e400}'],
    ['a life that is infinite in milliseconds', { ...GOOD, expires_in: 1e306 }],
    ['an absent life', { access_token: 'opaque' }],
    ['a JWT without exp', { access_token: jwt({ iat: 1 }) }],
    ['a JWT with exp before iat', { access_token: jwt({ iat: 10, exp: 5 }) }],
    ['a JWT with times that are strings', { access_token: jwt({ iat: '1', exp: '2' }) }],
    ['an expired JWT without iat', { access_token: jwt({ exp: NOW_MS / 1_000 - 1 }) }],
  ])('treats %s as a token that cannot be used', (_what, body) => {
    expect(parse(body)).toMatchObject({ kind: 'unusable' });
  });

  it.each([
    ['an array', [GOOD]],
    ['a form body', 'access_token=abc'],
  ])('treats %s as an outage', (_what, body) => {
    expect(parse(body)).toMatchObject({ kind: 'outage', retryable: false });
  });

  it('reads a life in digits that is sent as a string', () => {
    expect(parse({ ...GOOD, expires_in: '3600' })).toMatchObject({ kind: 'token', lifeMs: 3_600_000 });
  });

  it.each(['1 h', '', 0, -1, null, true, [60], {}])(
    'takes the life from the claims if expires_in is %j',
    (expires_in) => {
      expect(parse({ access_token: jwt({ iat: 0, exp: 600 }), expires_in })).toMatchObject({ lifeMs: 600_000 });
    },
  );

  it('treats a token without a JSON content type as an outage', () => {
    expect(parse(GOOD, 200, { 'content-type': 'text/html' }).kind).toBe('outage');
  });

  it('counts the life of a JWT from its iat, so that the difference of the clocks does not matter', () => {
    const farFuture = NOW_MS / 1_000 + 1e8;
    expect(parse({ access_token: jwt({ iat: farFuture, exp: farFuture + 600 }) })).toMatchObject({ lifeMs: 600_000 });
  });

  it('counts the life of a JWT without iat from now', () => {
    expect(parse({ access_token: jwt({ exp: NOW_MS / 1_000 + 90 }), expires_in: null })).toMatchObject({
      lifeMs: 90_000,
    });
  });

  it('takes the shorter life of expires_in and the claims', () => {
    expect(parse({ access_token: jwt({ iat: 0, exp: 30 }), expires_in: 60 })).toMatchObject({ lifeMs: 30_000 });
    expect(parse({ access_token: jwt({ iat: 0, exp: 600 }), expires_in: 60 })).toMatchObject({ lifeMs: 60_000 });
  });

  const REFUSALS = ['invalid_client', 'unauthorized_client', 'invalid_scope', 'invalid_request'];
  it.each(REFUSALS.flatMap((error) => [400, 401, 403].map((status) => [error, status] as const)))(
    'treats %s with status %d as rejected credentials',
    (error, status) => {
      expect(parse({ error, error_description: 'secret' }, status, {})).toEqual({ kind: 'refused', error });
    },
  );

  it.each([
    ['an unknown error', { error: 'server_error' }, 400],
    ['an error that is not a string', { error: ['invalid_client'] }, 401],
    ['an error without a name', {}, 403],
    ['a page', '<h1>Forbidden</h1>', 403],
    ['a known error with another status', { error: 'invalid_client' }, 500],
    ['a redirect', '', 302],
  ])('treats %s as an outage', (_what, body, status) => {
    expect(parse(body, status).kind).toBe('outage');
  });

  it('treats 429 as throttled', () => {
    expect(parse({ error: 'invalid_client' }, 429)).toEqual({ kind: 'throttled' });
  });

  it('returns a token only with a positive, finite life and visible ASCII characters, and never throws', () => {
    const field = <T>(value: fc.Arbitrary<T>) => fc.option(fc.oneof(value, fc.jsonValue()), { nil: undefined });
    const claims = fc.record({ iat: field(fc.double()), exp: field(fc.double()) });
    const answers = fc.record({
      access_token: field(fc.oneof(fc.string({ unit: 'binary' }), claims.map(jwt))),
      expires_in: field(fc.double()),
      token_type: field(fc.constantFrom('bearer', 'Bearer', 'mac')),
    });
    fc.assert(
      fc.property(fc.oneof(answers, fc.jsonValue()), (body) => {
        const answer = parse(JSON.stringify(body));
        if (answer.kind !== 'token') return;
        expect(answer.lifeMs > 0 && Number.isFinite(answer.lifeMs)).toBe(true);
        expect(answer.accessToken).toMatch(/^[!-~]+$/);
      }),
      { numRuns: 2_000 },
    );
  });
});
