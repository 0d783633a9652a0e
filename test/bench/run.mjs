// npm run bench                     everything, five to eight minutes
// npm run bench -- --quick          fewer rounds and keys, a minute or two: for a first look
// npm run bench -- --only=memory    one part: fastify, express, callers, memory, invalidation, start-up, http
//
// Prints Markdown on stdout and progress on stderr.
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { prepareLibrary, preparePeers } from './prepare.mjs';

const { values } = parseArgs({ options: { quick: { type: 'boolean' }, only: { type: 'string' } } });
prepareLibrary();
preparePeers();

const plan = values.quick
  ? { keys: 1_000, rounds: 40, warmUp: 15, block: 100, peers: true }
  : { keys: 10_000, rounds: 200, warmUp: 40, block: 100, peers: true };

const PARTS = {
  fastify: async () => (await import('./parts/hot-path-report.mjs')).reportHotPath('fastify', plan),
  express: async () => (await import('./parts/hot-path-report.mjs')).reportHotPath('express', plan),
  callers: async () => (await import('./parts/callers.mjs')).reportCallers(values.quick),
  memory: async () => (await import('./parts/memory.mjs')).reportMemory(values.quick),
  invalidation: async () => (await import('./parts/invalidation.mjs')).reportInvalidation(values.quick),
  'start-up': async () => (await import('./parts/start-up.mjs')).reportStartUp(values.quick),
  http: async () => (await import('./parts/http.mjs')).reportHttp(values.quick),
};

const only = values.only?.split(',') ?? Object.keys(PARTS);
const unknown = only.filter((part) => !(part in PARTS));
if (unknown.length > 0)
  throw new Error(`No such part: ${unknown.join(', ')}. There are ${Object.keys(PARTS).join(', ')}`);

console.log(
  `Node ${process.versions.node}, ${cpus().length} cores (${cpus()[0]?.model.trim()}), ${process.platform}\n`,
);
for (const part of only) {
  console.error(`Measuring ${part} ...`);
  console.log(`${await PARTS[part]()}\n`);
}
// Some of the peers keep timers.
process.exit();
