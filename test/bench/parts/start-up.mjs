// What the library adds to the start of an app: its import, and the boot of twenty routes with a global guard and the boot check.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { round, table } from '../report.mjs';
import { median, shuffled } from '../statistics.mjs';

const CHILD = fileURLToPath(new URL('start-up-child.mjs', import.meta.url));
const CASES = ['import with', 'import axios', 'import without', 'boot with', 'boot without'];

/** @returns {string} a table in Markdown */
export function reportStartUp(quick) {
  const times = new Map(CASES.map((name) => [name, []]));
  for (let run = 0; run < (quick ? 3 : 15); run += 1) {
    for (const name of shuffled(CASES)) {
      times.get(name).push(Number(execFileSync(process.execPath, [CHILD, ...name.split(' ')], { encoding: 'utf8' })));
    }
  }
  const ms = (name) => round(median(times.get(name)), 0);
  const rows = [
    ['import', ms('import without'), ms('import with'), `${ms('import axios')} of it is @nestjs/axios with axios`],
    ['boot of 20 routes', ms('boot without'), ms('boot with'), 'global guard, boot check of every route'],
  ];
  return `## Start-up\n\nMilliseconds, Fastify, Nest loaded before.\n\n${table(['what', 'without', 'with the library', ''], rows)}`;
}
