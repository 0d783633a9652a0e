import type { Cell } from './cells.js';
import type { Outcome } from './outcome.js';

export type Result = Pick<Cell, 'table' | 'row' | 'column'> & Outcome;

/** What each table is about, in the order of the page. */
export const TABLES: Readonly<Record<string, string>> = {
  'Platforms and compilers': `The app is compiled from its TypeScript sources, and asked.

- \`tsc\` and \`swc\` write one file for each source, with the options of a new Nest app.
- \`webpack\` bundles the files of the app with \`ts-loader\`. Packages stay outside, as with \`nest build --webpack\`.
- \`esbuild\` writes one file with everything in it, the packages included, as for a serverless function. The packages that Nest loads only
  where they are installed are \`external\`. An ES module needs the banner
  \`import * as nodeModule from 'node:module'; const require = nodeModule.createRequire(import.meta.url);\`.

esbuild writes no types into decorators. The library needs none. In your own classes, write \`@Inject(Name)\` before every parameter of a
constructor.`,
  'Test runners': `The tests of an app that use \`nestjs-kinde-api-key/testing\` in each of its ways. With Nest 12, which is ESM:

- \`ts-jest\` runs on Node 24 with \`NODE_OPTIONS=--experimental-vm-modules\`. Before Node 24.9, jest cannot require ES modules.
- \`@swc/jest\` also converts the packages: \`transform: { '\\\\.(ts|js)$': … }\` and \`transformIgnorePatterns: []\`.`,
  TypeScript: `An app that imports every entry point compiles with \`strict\` and \`skipLibCheck: false\`: the compiler checks the declarations of every
package. TypeScript 6 knows \`node10\` with \`ignoreDeprecations: '6.0'\`.`,
  'Package managers': `The app is installed, compiled and asked, in both formats. It lists what it imports. pnpm and Plug'n'Play hide every other package.
yarn runs it on Node 24. With Nest 12 it must: on Node 20 and 22, a \`require\` of ES modules, which the library does, does not find the packages
of Plug'n'Play.`,
  'Node and Bun': 'The compiled app is asked, in both formats, on Express and on Fastify.',
};

export const MARKS = { ok: 'ok', no: '—', others: 'others', red: '**red**' };

/** What a run has found. */
export interface Findings {
  readonly results: readonly Result[];
  /** By name of the package. */
  readonly versions: ReadonlyMap<string, string>;
  readonly node: string;
  readonly day: string;
}

/** Writes the page. */
export function renderPage({ results, versions, node, day }: Findings): string {
  const seen = [...versions].toSorted(([a], [b]) => a.localeCompare(b)).map(([name, of]) => `| ${name} | ${of} |`);
  return `# Compatibility

\`npm run compatibility\` in the repository made this page on ${day}. It packed the library, installed it from the npm registry beside each
combination, and called the app. It ran on Node ${node} where a table does not say otherwise.

The app is asked with a good key, an unknown key, a key without the scope, a key on a route that a mixin adds, and a key of another
organization. \`ok\` means that every answer is the documented one and nothing is printed besides. A dash means that one of the combined
does not offer the other. \`others\` means that another package fails. The [notes](#notes) say why.

${renderTables(results)}

## Versions

| package | versions seen |
| --- | --- |
${seen.join('\n')}
`;
}

/** Writes the tables of the results, and their notes. */
export function renderTables(results: readonly Result[]): string {
  const reasons = [...new Set(results.flatMap(({ reason }) => reason ?? []))];
  const parts = Object.entries(TABLES).flatMap(([table, text]) => {
    const own = results.filter((result) => result.table === table);
    return own.length > 0 ? [`## ${table}\n\n${text}\n\n${renderTable(own, reasons)}`] : [];
  });
  if (reasons.length > 0)
    parts.push(`## Notes\n\n${reasons.map((reason, index) => `${index + 1}. ${reason}`).join('\n')}`);
  return parts.join('\n\n');
}

function renderTable(results: readonly Result[], reasons: readonly string[]): string {
  const rows = [...new Set(results.map(({ row }) => row))];
  const columns = [...new Set(results.map(({ column }) => column))];
  const text = (row: string, column: string): string => {
    const result = results.find((one) => one.row === row && one.column === column);
    if (!result) return '';
    return result.reason ? `${MARKS[result.mark]} (${reasons.indexOf(result.reason) + 1})` : MARKS[result.mark];
  };
  const lines = [
    ['', ...columns],
    ['', ...columns].map(() => '---'),
    ...rows.map((row) => [row, ...columns.map((column) => text(row, column))]),
  ];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
