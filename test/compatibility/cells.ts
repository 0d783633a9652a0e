import { FORMATS, type Format } from '../consumer/packed-library.js';
import { runTests } from '../install/test-runners.js';
import { fetchBun, fetchNode, NODES } from '../support/npm-programs.js';
import { type App, ask } from './app.js';
import { NESTS, type Nest } from './axes.js';
import { build, type BuildName, BUILDS } from './builds.js';
import { checkManager, type ManagerName, MANAGERS } from './managers.js';
import { checkTypes, RESOLUTIONS, TYPED_PEERS } from './types.js';

/** One combination, and where its result is on the page. */
export interface Cell {
  readonly nest: Nest;
  readonly table: string;
  readonly row: string;
  readonly column: string;
  /** What the app has besides the packages of its Nest. */
  readonly packages?: readonly string[];
  /** Returns the error, or an empty text. */
  check(app: App): Promise<string>;
}

const FORMAT_TITLES: Readonly<Record<Format, string>> = { esm: 'ESM', cjs: 'CommonJS' };
const formats = Object.keys(FORMATS) as Format[];

/** Where the app runs: how to get the program. */
const RUNTIMES: Readonly<Record<string, () => Promise<string>>> = {
  ...Object.fromEntries(NODES.map((version) => [`Node ${version}`, () => fetchNode(version)])),
  Bun: fetchBun,
};

export const CELLS: readonly Cell[] = NESTS.flatMap((nest) => [
  ...builds(nest),
  ...testRunners(nest),
  ...typeScripts(nest),
  ...(nest.isOnEveryAxis ? [...managers(nest), ...runtimes(nest)] : []),
]);

/** Cells that `npm run test:install` checks, so that CI does. */
export const CORNERS: ReadonlySet<string> = new Set([
  'Platforms and compilers: Nest 12, Express 5 / tsc, ESM',
  'Platforms and compilers: Nest 12, Express 5 / tsc, CommonJS',
  'Platforms and compilers: Nest 12, Fastify 5 / esbuild, ESM',
  'Platforms and compilers: Nest 11, Express 5 / tsc, ESM',
  'Platforms and compilers: Nest 11, Express 5 / tsc, CommonJS',
  'Platforms and compilers: Nest 11, Fastify 5 / webpack, CommonJS',
  'Platforms and compilers: Nest 10.0, oldest peers, Express 4 / tsc, ESM',
  'Platforms and compilers: Nest 10.0, oldest peers, Express 4 / tsc, CommonJS',
  'Platforms and compilers: Nest 10.0, oldest peers, Fastify 4 / tsc, CommonJS',
  'Test runners: Nest 12, Express / @swc/jest',
  'Test runners: Nest 12, Express / vitest',
  'Test runners: Nest 11, Express / ts-jest',
  'Test runners: Nest 11, Express / @swc/jest',
  'Test runners: Nest 10.0, oldest peers, Fastify / @swc/jest',
  'Node and Bun: Bun / Nest 12',
  'TypeScript: Nest 12, TypeScript 7 / bundler',
  'TypeScript: Nest 11, TypeScript 5.4 / node10',
  'Package managers: pnpm / Nest 12',
  'Package managers: yarn PnP / Nest 11',
]);

export function titleOf({ table, row, column }: Pick<Cell, 'table' | 'row' | 'column'>): string {
  return `${table}: ${row} / ${column}`;
}

function builds(nest: Nest): Cell[] {
  const table = 'Platforms and compilers';
  return Object.entries(nest.platforms).flatMap(([platform, argument]) =>
    (Object.keys(BUILDS) as BuildName[]).flatMap((name) =>
      formats.map((format) => ({
        nest,
        table,
        row: `${nest.title}, ${platform}`,
        column: `${name}, ${FORMAT_TITLES[format]}`,
        check: async (app) =>
          (await build(app, format, name)) || (await ask(app, format, `${name}/start.js`, argument)),
      })),
    ),
  );
}

function testRunners(nest: Nest): Cell[] {
  const table = 'Test runners';
  return ['Express', 'Fastify'].flatMap((platform) =>
    Object.entries(nest.runners).map(([column, runner]) => ({
      nest,
      table,
      row: `${nest.title}, ${platform}`,
      column,
      packages: runner.packages,
      check: async ({ folder }: App) => {
        const { code, stdout, stderr } = await runTests(runner, folder, platform);
        return code === 0 && runner.passed.test(stdout + stderr) ? '' : stdout + stderr;
      },
    })),
  );
}

function runtimes(nest: Nest): Cell[] {
  const table = 'Node and Bun';
  return Object.entries(RUNTIMES).map(([row, fetch]) => ({
    nest,
    table,
    row,
    column: nest.title,
    check: async (app) => {
      for (const format of formats)
        for (const platform of ['express', 'fastify']) {
          const command: [string] = [await fetch()];
          const failure =
            (await build(app, format, 'tsc')) || (await ask(app, format, 'tsc/start.js', platform, command));
          if (failure) return `${platform}, ${FORMAT_TITLES[format]}: ${failure}`;
        }
      return '';
    },
  }));
}

function typeScripts(nest: Nest): Cell[] {
  const table = 'TypeScript';
  return nest.typescripts.flatMap((version) =>
    RESOLUTIONS.map((resolution) => ({
      nest,
      table,
      row: `${nest.title}, TypeScript ${version}`,
      column: resolution.title,
      packages: TYPED_PEERS,
      check: (app: App) => checkTypes(app, version, resolution),
    })),
  );
}

function managers(nest: Nest): Cell[] {
  const table = 'Package managers';
  return (Object.keys(MANAGERS) as ManagerName[]).map((row) => ({
    nest,
    table,
    row,
    column: nest.title,
    check: (app) => checkManager(app, row),
  }));
}
