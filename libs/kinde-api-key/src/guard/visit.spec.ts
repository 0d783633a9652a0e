import { inspect } from 'node:util';
import type { VerifiedApiKey } from '../verified-api-key.js';
import { getVerifiedApiKey, hasPassed, latestPassage, recordPassage } from './passage.js';
import type { RouteRule } from './route-rule.js';

const ours = Symbol('registration');
const theirs = Symbol('registration');
const rule = { route: 'Users.find' } as RouteRule;
const otherRule = { route: 'Users.find' } as RouteRule;
const key = { keyId: 'api_key_1' } as VerifiedApiKey;
const otherKey = { keyId: 'api_key_2' } as VerifiedApiKey;

describe('a request', () => {
  it('has passed nothing before', () => {
    expect(hasPassed({}, ours, rule)).toBe(false);
    expect(latestPassage({})).toBeUndefined();
    expect(getVerifiedApiKey({})).toBeUndefined();
  });

  it('has passed the rule of the registration that recorded it, and no other', () => {
    const request = {};
    recordPassage(request, ours, rule, key, undefined);
    expect(hasPassed(request, ours, rule)).toBe(true);
    expect(hasPassed(request, ours, otherRule)).toBe(false);
    expect(hasPassed(request, theirs, rule)).toBe(false);
    expect(hasPassed({}, ours, rule)).toBe(false);
  });

  it('may pass two registrations, of which the latest gives the key', () => {
    const request = {};
    recordPassage(request, ours, rule, key, 'user 1');
    recordPassage(request, theirs, rule, otherKey, 'user 2');
    expect(hasPassed(request, ours, rule)).toBe(true);
    expect(hasPassed(request, theirs, rule)).toBe(true);
    expect(getVerifiedApiKey(request)).toBe(otherKey);
    expect(latestPassage(request)).toMatchObject({ resource: 'user 2', previous: { resource: 'user 1' } });
  });

  it('cannot claim to have passed by anything that a client sends', () => {
    const request = JSON.parse('{ "nestjs-kinde-api-key:passage": { "apiKey": { "keyId": "forged" } } }') as object;
    expect(getVerifiedApiKey(request)).toBeUndefined();
    expect(hasPassed(request, ours, rule)).toBe(false);
  });

  it('shows its passage in no JSON', () => {
    const request = {};
    recordPassage(request, ours, rule, key, undefined);
    expect(JSON.stringify(request)).toBe('{}');
    expect(inspect(Object.keys(request))).toBe('[]');
  });
});

describe('getVerifiedApiKey', () => {
  it.each([undefined, null, 'request', 7])('finds no key on %p', (request) => {
    expect(getVerifiedApiKey(request)).toBeUndefined();
  });
});
