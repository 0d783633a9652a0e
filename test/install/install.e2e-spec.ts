import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  ANSWERS,
  compile,
  type Format,
  layOutConsumers,
  makeFolder,
  npm,
  packLibrary,
  removeFolder,
  run,
  runNode,
} from '../consumer/packed-library.js';
import { runTests, SWC_JEST_FOR_ESM, swcJest, tsJest, VITEST } from './test-runners.js';

/** Packages of each app, installed before the library. npm adds the other peers. */
const APPS = [
  {
    name: 'Nest 12',
    packages: ['@nestjs/common@12', '@nestjs/core@12', '@nestjs/platform-express@12', '@nestjs/testing@12'],
    isCommonJs: false,
    runners: [VITEST, SWC_JEST_FOR_ESM],
  },
  {
    name: 'Nest 11',
    packages: [
      '@nestjs/common@11',
      '@nestjs/core@11',
      '@nestjs/platform-express@11',
      '@nestjs/testing@11',
      '@nestjs/axios@4',
    ],
    isCommonJs: true,
    runners: [tsJest('jest@30'), swcJest('jest@30')],
  },
  {
    name: 'Nest 10 and the oldest of all peers',
    packages: [
      '@nestjs/common@10.0.0',
      '@nestjs/core@10.0.0',
      '@nestjs/platform-express@10.0.0',
      '@nestjs/testing@10.0.0',
      '@nestjs/axios@3.1.0',
      'axios@1.3.1',
      'rxjs@7.1.0',
      'reflect-metadata@0.1.13',
    ],
    isCommonJs: true,
    runners: [swcJest('jest@29')],
  },
];

/** The answer to a request without a key, after a filter of the app has written into its body. */
const FILTERED = '401 MISSING_KEY /x Bearer realm="api"';

/** Node without `require` of ESM: the library and its dependencies load as CommonJS. */
const COMMON_JS_ONLY = '--no-experimental-require-module';

let packed: string;
let tarball: string;
let folder: string;

async function expectAnswers(format: Format, ...flags: string[]): Promise<void> {
  const { code, stdout, stderr } = await runNode([...flags, 'out/main.js'], join(folder, format));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toEqual(ANSWERS);
}

jest.setTimeout(300_000);

beforeAll(async () => {
  packed = await makeFolder();
  tarball = await packLibrary(packed);
});
afterAll(() => removeFolder(packed));

describe.each(APPS)('the library installed from the registry with $name', ({ packages, isCommonJs, runners }) => {
  const runnerPackages = [...new Set(runners.flatMap((runner) => runner.packages))];

  beforeAll(async () => {
    folder = await makeFolder();
    await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true }));
    await npm(['install', '--no-audit', '--no-fund', ...packages, ...runnerPackages, '@types/node@20'], folder);
    await npm(['install', '--no-audit', '--no-fund', tarball], folder);
    await layOutConsumers(folder);
  });
  afterAll(() => removeFolder(folder));

  it('answers 200, 401 and 403 when imported', async () => {
    expect(await compile(folder, 'esm', { module: 'node16' })).toBe('');
    await expectAnswers('esm');
  });

  it('answers 200, 401 and 403 when required', async () => {
    expect(await compile(folder, 'cjs', { module: isCommonJs ? 'node16' : 'nodenext' })).toBe('');
    await expectAnswers('cjs');
    if (isCommonJs) await expectAnswers('cjs', COMMON_JS_ONLY);
  });

  // Nest 10 brings Express 4, where an error in a filter of the app ends the process.
  it('answers through a filter that writes into the body of the exception', async () => {
    const { code, stdout, stderr } = await runNode(['out/filter.js'], join(folder, 'cjs'));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual([FILTERED, FILTERED]);
  });

  it('has a command that runs', async () => {
    const { code, stdout } = await run('npx', ['--no', 'nestjs-kinde-api-key', 'emulator', '--help'], folder);
    expect(code).toBe(0);
    expect(stdout).toContain('Usage: nestjs-kinde-api-key emulator [options]');
  });

  it.each(runners)('runs the tests of an app that use the test kit with $name', async (runner) => {
    const { code, stdout, stderr } = await runTests(runner, folder, 'Express');
    expect({ code, output: stdout + stderr }).toEqual({
      code: 0,
      output: expect.stringMatching(runner.passed) as string,
    });
  });

  if (isCommonJs) {
    it('answers 200, 401 and 403 in jest without configuration', async () => {
      const test = `it('answers', async () => {
        expect(await require('./out/consumer.js').askEverything()).toEqual(${JSON.stringify(ANSWERS)});
      }, 60_000);`;
      await writeFile(join(folder, 'cjs/consumer.test.js'), test);
      const { code, stderr } = await run('npx', ['--no', 'jest'], join(folder, 'cjs'));
      expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('Tests:       1 passed') as string });
    });
  }
});
