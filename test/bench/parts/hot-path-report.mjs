// The tables of one adapter.
import { controlLine, ratio, round, table } from '../report.mjs';
import { CONTROL } from '../rounds.mjs';
import { FLOOR, measureHotPath, OURS, REFUSALS } from './hot-path.mjs';

const NAMES = { fastify: 'Fastify', express: 'Express' };
const MAX_ATTEMPTS = 3;

/** @returns {Promise<string>} the tables of one adapter; measured again while the control is off, three times at most */
export async function reportHotPath(adapter, plan) {
  let result = await measureHotPath(adapter, plan);
  for (let attempt = 1; attempt < MAX_ATTEMPTS && !result.measured.isValid; attempt += 1) {
    console.error(`The control is off by ${round(result.measured.controlUs())} µs; measuring again ...`);
    result = await measureHotPath(adapter, plan);
  }
  const { measured, tables } = result;
  return [
    `## ${NAMES[adapter]}`,
    controlLine(measured),
    `### A cached key\n\n${hitTable(measured, tables.hits)}`,
    `### A refused request\n\n${refusalTable(measured)}`,
    ...(tables.asking.length > 0 ? [`### A key that is not cached\n\n${askingTable(measured, tables.asking)}`] : []),
  ].join('\n\n');
}

function hitTable(measured, names) {
  const rows = names.map((name) => [
    name,
    CONTROL.includes(name) ? round(measured.addedUs(name), 1) : `**${round(measured.addedUs(name), 1)}**`,
    CONTROL.includes(name) ? '' : ratio(measured.timesAdded(name, FLOOR)),
    round(measured.throughput(name, CONTROL[0])),
  ]);
  return table(['variant', 'adds µs', '× what the floor adds', 'requests per core, no guard = 1'], rows);
}

function refusalTable(measured) {
  const rows = REFUSALS.map((refusal) => [
    refusal,
    round(measured.addedUs(`${refusal}, by hand`), 1),
    round(measured.addedUs(`${refusal}, ours`), 1),
    ratio(measured.timesAdded(`${refusal}, ours`, `${refusal}, by hand`)),
  ]);
  return table(['refusal', 'by hand adds µs', 'ours adds µs', 'ratio'], rows);
}

function askingTable(measured, names) {
  const rows = names.map((name) => [
    name,
    round(measured.us(name), 0),
    round(measured.throughput(OURS, name), 1),
    round(measured.throughput(FLOOR, name), 1),
  ]);
  const head = ['variant', 'CPU µs of a request', 'a hit of ours carries × as many requests per core', 'the floor'];
  return table(head, rows);
}
