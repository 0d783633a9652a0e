import { costOf, type FleetPlan } from './formula.js';
import { simulate } from './simulate.js';

const PLAN: FleetPlan = { instances: 1, keys: 200, requestsPerSecond: 20, zipf: 1, ttlMs: 60_000, isShared: false };

describe('the formula for the cost of a fleet', () => {
  it.each<[string, Partial<FleetPlan>]>([
    ['one instance', {}],
    ['four instances', { instances: 4 }],
    ['four instances that share', { instances: 4, isShared: true }],
    ['keys that are used alike', { zipf: 0, keys: 50 }],
    ['a short time to live', { ttlMs: 5_000 }],
  ])('agrees with what the library does: %s', async (_what, change) => {
    const plan = { ...PLAN, ...change };
    const [formula, measured] = [costOf(plan), await simulate(plan, 1_200)];
    expect(measured.verifiesPerMinute / formula.verifiesPerMinute).toBeGreaterThan(0.93);
    expect(measured.verifiesPerMinute / formula.verifiesPerMinute).toBeLessThan(1.05);
    expect(Math.abs(measured.hitRatio - formula.hitRatio)).toBeLessThan(0.02);
  });

  it('says that sharing costs the fleet what one instance costs', () => {
    expect(costOf({ ...PLAN, instances: 16, isShared: true })).toEqual(costOf(PLAN));
    expect(costOf({ ...PLAN, instances: 16 }).verifiesPerMinute).toBeGreaterThan(costOf(PLAN).verifiesPerMinute);
  });
});
