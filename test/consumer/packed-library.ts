import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Root of this repository. */
export const REPOSITORY = join(import.meta.dirname, '../..');

/** Folder of the library. */
export const LIBRARY = join(REPOSITORY, 'libs/kinde-api-key');

/** Expected output of the consumer. */
export const ANSWERS = {
  'a good key': '200',
  'an unknown key': '401 INVALID_KEY',
  'no scope': '403 INSUFFICIENT_SCOPE',
  'a mixin, no scope': '403 INSUFFICIENT_SCOPE',
  'another organization': '403 ORG_MISMATCH',
};

/** Exit code and output of a process. */
export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, without this process's Node flags. */
export function run(
  program: string,
  args: readonly string[],
  cwd: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<Run> {
  const { NODE_OPTIONS: _flags, NODE_ENV: _jest, ...inherited } = process.env;
  const env = { ...inherited, ...variables };
  const shell = process.platform === 'win32' && program !== process.execPath;
  return new Promise((resolve) => {
    execFile(program, args, { cwd, env, shell, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}

/** Runs the Node of the tests to its end. */
export function runNode(args: readonly string[], cwd: string): Promise<Run> {
  return run(process.execPath, args, cwd);
}

/** Runs npm. @throws {Error} with npm's output, if it fails */
export async function npm(args: readonly string[], cwd: string): Promise<void> {
  const { code, stdout, stderr } = await run('npm', args, cwd);
  if (code !== 0) throw new Error(`npm ${args.join(' ')} ended with ${code}\n${stdout}${stderr}`);
}

/** Creates a folder outside the workspace. The caller removes it. */
export function makeFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'nestjs-kinde-api-key-'));
}

/** Removes a folder with its contents. */
export function removeFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true });
}

/**
 * Packs the library like `npm publish`. Builds it first if the last build is older than the sources.
 *
 * @returns the path of the tarball, in `folder`
 */
export async function packLibrary(folder: string): Promise<string> {
  await npm(['pack', '--pack-destination', folder], LIBRARY);
  const [tarball] = (await readdir(folder)).filter((file) => file.endsWith('.tgz'));
  return join(folder, tarball!);
}

/** Module formats of a user's app. */
export const FORMATS = { esm: 'module', cjs: 'commonjs' } as const;
export type Format = keyof typeof FORMATS;

/** Copies the consumer's sources into `esm` and `cjs` of a folder, which share its `node_modules`. */
export async function layOutConsumers(folder: string): Promise<void> {
  for (const [format, type] of Object.entries(FORMATS)) {
    await mkdir(join(folder, format));
    await writeFile(join(folder, format, 'package.json'), JSON.stringify({ type }));
    await cp(join(import.meta.dirname, 'app'), join(folder, format), { recursive: true });
  }
}

/**
 * Compiles a consumer into `out`, with the options of a Nest app.
 *
 * @param options further compiler options; `skipLibCheck: false` also checks the declarations of all packages, which takes
 *   three times as long
 * @param files what to compile, besides what these import
 * @param tsc path of the compiler; by default that of this repository
 * @returns the errors of the compiler, or an empty text
 */
export async function compile(
  folder: string,
  format: Format | 'nest-add',
  options: Record<string, unknown>,
  files: readonly string[] = ['main.ts', 'filter.ts'],
  tsc: string = createRequire(import.meta.url).resolve('typescript/bin/tsc'),
): Promise<string> {
  const cwd = join(folder, format);
  const compilerOptions = {
    strict: true,
    target: 'es2022',
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    noEmitOnError: true,
    skipLibCheck: true,
    types: ['node'],
    outDir: 'out',
    ...options,
  };
  await writeFile(join(cwd, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  const { stdout, stderr } = await runNode([tsc, '-p', '.'], cwd);
  return stdout + stderr;
}
