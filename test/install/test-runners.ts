import { cp, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { run, type Run } from '../consumer/packed-library.js';
import { fetchNode } from '../support/npm-programs.js';

/** A test runner, as an app configures it. */
export interface TestRunner {
  readonly name: string;
  /** Its packages, and those that turn TypeScript into what it runs. */
  readonly packages: readonly string[];
  /** Files of the app by name. */
  readonly files: Readonly<Record<string, string>>;
  /** Arguments of `npx`. */
  readonly command: readonly string[];
  /** Version of Node that it needs, if not that of the tests. */
  readonly node?: string;
  readonly variables?: Readonly<Record<string, string>>;
  /** What it prints when each of the four tests has passed. */
  readonly passed: RegExp;
}

/** As in jest.config.mjs: ends what hangs, also on a busy machine. */
const TIMEOUT = { testTimeout: 60_000 };

const SWC = { parser: { syntax: 'typescript', decorators: true }, transform: { legacyDecorator: true } };

/** What the runners read how to compile decorators from. */
const TSCONFIG = JSON.stringify({
  compilerOptions: {
    module: 'nodenext',
    target: 'ES2022',
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    esModuleInterop: true,
    skipLibCheck: true,
    strict: true,
  },
});

function jestWith(name: string, jest: string, packages: readonly string[], config: object): TestRunner {
  const files = {
    'jest.config.json': JSON.stringify({
      testEnvironment: 'node',
      testRegex: 'app\\.spec\\.ts$',
      ...TIMEOUT,
      ...config,
    }),
    'tsconfig.json': TSCONFIG,
  };
  return { name, packages: [jest, ...packages], files, command: ['jest'], passed: /Tests: +4 passed, 4 total/ };
}

/**
 * As in a new app of Nest 11.
 *
 * @param jest the package; before version 30 it takes the same configuration
 */
export function tsJest(jest: string): TestRunner {
  return jestWith('ts-jest', jest, ['ts-jest@29', 'typescript@5.9', '@types/jest@30'], {
    transform: { '\\.ts$': 'ts-jest' },
  });
}

/** Nest 12 is ESM: jest can require it on Node 24.9 and later, with this flag. */
export const TS_JEST_FOR_ESM: TestRunner = {
  ...tsJest('jest@30'),
  node: '24',
  variables: { NODE_OPTIONS: '--experimental-vm-modules' },
};

/** @param jest the package, as above */
export function swcJest(jest: string): TestRunner {
  return jestWith('@swc/jest', jest, ['@swc/jest@0.2', '@swc/core@1.16.18'], {
    transform: { '\\.ts$': ['@swc/jest', { jsc: SWC }] },
  });
}

/** Nest 12 is ESM: jest in CommonJS needs it converted. */
export const SWC_JEST_FOR_ESM = jestWith('@swc/jest for ESM packages', 'jest@30', swcJest('').packages.slice(1), {
  transform: { '\\.(ts|js)$': ['@swc/jest', { jsc: SWC, module: { type: 'commonjs' } }] },
  transformIgnorePatterns: [],
});

/** As in a new app of Nest 12. */
export const VITEST: TestRunner = {
  name: 'vitest',
  packages: ['vitest@4'],
  files: {
    'vitest.config.mjs': `export default { test: ${JSON.stringify({ globals: true, ...TIMEOUT })} };`,
    'tsconfig.json': TSCONFIG,
  },
  command: ['vitest', 'run', '--no-color'],
  passed: /Tests +4 passed \(4\)/,
};

/** Runs the tests of the app in `app` on Express or Fastify, in a folder of their own inside `folder`. */
export async function runTests(runner: TestRunner, folder: string, platform: string): Promise<Run> {
  const { name, files, command, node, variables } = runner;
  const cwd = join(folder, `${name} ${platform}`.replaceAll(/\W/g, '-'));
  await mkdir(cwd);
  await cp(join(import.meta.dirname, 'app'), cwd, { recursive: true });
  for (const [file, text] of Object.entries(files)) await writeFile(join(cwd, file), text);
  const path = node ? [dirname(await fetchNode(node)), process.env['PATH']].join(delimiter) : process.env['PATH'];
  return run('npx', ['--no', ...command], cwd, { ...variables, PLATFORM: platform, PATH: path ?? '' });
}
