import fc from 'fast-check';
import { apiKeyUrl, parseMembership } from './api-key-details.js';

const HEADERS = { 'content-type': 'application/json' };
const resultOf = (status: number, body: unknown, headers: Record<string, string> = HEADERS) => {
  const answer = parseMembership({ status, headers, body: JSON.stringify(body) }, 'api_key_1', 'api_a');
  return answer.kind === 'membership' ? answer.result : answer.kind;
};

describe('parseMembership', () => {
  it.each([
    ['among the APIs of the key', { api_key: { id: 'api_key_1', api_ids: ['api_b', 'api_a'] } }, 'member'],
    ['the only API of a key without an id', { api_key: { api_ids: ['api_a'] } }, 'member'],
    ['not among them', { api_key: { id: 'api_key_1', api_ids: ['api_b'] } }, 'other_api'],
    ['not among none', { api_key: { id: 'api_key_1', api_ids: [] } }, 'other_api'],
    ['in the details of another key', { api_key: { id: 'api_key_2', api_ids: ['api_a'] } }, 'outage'],
    ['in a string', { api_key: { id: 'api_key_1', api_ids: 'api_a' } }, 'outage'],
    ['beside a number', { api_key: { id: 'api_key_1', api_ids: ['api_a', 1] } }, 'outage'],
    ['nowhere', { api_key: { id: 'api_key_1' } }, 'outage'],
    ['nowhere, for lack of details', {}, 'outage'],
    ['in details that are an array', { api_key: [{ id: 'api_key_1', api_ids: ['api_a'] }] }, 'outage'],
    ['nowhere, in an array', [], 'outage'],
  ])('finds the API that is %s', (_where, body, result) => {
    expect(resultOf(200, body)).toBe(result);
  });

  it('refuses a key for a 404 with an error of Kinde, and not for another 404', () => {
    expect(resultOf(404, { errors: { code: 'API_KEY_NOT_FOUND', message: 'Not found' } })).toBe('unknown');
    const route = { code: 'ROUTE_NOT_FOUND', message: 'The requested API route does not exist' };
    expect(resultOf(404, { errors: route })).toBe('outage');
    expect(resultOf(404, { errors: { code: 'A', message: 'B' } }, { 'content-type': 'text/html' })).toBe('outage');
  });

  it.each([
    [404, 'outage'],
    [429, 'throttled'],
    [201, 'outage'],
    [302, 'outage'],
    [400, 'outage'],
    [401, 'outage'],
    [403, 'outage'],
    [500, 'outage'],
  ])('treats status %d as %s, with any body', (status, result) => {
    expect(resultOf(status, { api_key: { id: 'api_key_1', api_ids: ['api_a'] } })).toBe(result);
  });

  it.each([
    ['is not JSON by its content type', {}, 'its content type is not JSON', { 'content-type': 'text/html' }],
    ['has no details', {}, "'api_key' is not an object", HEADERS],
    ['has those of another key', { api_key: { id: 'b' } }, "'api_key' is another key than was asked for", HEADERS],
    ['lists no APIs', { api_key: { api_ids: [1] } }, "'api_ids' is not an array of strings", HEADERS],
  ])('names the problem of an answer that %s', (_what, body, reason, headers) => {
    const answer = parseMembership({ status: 200, headers, body: JSON.stringify(body) }, 'api_key_1', 'api_a');
    expect(answer).toMatchObject({ problem: `Kinde's answer is not usable (${reason})` });
  });

  it('treats an answer without a JSON content type as an outage', () => {
    expect(resultOf(200, { api_key: { id: 'api_key_1', api_ids: ['api_a'] } }, {})).toBe('outage');
  });

  it('returns an answer for any text, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string({ unit: 'binary' })), (body) => {
        const answer = parseMembership({ status: 200, headers: HEADERS, body }, 'api_key_1', 'api_a');
        expect(['membership', 'outage']).toContain(answer.kind);
      }),
    );
  });
});

describe('apiKeyUrl', () => {
  it('appends the id to the path', () => {
    expect(apiKeyUrl('https://acme.kinde.com', 'api_key_1')).toBe('https://acme.kinde.com/api/v1/api_keys/api_key_1');
  });

  it.each(['.', '..', '\ud800'])('returns undefined for the id %j', (keyId) => {
    expect(apiKeyUrl('https://acme.kinde.com', keyId)).toBeUndefined();
  });

  it.each(['...', '.a', 'a.', '..a', 'a..'])('returns a URL for %j, which is not a relative path', (keyId) => {
    expect(apiKeyUrl('https://acme.kinde.com', keyId)).toBe(`https://acme.kinde.com/api/v1/api_keys/${keyId}`);
  });

  it('leads to one resource below /api_keys for any id', () => {
    const keyIds = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.string({ unit: 'binary', minLength: 1 }),
      fc.constantFrom('../x', '..%2fx', 'a/b', 'a?b#c', '...'),
    );
    fc.assert(
      fc.property(keyIds, (keyId) => {
        const address = apiKeyUrl('https://acme.kinde.com', keyId);
        if (address === undefined) return;
        const { origin, pathname, search, hash } = new URL(address);
        expect([origin, search, hash]).toEqual(['https://acme.kinde.com', '', '']);
        expect(pathname).toMatch(/^\/api\/v1\/api_keys\/[^/]+$/);
      }),
      { numRuns: 1_000 },
    );
  });
});
