// npm run test:mutation                              all folders below; fails under 90 %. Takes more than an hour on two cores
// npm run test:mutation -- kinde/limits/ guard/api   the files whose path contains one of these texts
//
// Changes the sources in one small way at a time, and checks that a spec fails. A file is tested by the specs beside it
// whose names begin with the same word, or else by all specs of its folder. Other specs may notice more, so the score is
// a lower bound.
import { Stryker } from '@stryker-mutator/core';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';

const SOURCES = 'libs/kinde-api-key/src';
/** With their subfolders. */
const FOLDERS = ['rules', 'handlers', 'audit', 'guard', 'responses', 'verification', 'rate-limit', 'kinde'];
/** Folders whose specs test another one: what the boot check says shows what `handlers` finds. */
const TESTED_BY = { handlers: 'audit' };
const LOWEST_SCORE = 90;
/** Results that do not count: the changed source did not run. */
const INVALID = new Set(['CompileError', 'RuntimeError', 'Ignored']);

const texts = process.argv.slice(2);
const mutants = [];
for (const folder of FOLDERS) {
  for (const file of sourcesIn(folder)) {
    const tested = await mutantsOf(file);
    mutants.push(...tested.map((mutant) => ({ ...mutant, folder })));
    if (tested.length > 0) console.log(`${score(tested)}  ${file}`);
    for (const mutant of tested.filter(hasSurvived)) console.log(`${' '.repeat(18)}${describe(mutant)}`);
  }
}
console.log();
for (const folder of FOLDERS) console.log(`${score(mutants.filter((mutant) => mutant.folder === folder))}  ${folder}`);
console.log(`${score(mutants)}  total`);
process.exit(percentage(mutants) >= LOWEST_SCORE ? 0 : 1);

/** Returns the sources of a folder and its subfolders that were asked for, e.g. `kinde/limits/pace.ts`. */
function sourcesIn(folder) {
  const files = readdirSync(`${SOURCES}/${folder}`, { recursive: true, encoding: 'utf8' }).map(
    (name) => `${folder}/${name}`,
  );
  const sources = files.filter((file) => /(?<!\.spec)\.ts$/.test(file)).sort();
  return sources.filter((file) => texts.length === 0 || texts.some((text) => file.includes(text)));
}

async function mutantsOf(file) {
  const folder = `${SOURCES}/${TESTED_BY[dirname(file)] ?? dirname(file)}`;
  const [word] = /^\w+/.exec(basename(file));
  const hasOwn = readdirSync(folder).some((name) => new RegExp(`^${word}\\b.*\\.spec\\.ts$`).test(name));
  const stryker = new Stryker({
    mutate: [`${SOURCES}/${file}`],
    testRunner: 'jest',
    jest: {
      configFile: 'test/mutation/jest.config.mjs',
      // Ends a mutant that hangs.
      config: { testRegex: [`/${folder}/${hasOwn ? `${word}\\b` : ''}[^/]*\\.spec\\.ts$`], testTimeout: 3_000 },
      enableFindRelatedTests: false,
    },
    coverageAnalysis: 'perTest',
    timeoutMS: 10_000,
    // Jest keeps some memory of every run.
    maxTestRunnerReuse: 30,
    ignorePatterns: ['dist', 'coverage', 'apps', 'test/bench', 'test/browser', 'test/install', 'test/node-versions'],
    tempDirName: 'coverage/mutation',
    concurrency: 2,
    reporters: [],
    fileLogLevel: 'off',
    logLevel: 'error',
    warnings: false,
  });
  return (await stryker.runMutationTest()).filter(({ status }) => !INVALID.has(status));
}

function hasSurvived({ status }) {
  return status === 'Survived' || status === 'NoCoverage';
}

function describe({ fileName, location: { start, end }, mutatorName, replacement }) {
  const lines = readFileSync(fileName, 'utf8').split('\n');
  const first = lines[start.line - 1].slice(start.column - 1, start.line === end.line ? end.column - 1 : undefined);
  return `${start.line}:${start.column} ${mutatorName}: ${first} => ${replacement.replace(/\s+/g, ' ')}`;
}

function score(some) {
  const killed = some.filter((mutant) => !hasSurvived(mutant)).length;
  return `${percentage(some).toFixed(1).padStart(5)} %  ${`${killed}/${some.length}`.padStart(9)}`;
}

function percentage(some) {
  return some.length === 0 ? 100 : (some.filter((mutant) => !hasSurvived(mutant)).length / some.length) * 100;
}
