import { costOf, mintsPerMonth, type FleetCost, type FleetPlan } from './formula.js';

const TRAFFIC = { requestsPerSecond: 100, zipf: 1, ttlMs: 60_000 };

/** The rows of the table in `docs/multiple-instances.md`: 100 requests a second, the default `ttlMs`. */
export const PLANS: readonly FleetPlan[] = [100, 10_000].flatMap((keys) =>
  [1, 4, 16].flatMap((instances) =>
    (instances === 1 ? [false] : [false, true]).map((isShared) => ({ ...TRAFFIC, keys, instances, isShared })),
  ),
);

/** The table for a person who plans a fleet, by the formula, or with what was measured beside it. */
export function planTable(measured: readonly FleetCost[] = []): string {
  const isMeasured = measured.length > 0;
  const head = [
    'keys',
    'instances',
    'Redis',
    'verify calls a minute',
    'requests that wait for Kinde',
    'mints in 30 days',
  ];
  const rows = PLANS.map((plan, index) => {
    const formula = costOf(plan);
    const cost = measured[index];
    const beside = (text: (cost: FleetCost) => string): string =>
      cost ? `${text(cost)} (formula ${text(formula)})` : text(formula);
    return [
      plan.keys.toLocaleString('en'),
      String(plan.instances),
      plan.isShared ? 'yes' : 'no',
      beside(({ verifiesPerMinute }) => Math.round(verifiesPerMinute).toLocaleString('en')),
      beside(({ hitRatio }) => `${((1 - hitRatio) * 100).toFixed(1)} %`),
      Math.round(mintsPerMonth(plan)).toLocaleString('en'),
    ];
  });
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const table = [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
  return isMeasured ? `${table}\n` : table;
}
