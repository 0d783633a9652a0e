import { costOf, type Plan } from './formula.js';
import { simulate } from './simulate.js';

const PLAN: Plan = { instances: 1, keys: 200, requestsPerSecond: 20, zipf: 1, ttlMs: 60_000, isShared: false };

describe('the formula for the calls of several instances', () => {
  it.each<[string, Partial<Plan>]>([
    ['one instance', {}],
    ['four instances', { instances: 4 }],
    ['four instances that share a Redis', { instances: 4, isShared: true }],
    ['evenly used keys', { zipf: 0, keys: 50 }],
    ['a short ttlMs', { ttlMs: 5_000 }],
  ])('agrees within 7 % with the calls that the library makes: %s', async (_what, change) => {
    const plan = { ...PLAN, ...change };
    const [formula, measured] = [costOf(plan), await simulate(plan, 1_200)];
    expect(measured.verifiesPerMinute / formula.verifiesPerMinute).toBeGreaterThan(0.93);
    expect(measured.verifiesPerMinute / formula.verifiesPerMinute).toBeLessThan(1.05);
    expect(Math.abs(measured.hitRatio - formula.hitRatio)).toBeLessThan(0.02);
  });

  it('gives instances that share a Redis the cost of one instance', () => {
    expect(costOf({ ...PLAN, instances: 16, isShared: true })).toEqual(costOf(PLAN));
    expect(costOf({ ...PLAN, instances: 16 }).verifiesPerMinute).toBeGreaterThan(costOf(PLAN).verifiesPerMinute);
  });
});
