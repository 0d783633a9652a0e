// npm run bench:gate                    fails if the library got slower, in relation to the floor of the same run
// npm run bench:gate -- --slow-by=1     with a pause of 1 µs in our guard: to see it fail
// npm run bench:gate -- --rounds=300    more rounds, for a machine that is busy
// npm run bench:gate -- --adapter=express
//
// A run counts only if its control is right; there are at most seven. What misses a bound must miss it in three runs that count.
import { parseArgs } from 'node:util';
import { prepareLibrary } from './prepare.mjs';
import { controlLine, ratio, round, table } from './report.mjs';

const { values } = parseArgs({
  options: { 'slow-by': { type: 'string' }, rounds: { type: 'string', default: '150' }, adapter: { type: 'string' } },
});
prepareLibrary();
const { FLOOR, measureHotPath, REFUSALS } = await import('./parts/hot-path.mjs');
const { slowedGuard } = await import('./variants/ours.mjs');

const MAX_RUNS = 7;
const RUNS_TO_FAIL = 3;

/** How many times as much as the floor a variant may add: what the library is built to keep. */
const BARS = new Map([
  ['ours, two scopes', { other: FLOOR, bar: 1.25 }],
  ['ours, two scopes and @OrgScoped', { other: FLOOR, bar: 1.5 }],
  ['ours, two scopes and @RateLimit', { other: FLOOR, bar: 1.75 }],
  ['ours, two scopes and @RateLimit, one hot key', { other: FLOOR, bar: 1.75 }],
  ...REFUSALS.map((refusal) => [`${refusal}, ours`, { other: `${refusal}, by hand`, bar: 1.25 }]),
]);
/** The gate is there to see a slow-down, and not to toss a coin where a bar is just kept: as much above a bar is noise of a busy machine. */
const SLACK = 1.2;

const adapters = values.adapter ? [values.adapter] : ['fastify', 'express'];
const guard = values['slow-by'] && slowedGuard(Number(values['slow-by']));
const plan = {
  keys: 1_000,
  rounds: Number(values.rounds),
  warmUp: 30,
  block: 100,
  peers: false,
  ...(guard && { guard }),
};

let isFast = true;
for (const adapter of adapters) {
  console.log(`\n## ${adapter}\n`);
  isFast = (await passes(adapter)) && isFast;
}
process.exit(isFast ? 0 : 1);

async function passes(adapter) {
  const misses = new Map();
  for (let run = 1; run <= MAX_RUNS; run += 1) {
    const { measured } = await measureHotPath(adapter, plan);
    console.log(`Run ${run}. ${controlLine(measured)}`);
    if (!measured.isValid) continue;
    const results = [...BARS].map(([name, bar]) => compare(measured, name, bar));
    console.log(`\n${table(['variant', 'adds µs', 'ratio', 'bar', 'bound', ''], results.map(rowOf))}\n`);
    const missed = results.filter((result) => result.isMissed);
    if (missed.length === 0) return true;
    for (const { name } of missed) misses.set(name, (misses.get(name) ?? 0) + 1);
    const slow = [...misses].filter(([, times]) => times >= RUNS_TO_FAIL).map(([name]) => name);
    if (slow.length === 0) continue;
    console.log(`Slower than allowed in ${RUNS_TO_FAIL} runs: ${slow.join('; ')}`);
    return false;
  }
  console.log(`No verdict in ${MAX_RUNS} runs: the control was off too often. The machine is too busy to measure.`);
  return false;
}

function compare(measured, name, { other, bar }) {
  const times = measured.timesAdded(name, other);
  return { name, times, bar, addedUs: measured.addedUs(name), isMissed: times.value > bar * SLACK };
}

function rowOf({ name, times, bar, addedUs, isMissed }) {
  return [name, round(addedUs, 1), ratio(times), bar, round(bar * SLACK), isMissed ? 'too slow' : 'ok'];
}
