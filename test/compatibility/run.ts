// Installs, builds and runs the library in every combination of test/compatibility/axes.ts, fetched from the npm registry:
//
//     npm run compatibility                       all cells, and writes libs/kinde-api-key/docs/compatibility.md
//     npm run compatibility -- corners            the cells that CI checks
//     npm run compatibility -- 'Nest 12.*vitest'  cells whose title matches
//
// Fails on a red cell. Without an argument it takes about half an hour.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LIBRARY, makeFolder, packLibrary, removeFolder } from '../consumer/packed-library.js';
import { removeFetched } from '../support/npm-programs.js';
import { installApp } from './app.js';
import { NESTS } from './axes.js';
import { CELLS, CORNERS, titleOf } from './cells.js';
import { outcomeOf } from './outcome.js';
import { renderPage, renderTables, type Result } from './page.js';
import { seenVersions } from './versions.js';

const [filter] = process.argv.slice(2);
const isWanted = (title: string): boolean =>
  filter === undefined || (filter === 'corners' ? CORNERS.has(title) : new RegExp(filter).test(title));
const cells = CELLS.filter((cell) => isWanted(titleOf(cell)));

const results: Result[] = [];
const packed = await makeFolder();
const versions = seenVersions();
try {
  const tarball = await packLibrary(packed);
  for (const nest of NESTS) {
    const own = cells.filter((cell) => cell.nest === nest);
    if (own.length === 0) continue;
    const app = await installApp(nest, tarball, [...new Set(own.flatMap(({ packages = [] }) => packages))]);
    for (const cell of own) {
      const outcome = await outcomeOf(cell, app);
      console.error(`${titleOf(cell)}: ${outcome.mark} ${outcome.output ?? outcome.reason ?? ''}`);
      results.push({ ...cell, ...outcome });
    }
    await versions.ofApp(app);
    await removeFolder(app.folder);
  }
  await versions.ofFetched();
} finally {
  await removeFetched();
  await removeFolder(packed);
}

if (filter === undefined) {
  const findings = {
    results,
    versions: versions.seen(),
    node: process.versions.node,
    day: new Date().toISOString().slice(0, 10),
  };
  await writeFile(join(LIBRARY, 'docs/compatibility.md'), renderPage(findings));
} else console.log(renderTables(results));
if (results.some(({ mark }) => mark === 'red')) process.exitCode = 1;
