import { stripVTControlCharacters } from 'node:util';
import { type App, versionOf } from './app.js';
import { type Cell, titleOf } from './cells.js';

/** `others`: fails because of another package. `no`: what is combined does not offer it. `red`: fails because of us, or unexplained. */
export interface Outcome {
  readonly mark: 'ok' | 'no' | 'others' | 'red';
  readonly reason?: string;
  /** All that a red cell has printed. */
  readonly output?: string;
}

/** Failures that are explained. A cell that fails with another error is red. */
const KNOWN: readonly { cells: RegExp; error: RegExp; outcome: Outcome }[] = [
  {
    cells: /Nest 1[12], Express 4/,
    error: /'app\.router' is deprecated!/,
    outcome: {
      mark: 'no',
      reason: 'The `ExpressAdapter` of Nest 11 and 12 reads `app.router`, which throws in Express 4.',
    },
  },
  {
    cells: /Nest 12, .*CommonJS$/,
    error: /^consumer\.ts\(.*TS1479/,
    outcome: {
      mark: 'no',
      reason:
        'TypeScript before 5.8, and `node16` in every version, does not let CommonJS require an ES module, which every package of Nest 12 is. Use `nodenext` with TypeScript 5.8 or later.',
    },
  },
  {
    cells: /Nest 10\.0, oldest peers, TypeScript .*(node16|nodenext|bundler)/,
    error: /TS7016: Could not find a declaration file for module 'rxjs'/,
    outcome: { mark: 'others', reason: 'The `exports` of rxjs 7.1.0 do not name its types. Those of rxjs 7.8 do.' },
  },
];

/** Checks a cell, and explains its failure. */
export async function outcomeOf(cell: Cell, app: App): Promise<Outcome> {
  const error = await cell.check(app).catch((cause: unknown) => String(cause));
  if (error === '') return { mark: 'ok' };
  const title = titleOf(cell);
  const known = KNOWN.find((one) => one.cells.test(title) && one.error.test(error));
  return (
    known?.outcome ??
    (await compilerOutcome(error, app)) ?? { mark: 'red', reason: readable(firstLine(error)), output: error }
  );
}

/** Explains errors of TypeScript that lie in its options or in the declarations of other packages. */
async function compilerOutcome(error: string, { folder }: App): Promise<Outcome | undefined> {
  const errors = [...error.matchAll(/^(?:(\S+)\(\d+,\d+\): )?error (TS\d+: .*)$/gm)];
  const messages = errors.map(([, file = 'tsconfig.json', message = '']) => ({ file, message }));
  if (messages.length === 0) return undefined;
  const ofOptions = messages.find(({ file }) => file === 'tsconfig.json');
  if (ofOptions) return { mark: 'no', reason: readable(`TypeScript says: ${ofOptions.message}`) };
  const names = new Set<string>();
  for (const { file } of messages) {
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(file)?.[1];
    if (!name || name === 'nestjs-kinde-api-key') return undefined;
    names.add(name);
  }
  const versions = await Promise.all(
    [...names].map(async (name) => `${name} ${(await versionOf(folder, name)) ?? ''}`),
  );
  return {
    mark: 'others',
    reason: readable(`Errors in the declarations of ${versions.join(', ')}. The first: ${messages[0]?.message}`),
  };
}

/** Returns the line that says what is wrong. */
function firstLine(error: string): string {
  const lines = error.split('\n').map((line) => line.trim());
  return lines.find((line) => /error|cannot|fail/i.test(line)) ?? lines.find(Boolean) ?? '';
}

/** Returns an error as Markdown, without colours and the names of temporary folders. */
function readable(error: string): string {
  const folders = /(\/[\w.+-]+)*\/nestjs-kinde-api-key-\w{6}\//g;
  return stripVTControlCharacters(error).replaceAll(folders, '').replaceAll('<', '&lt;');
}
