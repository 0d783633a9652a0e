// Bytes of a cached key, each size in a process of its own.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { round, table } from '../report.mjs';

const CHILD = fileURLToPath(new URL('memory-child.mjs', import.meta.url));
const SOURCES = new URL('../../../apps/sample/run-sources.mjs', import.meta.url).href;

/** @returns {string} a table in Markdown */
export function reportMemory(quick) {
  const sizes = quick ? [10_000, 50_000] : [10_000, 50_000, 100_000, 1_000_000];
  const rows = sizes.map((size) => [
    size.toLocaleString('en'),
    `**${round(bytesOf('ours', size), 0)}**`,
    round(bytesOf('slim', size), 0),
  ]);
  const head = ['keys', 'ours: bytes for each', 'by hand: lru-cache with what a request needs'];
  return `## Memory\n\nHeap and typed arrays after full collections.\n\n${table(head, rows)}`;
}

/** @param {'ours' | 'slim'} which @param {number} size how many keys */
export function bytesOf(which, size) {
  const options = ['--expose-gc', '--max-old-space-size=4096', '--import', SOURCES, CHILD, which, String(size)];
  return Number(execFileSync(process.execPath, options, { encoding: 'utf8' }));
}
