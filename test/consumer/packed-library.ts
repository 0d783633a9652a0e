import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The top of this repository. */
export const REPOSITORY = join(__dirname, '../..');

/** The folder of the library in it. */
export const LIBRARY = join(REPOSITORY, 'libs/kinde-api-key');

/** What the consumer prints when everything is as it should be. */
export const ANSWERS = {
  'a good key': '200',
  'an unknown key': '401 INVALID_KEY',
  'no scope': '403 INSUFFICIENT_SCOPE',
  'another organization': '403 ORG_MISMATCH',
};

/** How a process ended, and what it said. */
export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, with nothing of this process's own Node flags. */
export function run(program: string, args: readonly string[], cwd: string): Promise<Run> {
  const { NODE_OPTIONS: _flags, NODE_ENV: _jest, ...env } = process.env;
  const shell = process.platform === 'win32' && program !== process.execPath;
  return new Promise((resolve) => {
    execFile(program, args, { cwd, env, shell, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}

/** Runs plain `node` to its end: the one that runs the tests. */
export function runNode(args: readonly string[], cwd: string): Promise<Run> {
  return run(process.execPath, args, cwd);
}

/** Runs npm. @throws {Error} with all that npm said, if it failed */
export async function npm(args: readonly string[], cwd: string): Promise<void> {
  const { code, stdout, stderr } = await run('npm', args, cwd);
  if (code !== 0) throw new Error(`npm ${args.join(' ')} ended with ${code}\n${stdout}${stderr}`);
}

/** A folder outside the workspace. Whoever makes it removes it. */
export function makeFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'nestjs-kinde-api-key-'));
}

/** Removes a folder and everything in it. */
export function removeFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true });
}

/**
 * Packs the library as `npm publish` would; builds it first if the last build is older than the sources.
 *
 * @returns the path of the tarball, in `folder`
 */
export async function packLibrary(folder: string): Promise<string> {
  await npm(['pack', '--pack-destination', folder], LIBRARY);
  const [tarball] = (await readdir(folder)).filter((file) => file.endsWith('.tgz'));
  return join(folder, tarball!);
}

/** The two formats that a user's app may have. */
export const FORMATS = { esm: 'module', cjs: 'commonjs' } as const;
export type Format = keyof typeof FORMATS;

/** Puts the consumer's sources into `esm` and `cjs` below a folder, whose `node_modules` serves both. */
export async function layOutConsumers(folder: string): Promise<void> {
  for (const [format, type] of Object.entries(FORMATS)) {
    await mkdir(join(folder, format));
    await writeFile(join(folder, format, 'package.json'), JSON.stringify({ type }));
    await cp(join(__dirname, 'app'), join(folder, format), { recursive: true });
  }
}

/**
 * Compiles a consumer the way a user would.
 *
 * @param options compiler options, beside those that every Nest app has; `skipLibCheck: false` also checks the declarations of all
 *   packages, which takes three times as long
 * @returns what the compiler found, or an empty text; what it made is in `out` if nothing was found
 */
export async function compile(folder: string, format: Format, options: Record<string, unknown>): Promise<string> {
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
  await writeFile(join(cwd, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.ts'] }));
  const { stdout, stderr } = await runNode([require.resolve('typescript/bin/tsc'), '-p', '.'], cwd);
  return stdout + stderr;
}
