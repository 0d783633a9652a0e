// Jest in plain CommonJS mode. Nest 12 and many other packages are ESM-only, and Jest can `require()` ESM
// natively only on Node >= 24.9, so swc turns TypeScript *and* ESM packages into CommonJS. The upside over
// `--experimental-vm-modules`: no flag, jest.mock() is hoisted, and CommonJS packages that require() Nest
// (@nestjs/throttler, nest-commander, light-my-request, ...) load on Node 20 and 22 too.
import { existsSync, readFileSync } from 'node:fs';

// Every installed package with "type": "module" (incl. nested copies), found once per run (~20 ms).
const lock = JSON.parse(readFileSync(new URL('./node_modules/.package-lock.json', import.meta.url), 'utf8'));
const esmPackages = Object.keys(lock.packages)
  .filter((dir) => dir.startsWith('node_modules/') && existsSync(new URL(`./${dir}/package.json`, import.meta.url)))
  .filter(
    (dir) => JSON.parse(readFileSync(new URL(`./${dir}/package.json`, import.meta.url), 'utf8')).type === 'module',
  )
  .map((dir) => dir.replace(/^.*node_modules\//, '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  // the library (a workspace) resolves to its TypeScript sources, all its subpaths included
  testEnvironmentOptions: { customExportConditions: ['nestjs-kinde-api-key/source', 'node', 'node-addons'] },
  testRegex: ['/test/.*\\.e2e-spec\\.ts$', '/(libs|apps)/.*\\.spec\\.ts$'],
  // these two have scripts of their own: they need a browser, or minutes of the npm registry's time
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/(browser|install)/'],
  // Jest would leave one core to itself; most specs wait for sockets and child processes
  maxWorkers: '100%',
  // time limits are there to end what hangs, not to measure: a busy machine is no failure
  testTimeout: 30_000,
  // builds, and the copies that mutation testing works on
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/libs/[^/]+/dist/', '<rootDir>/coverage/'],
  moduleNameMapper: {
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
  globalSetup: '<rootDir>/test/setup/redis-check.mjs',
  reporters: ['default', '<rootDir>/test/setup/summary-reporter.cjs'],
  collectCoverageFrom: ['libs/*/src/**/*.ts', 'apps/*/src/**/*.ts', '!**/*.spec.ts', '!**/main.ts', '!**/index.ts'],
  coverageProvider: 'v8',
};
