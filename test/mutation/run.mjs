// npm run test:mutation                         the rooms that decide; fails below 90 %. Takes more than an hour on two cores
// npm run test:mutation -- kinde/ guard/visit   the files whose path has one of these texts in it
//
// Changes the sources in one small way after the other, and looks whether a spec notices. A file is tried against the specs beside it whose
// names begin with the same word, or, where there are none, against all specs of the room. Others may well notice what these do not: so the
// score is a lower bound, found within an hour instead of many.
import { Stryker } from '@stryker-mutator/core';
import { readdirSync, readFileSync } from 'node:fs';

const SOURCES = 'libs/kinde-api-key/src';
const ROOMS = [
  'rules',
  'guard',
  'responses',
  'kinde',
  'kinde/token',
  'kinde/answers',
  'kinde/limits',
  'verification',
  'rate-limit',
];
const LOWEST_SCORE = 90;
/** What counts neither way: it does not run at all. */
const INVALID = new Set(['CompileError', 'RuntimeError', 'Ignored']);

const texts = process.argv.slice(2);
const mutants = [];
for (const room of ROOMS) {
  for (const name of sourcesOf(room)) {
    const tried = await tryOut(room, name);
    mutants.push(...tried.map((mutant) => ({ ...mutant, room })));
    if (tried.length > 0) console.log(`${score(tried)}  ${room}/${name}`);
    for (const mutant of tried.filter(hasSurvived)) console.log(`${' '.repeat(18)}${describe(mutant)}`);
  }
}
console.log();
for (const room of ROOMS) console.log(`${score(mutants.filter((mutant) => mutant.room === room))}  ${room}`);
console.log(`${score(mutants)}  altogether`);
process.exit(percentage(mutants) >= LOWEST_SCORE ? 0 : 1);

function sourcesOf(room) {
  const sources = readdirSync(`${SOURCES}/${room}`).filter((name) => /(?<!\.spec)\.ts$/.test(name));
  return sources.filter((name) => texts.length === 0 || texts.some((text) => `${room}/${name}`.includes(text)));
}

/** @returns the mutants of a file */
async function tryOut(room, name) {
  const folder = `${SOURCES}/${room}`;
  const [word] = /^\w+/.exec(name);
  const hasOwn = readdirSync(folder).some((spec) => new RegExp(`^${word}\\b.*\\.spec\\.ts$`).test(spec));
  const stryker = new Stryker({
    mutate: [`${folder}/${name}`],
    testRunner: 'jest',
    jest: {
      configFile: 'jest.config.mjs',
      // A mutant that hangs is found after seconds.
      config: { testRegex: [`/${folder}/${hasOwn ? `${word}\\b` : ''}[^/]*\\.spec\\.ts$`], testTimeout: 3_000 },
      enableFindRelatedTests: false,
    },
    coverageAnalysis: 'perTest',
    timeoutMS: 10_000,
    // jest keeps something of every run
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
