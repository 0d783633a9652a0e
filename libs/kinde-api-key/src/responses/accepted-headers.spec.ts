import type { ServerResponse } from 'node:http';
import { keepFromSharedCaches, setHeaders } from './accepted-headers.js';
import type { HttpResponse } from './http-response.js';

/** A response of a framework with headers that the app has set. */
function responseWith(set: Readonly<Record<string, unknown>> = {}) {
  const fields = new Map(Object.entries(set));
  const response: HttpResponse = {
    header: (name, value) => fields.set(name, value),
    getHeader: (name) => fields.get(name),
  };
  return { response, headers: () => Object.fromEntries(fields) };
}

describe('setHeaders()', () => {
  it('sets each header, and none by default', () => {
    const { response, headers } = responseWith();
    setHeaders(response);
    expect(headers()).toEqual({});
    setHeaders(response, { RateLimit: '1', 'RateLimit-Policy': '2' });
    expect(headers()).toEqual({ RateLimit: '1', 'RateLimit-Policy': '2' });
  });
});

describe('keepFromSharedCaches()', () => {
  function kept(set: Readonly<Record<string, unknown>>, keyHeaders: readonly string[] = ['x-api-key']) {
    const { response, headers } = responseWith(set);
    keepFromSharedCaches(response, keyHeaders);
    return headers();
  }

  it('adds Cache-Control: private, and the headers of keys to Vary', () => {
    expect(kept({})).toEqual({ 'Cache-Control': 'private', Vary: 'x-api-key' });
    expect(kept({}, ['x-api-key', 'x-other'])).toEqual({ 'Cache-Control': 'private', Vary: 'x-api-key, x-other' });
  });

  it('adds no Vary if no header of a key is uncommon', () => {
    expect(kept({}, [])).toEqual({ 'Cache-Control': 'private' });
  });

  it("does not replace the app's own Cache-Control", () => {
    expect(kept({ 'Cache-Control': 'public' })).toMatchObject({ 'Cache-Control': 'public' });
  });

  it.each([
    ['Origin', 'Origin, x-api-key'],
    ['Origin , Accept', 'Origin, Accept, x-api-key'],
    ['Origin,Accept', 'Origin, Accept, x-api-key'],
    [['Origin', 'Accept'], 'Origin, Accept, x-api-key'],
    [['Origin,Accept', 'X'], 'Origin, Accept, X, x-api-key'],
    ['x-api-keys', 'x-api-keys, x-api-key'],
  ])('adds to the Vary of the app: %j', (vary, expected) => {
    expect(kept({ Vary: vary })).toMatchObject({ Vary: expected });
  });

  it.each(['*', 'Origin, *', 'x-api-key', 'Origin, X-Api-Key'])('leaves a Vary that names the header: %s', (vary) => {
    expect(kept({ Vary: vary })).toMatchObject({ Vary: vary });
  });

  it('adds only the headers that Vary does not name', () => {
    expect(kept({ Vary: 'X-Api-Key' }, ['x-api-key', 'x-other'])).toMatchObject({ Vary: 'X-Api-Key, x-other' });
  });

  it('reads what middleware set on the raw response', () => {
    const set: Record<string, string> = { 'Cache-Control': 'no-cache', Vary: 'Origin' };
    const raw = { writeHead: () => undefined, getHeader: (name: string) => set[name] } as unknown as ServerResponse;
    const headers: Record<string, string> = {};
    const response = { header: (name: string, value: string) => (headers[name] = value), raw };
    keepFromSharedCaches({ ...response, getHeader: () => undefined }, ['x-api-key']);
    expect(headers).toEqual({ Vary: 'Origin, x-api-key' });
    keepFromSharedCaches(response, ['x-other']);
    expect(headers).toEqual({ Vary: 'Origin, x-other' });
  });

  it('needs no getHeader() on the response of a test', () => {
    const headers: Record<string, string> = {};
    keepFromSharedCaches({ header: (name, value) => (headers[name] = value) }, ['x-api-key']);
    expect(headers).toEqual({ 'Cache-Control': 'private', Vary: 'x-api-key' });
  });
});
