// Mutation testing of the rooms that decide: `npm run test:mutation`, about an hour on two cores; a part of it with
// `-- --mutate 'libs/kinde-api-key/src/kinde/*.ts'`.
/** @type {import('@stryker-mutator/core').PartialStrykerOptions} */
export default {
  mutate: ['authorization', 'guard', 'verification', 'kinde'].flatMap((room) => [
    `libs/kinde-api-key/src/${room}/**/*.ts`,
    `!libs/kinde-api-key/src/${room}/**/*.spec.ts`,
  ]),
  testRunner: 'jest',
  // The specs beside the sources and no more: they are what says at once, and where, that a line is wrong.
  jest: { configFile: 'jest.config.mjs', config: { testRegex: ['/libs/kinde-api-key/src/.*\\.spec\\.ts$'] } },
  coverageAnalysis: 'perTest',
  // not needed in the copy that the mutants run in
  ignorePatterns: ['dist', 'coverage', 'test/bench', 'test/browser', 'test/install', 'test/nodes'],
  tempDirName: 'coverage/mutation/sandbox',
  incrementalFile: 'coverage/mutation/incremental.json',
  jsonReporter: { fileName: 'coverage/mutation/mutation.json' },
  htmlReporter: { fileName: 'coverage/mutation/mutation.html' },
  reporters: ['clear-text', 'progress', 'html', 'json'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, allowEmojis: false },
  concurrency: 2,
  timeoutMS: 10_000,
  thresholds: { high: 95, low: 90, break: 90 },
};
