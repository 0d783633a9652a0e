import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type App, ask, installApp } from '../compatibility/app.js';
import { NESTS } from '../compatibility/axes.js';
import { build } from '../compatibility/builds.js';
import { CELLS, CORNERS, titleOf } from '../compatibility/cells.js';
import { outcomeOf } from '../compatibility/outcome.js';
import { ANSWERS, makeFolder, packLibrary, removeFolder, run, runNode } from '../consumer/packed-library.js';
import { removeFetched } from '../support/npm-programs.js';

/** The corners of the page on compatibility, by Nest. */
const APPS = NESTS.map((nest) => ({
  ...nest,
  nest,
  cells: CELLS.filter((cell) => cell.nest === nest && CORNERS.has(titleOf(cell))),
})).filter(({ cells }) => cells.length > 0);

/** The answer to a request without a key, after a filter of the app has written into its body. */
const FILTERED = '401 MISSING_KEY /x Bearer realm="api"';

/** Node without `require` of ESM: the library and its dependencies load as CommonJS. */
const COMMON_JS_ONLY = '--no-experimental-require-module';

let packed: string;
let tarball: string;
let app: App;

jest.setTimeout(300_000);

beforeAll(async () => {
  packed = await makeFolder();
  tarball = await packLibrary(packed);
});
afterAll(async () => {
  await removeFolder(packed);
  await removeFetched();
});

it('has every corner among the cells', () => {
  expect(APPS.flatMap(({ cells }) => cells.map(titleOf)).toSorted()).toEqual([...CORNERS].toSorted());
});

describe.each(APPS)('the library installed from the registry with $title', ({ nest, cells, isCommonJs }) => {
  beforeAll(async () => {
    app = await installApp(nest, tarball, [...new Set(cells.flatMap(({ packages = [] }) => packages))]);
    await build(app, 'cjs', 'tsc');
  });
  afterAll(() => removeFolder(app.folder));

  it.each(cells.map((cell) => ({ title: titleOf(cell), cell })))('works. $title', async ({ cell }) => {
    expect(await outcomeOf(cell, app)).toEqual({ mark: 'ok' });
  });

  // Nest 10 brings Express 4, where an error in a filter of the app ends the process.
  it('answers through a filter that writes into the body of the exception', async () => {
    expect(await build(app, 'cjs', 'tsc')).toBe('');
    const { code, stdout, stderr } = await runNode(['tsc/filter.js'], join(app.folder, 'cjs'));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual([FILTERED, FILTERED]);
  });

  it('has a command that runs', async () => {
    const { code, stdout } = await run('npx', ['--no', 'nestjs-kinde-api-key', 'emulator', '--help'], app.folder);
    expect(code).toBe(0);
    expect(stdout).toContain('Usage: nestjs-kinde-api-key emulator [options]');
  });

  if (isCommonJs) {
    it('answers 200, 401 and 403 when required where Node cannot require ES modules', async () => {
      expect(await ask(app, 'cjs', 'tsc/start.js', 'express', [process.execPath, COMMON_JS_ONLY])).toBe('');
    });

    it('answers 200, 401 and 403 in jest without configuration', async () => {
      const test = `it('answers', async () => {
        expect(await require('./tsc/consumer.js').askEverything()).toEqual(${JSON.stringify(ANSWERS)});
      }, 60_000);`;
      await writeFile(join(app.folder, 'cjs/consumer.test.js'), test);
      const { code, stderr } = await run('npx', ['--no', 'jest'], join(app.folder, 'cjs'));
      expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('Tests:       1 passed') as string });
    });
  }
});
