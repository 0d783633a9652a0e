import { inspect } from 'node:util';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import type { RateDecision } from '../rate-limit/rate-limit-store.js';
import { getVerifiedApiKey, latestPassage, visitOf } from './visit.js';
import type { RouteRule } from '../rules/route-rule.js';

const ours = Symbol('registration');
const theirs = Symbol('registration');
const rule = { route: 'Users.find' } as RouteRule;
const otherRule = { route: 'Users.find' } as RouteRule;
const key = { keyId: 'api_key_1' } as VerifiedApiKey;
const otherKey = { keyId: 'api_key_2' } as VerifiedApiKey;

describe('a request', () => {
  it('has passed nobody before', () => {
    expect(latestPassage({})).toBeUndefined();
    expect(getVerifiedApiKey({})).toBeUndefined();
  });

  it('has visited the registration that noted it, for the rule that it was about, and no other', () => {
    const request = {};
    const visit = visitOf(request, ours, rule);
    const others = [visitOf(request, ours, otherRule), visitOf(request, theirs, rule), visitOf({}, ours, rule)];
    expect(visitOf(request, ours, rule)).toBe(visit);
    expect(new Set([visit, ...others]).size).toBe(4);
  });

  it('has not visited because something that it inherits from has', () => {
    const earlier = {};
    const visit = visitOf(earlier, ours, rule);
    expect(visitOf(Object.create(earlier) as object, ours, rule)).not.toBe(visit);
  });

  it('has not passed because it visited, nor because it was counted', () => {
    const request = {};
    const visit = visitOf(request, ours, rule);
    visit.rate = { accepted: true } as RateDecision;
    expect(latestPassage(request)).toBeUndefined();
    expect(getVerifiedApiKey(request)).toBeUndefined();
    visit.apiKey = key;
    expect(getVerifiedApiKey(request)).toBe(key);
  });

  it('may pass two registrations, of which the latest gives the key', () => {
    const request = {};
    const [first, second] = [visitOf(request, ours, rule), visitOf(request, theirs, rule)];
    first.apiKey = key;
    expect(latestPassage(request)).toBe(first);
    second.apiKey = otherKey;
    expect(latestPassage(request)).toBe(second);
    expect(visitOf(request, ours, rule)).toBe(first);
    expect(visitOf(request, theirs, rule)).toBe(second);
  });

  it('has passed for every copy of the library', () => {
    const request = { [Symbol.for('nestjs-kinde-api-key:visit')]: { apiKey: key } };
    expect(getVerifiedApiKey(request)).toBe(key);
  });

  it('cannot claim to have passed by anything that a client sends', () => {
    const request = JSON.parse('{ "nestjs-kinde-api-key:visit": { "apiKey": { "keyId": "forged" } } }') as object;
    expect(getVerifiedApiKey(request)).toBeUndefined();
    expect(visitOf(request, ours, rule).apiKey).toBeUndefined();
  });

  it('shows its visits in no JSON', () => {
    const request = {};
    visitOf(request, ours, rule).apiKey = key;
    expect(JSON.stringify(request)).toBe('{}');
    expect(inspect(Object.keys(request))).toBe('[]');
  });
});

describe('getVerifiedApiKey', () => {
  it.each([undefined, null, 'request', 7])('finds no key on %p', (request) => {
    expect(getVerifiedApiKey(request)).toBeUndefined();
  });
});
