import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ANSWERS, type Format, layOutConsumers, makeFolder, npm, run } from '../consumer/packed-library.js';
import type { Nest } from './axes.js';

/** An app with the library, in a folder of its own. The caller removes it. */
export interface App {
  readonly nest: Nest;
  readonly folder: string;
  /** Of the packed library. */
  readonly tarball: string;
}

/** Options with which every tool compiles the app. */
export const COMPILER_OPTIONS = {
  target: 'es2022',
  strict: true,
  esModuleInterop: true,
  skipLibCheck: true,
  types: ['node'],
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
};

/** What a bundler reads: import and export, or require. */
const MODULES: Record<Format, object> = {
  esm: { module: 'esnext', moduleResolution: 'bundler' },
  cjs: { module: 'commonjs', moduleResolution: 'node10' },
};

/** Installs an app, and the library after it, as a user does. */
export async function installApp(nest: Nest, tarball: string, packages: readonly string[] = []): Promise<App> {
  const folder = await makeFolder();
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true }));
  await npm(['install', '--no-audit', '--no-fund', ...nest.packages, ...packages], folder);
  await npm(['install', '--no-audit', '--no-fund', tarball], folder);
  await layOutApp(folder);
  return { nest, folder, tarball };
}

/** Copies the sources of the app into `esm` and `cjs` of a folder, with the options for bundlers. */
export async function layOutApp(folder: string): Promise<void> {
  await layOutConsumers(folder);
  for (const [format, modules] of Object.entries(MODULES)) {
    const options = { compilerOptions: { ...COMPILER_OPTIONS, ...modules }, include: ['*.ts'] };
    await writeFile(join(folder, format, 'tsconfig.app.json'), JSON.stringify(options));
  }
}

/**
 * Runs a compiled app on one of the platforms.
 *
 * @param command runs a file: the path of Node, or another program with its arguments
 * @returns what differs from the expected answers, or an empty text
 */
export async function ask(
  { folder }: Pick<App, 'folder'>,
  format: Format,
  file: string,
  platform: string,
  [program, ...args]: readonly [string, ...string[]] = [process.execPath],
): Promise<string> {
  const { code, stdout, stderr } = await run(program, [...args, join(format, file), platform], folder);
  if (code !== 0 || stderr) return `${stderr}${stdout}` || `ended with ${code}`;
  // Nest 10 warns where it needs over 10 ms for the name of a module: on a busy machine.
  const answers = stdout.replaceAll(/^.*\[ModuleTokenFactory\].*\n/gm, '').trim();
  return answers === JSON.stringify(ANSWERS) ? '' : `answers ${answers}`;
}

/** Returns the installed version of a package, or nothing if it is not installed. */
export async function versionOf(folder: string, name: string): Promise<string | undefined> {
  const manifest = await readFile(join(folder, 'node_modules', name, 'package.json'), 'utf8').catch(() => '{}');
  return (JSON.parse(manifest) as { version?: string }).version;
}
