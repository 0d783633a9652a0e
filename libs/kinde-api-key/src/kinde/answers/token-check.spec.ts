import { parseTokenCheck } from './token-check.js';

const parse = (status: number, body: unknown, type = 'application/json') =>
  parseTokenCheck({ status, headers: { 'content-type': type }, body: JSON.stringify(body) });
const ERROR = { errors: [{ code: 'X', message: 'x' }] };

describe('parseTokenCheck', () => {
  it('takes 200 with a list of keys as accepted', () => {
    expect(parse(200, { api_keys: [] })).toEqual({ kind: 'token_check', isAccepted: true });
  });

  it.each([401, 403])("takes %d in Kinde's error format as rejected", (status) => {
    expect(parse(status, ERROR)).toEqual({ kind: 'token_check', isAccepted: false });
  });

  it.each([
    [200, {}, undefined],
    [200, { api_keys: null }, undefined],
    [200, { api_keys: [] }, 'text/html'],
    [401, ERROR, 'text/html'],
    [403, {}, undefined],
    [404, ERROR, undefined],
    [400, ERROR, undefined],
    [500, ERROR, undefined],
    [302, {}, undefined],
  ])('learns nothing from %d %j %s', (status, body, type) => {
    expect(parse(status, body, type)).toMatchObject({ kind: 'outage' });
  });

  it('takes 429 as a request to slow down', () => {
    expect(parse(429, ERROR)).toEqual({ kind: 'throttled' });
  });
});
