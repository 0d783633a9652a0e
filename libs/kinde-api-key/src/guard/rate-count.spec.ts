import type { RateDecision } from '../rate-limit/rate-limit-store.js';
import { countedRate, recordRate } from './rate-count.js';
import type { RouteRule } from './route-rule.js';

const ours = Symbol('registration');
const theirs = Symbol('registration');
const rule = { route: 'Users.find' } as RouteRule;
const otherRule = { route: 'Users.find' } as RouteRule;
const decision = { accepted: true } as RateDecision;
const otherDecision = { accepted: false } as RateDecision;

describe('a request', () => {
  it('was not counted before', () => {
    expect(countedRate({}, ours, rule)).toBeUndefined();
  });

  it('was counted for the rule of the registration that noted it, and for no other', () => {
    const request = {};
    recordRate(request, ours, rule, decision);
    expect(countedRate(request, ours, rule)).toBe(decision);
    expect(countedRate(request, ours, otherRule)).toBeUndefined();
    expect(countedRate(request, theirs, rule)).toBeUndefined();
    expect(countedRate({}, ours, rule)).toBeUndefined();
  });

  it('may be counted by two registrations', () => {
    const request = {};
    recordRate(request, ours, rule, decision);
    recordRate(request, theirs, rule, otherDecision);
    expect(countedRate(request, ours, rule)).toBe(decision);
    expect(countedRate(request, theirs, rule)).toBe(otherDecision);
    expect(JSON.stringify(request)).toBe('{}');
  });
});
