import { inspect } from 'node:util';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import type { RateDecision } from '../rate-limit/rate-limit-store.js';
import type { RouteRule } from '../rules/route-rule.js';
import { verifiedKey } from '../../../../test/support/verified-key.js';
import { acceptedState, getVerifiedApiKey, keepState, stateOf } from './request-state.js';

const ours = Symbol('registration');
const theirs = Symbol('registration');
const rule = { route: 'Users.find' } as RouteRule;
const otherRule = { route: 'Users.find' } as RouteRule;

function keptState(request: object, registration = ours, forRule = rule) {
  const state = stateOf(request, registration, forRule);
  keepState(state);
  return state;
}

function accept(request: object, registration: symbol, apiKey: VerifiedApiKey) {
  return Object.assign(keptState(request, registration), { apiKey, isAccepted: true });
}

describe('The state of a request', () => {
  it('does not exist before a guard ran', () => {
    expect(acceptedState({})).toBeUndefined();
    expect(getVerifiedApiKey({})).toBeUndefined();
  });

  it('is found again by registration and rule, once it is kept', () => {
    const request = {};
    const state = keptState(request);
    const others = [keptState(request, ours, otherRule), keptState(request, theirs), keptState({})];
    expect(stateOf(request, ours, rule)).toBe(state);
    expect(new Set([state, ...others]).size).toBe(4);
  });

  it('is not kept until keepState() is called', () => {
    const request = {};
    expect(stateOf(request, ours, rule)).not.toBe(stateOf(request, ours, rule));
    expect(Object.getOwnPropertySymbols(request)).toEqual([]);
  });

  it('survives a state of another registration that was kept after it was made', () => {
    const request = {};
    const first = stateOf(request, ours, rule);
    const second = keptState(request, theirs);
    keepState(first);
    keepState(first);
    expect([stateOf(request, ours, rule), stateOf(request, theirs, rule)]).toEqual([first, second]);
    expect([first.previous, second.previous]).toEqual([second, undefined]);
  });

  it.each(['a text', 7, null, Buffer.from('a body'), Object.freeze({ an: 'event' })])(
    'is kept on a request of Express whose app has set "raw" to %p',
    (raw) => {
      const request = { raw };
      const state = keptState(request);
      expect(stateOf(request as object, ours, rule)).toBe(state);
    },
  );

  it('is not inherited from another request', () => {
    const earlier = {};
    const state = keptState(earlier);
    expect(stateOf(Object.create(earlier) as object, ours, rule)).not.toBe(state);
  });

  it('gives no key of a request that was verified and counted but not accepted', () => {
    const request = {};
    const state = keptState(request);
    Object.assign(state, { apiKey: verifiedKey(), rate: { accepted: true } as RateDecision });
    expect(getVerifiedApiKey(request)).toBeUndefined();
    state.isAccepted = true;
    expect(getVerifiedApiKey(request)).toBe(state.apiKey);
  });

  it('gives the key of the registration that accepted the request last', () => {
    const request = {};
    const [key, otherKey] = [verifiedKey(), verifiedKey({ keyId: 'api_key_2' })];
    const first = accept(request, ours, key);
    expect(acceptedState(request)).toBe(first);
    accept(request, theirs, otherKey);
    expect(getVerifiedApiKey(request)).toBe(otherKey);
  });

  it('is read from states of other copies of the library', () => {
    const apiKey = verifiedKey();
    const request = { [Symbol.for('nestjs-kinde-api-key:request-state')]: { apiKey, isAccepted: true } };
    expect(getVerifiedApiKey(request)).toBe(apiKey);
  });

  it('cannot be forged by anything that a client sends', () => {
    const state = '{ "apiKey": { "keyId": "forged" }, "isAccepted": true }';
    const request = JSON.parse(`{ "nestjs-kinde-api-key:request-state": ${state} }`) as object;
    expect(getVerifiedApiKey(request)).toBeUndefined();
    expect(stateOf(request, ours, rule).isAccepted).toBe(false);
  });

  it('does not show in JSON or among the keys of the request', () => {
    const request = {};
    accept(request, ours, verifiedKey());
    expect(JSON.stringify(request)).toBe('{}');
    expect(inspect(Object.keys(request))).toBe('[]');
  });
});

describe('getVerifiedApiKey()', () => {
  it.each([undefined, null, 'request', 7])('returns undefined for %p', (request) => {
    expect(getVerifiedApiKey(request)).toBeUndefined();
  });
});
