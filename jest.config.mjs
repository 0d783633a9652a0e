// Jest in plain CommonJS mode. Nest 12 and many other packages are ESM-only, and Jest can `require()` ESM natively only
// on Node >= 24.9, so swc turns TypeScript *and* ESM packages into CommonJS. The advantages over
// `--experimental-vm-modules`: no flag, jest.mock() is hoisted, and CommonJS packages that require() Nest
// (@nestjs/throttler, nest-commander, light-my-request, ...) load on Node 20 and 22 too.
import { existsSync, readFileSync } from 'node:fs';

// Every installed package with "type": "module" (nested copies included), found once per run (~20 ms).
const lock = JSON.parse(readFileSync(new URL('./node_modules/.package-lock.json', import.meta.url), 'utf8'));
const esmPackages = Object.keys(lock.packages)
  .filter((dir) => dir.startsWith('node_modules/') && existsSync(new URL(`./${dir}/package.json`, import.meta.url)))
  .filter(
    (dir) => JSON.parse(readFileSync(new URL(`./${dir}/package.json`, import.meta.url), 'utf8')).type === 'module',
  )
  .map((dir) => dir.replace(/^.*node_modules\//, ''))
  // CommonJS that imports an ESM package
  .concat('mercurius')
  .map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));

/** The library (a workspace), all its subpaths included, resolves to its TypeScript sources. */
const { paths } = JSON.parse(readFileSync(new URL('./tsconfig.json', import.meta.url), 'utf8')).compilerOptions;
const sources = Object.fromEntries(Object.entries(paths).map(([name, [file]]) => [`^${name}$`, `<rootDir>/${file}`]));

/**
 * Returns a Jest project, with the settings that all projects share.
 *
 * @param {string} displayName name for `--selectProjects`
 * @param {string} testRegex which files are its tests
 * @returns {import('jest').Config}
 */
export function project(displayName, testRegex) {
  return {
    displayName,
    testRegex,
    rootDir: import.meta.dirname,
    testEnvironment: 'node',
    setupFiles: ['<rootDir>/test/setup/collect-garbage.cjs'],
    // builds, and the copies that mutation testing works on
    modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/libs/[^/]+/dist/', '<rootDir>/coverage/'],
    moduleNameMapper: {
      ...sources,
      // "./x.js" in TypeScript sources means ./x.ts
      '^(\\.{1,2}/.*)\\.js$': '$1',
    },
    transform: {
      '\\.(ts|m?js)$': [
        '@swc/jest',
        {
          swcrc: false,
          jsc: {
            target: 'es2022',
            parser: { syntax: 'typescript', decorators: true },
            transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: true },
            keepClassNames: true,
          },
          module: { type: 'commonjs' },
          sourceMaps: 'inline',
        },
      ],
    },
    transformIgnorePatterns: [`^(?!.*/node_modules/(?:${[...new Set(esmPackages)].join('|')})/).*/node_modules/`],
  };
}

/** @type {import('jest').Config} */
export default {
  // Tests that need more than npm are in test/opt-in.config.mjs.
  projects: [
    project('unit', '/(libs|apps)/.*\\.spec\\.ts$'),
    project('e2e', '/test/(?!(browser|install|redis|stress)/).*\\.e2e-spec\\.ts$'),
    {
      ...project('redis', '/test/redis/.*\\.e2e-spec\\.ts$'),
      globalSetup: '<rootDir>/test/setup/redis-check.mjs',
    },
  ],
  // Jest would leave one core to itself; most specs wait for sockets and child processes
  maxWorkers: '100%',
  // time limits are there to end what hangs, not to measure: a busy machine is no failure
  testTimeout: 30_000,
  // a worker that has grown is replaced between two files: at over 1 GB its exit alone takes longer than Jest waits
  workerIdleMemoryLimit: '512MB',
  // likewise: a worker that leaks a handle is still reported
  workerGracefulExitTimeout: 5_000,
  reporters: ['default', '<rootDir>/test/setup/summary-reporter.cjs'],
  collectCoverageFrom: ['libs/*/src/**/*.ts', 'apps/*/src/**/*.ts', '!**/*.spec.ts', '!**/main.ts', '!**/index.ts'],
  coverageProvider: 'v8',
};
