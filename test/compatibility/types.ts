import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compile, type Format } from '../consumer/packed-library.js';
import { fetchPackages } from '../support/npm-programs.js';
import { type App, COMPILER_OPTIONS } from './app.js';

/** A way in which TypeScript finds packages, and the format of the app that uses it. */
export interface Resolution {
  readonly title: string;
  readonly format: Format;
  readonly options: Readonly<Record<string, string>>;
}

export const RESOLUTIONS: readonly Resolution[] = [
  { title: 'node10', format: 'cjs', options: { module: 'commonjs', moduleResolution: 'node10' } },
  { title: 'node16, CommonJS', format: 'cjs', options: { module: 'node16' } },
  { title: 'node16, ESM', format: 'esm', options: { module: 'node16' } },
  { title: 'nodenext, CommonJS', format: 'cjs', options: { module: 'nodenext' } },
  { title: 'nodenext, ESM', format: 'esm', options: { module: 'nodenext' } },
  { title: 'bundler', format: 'esm', options: { module: 'esnext', moduleResolution: 'bundler' } },
];

/** Packages that the types of the subpaths name. */
export const TYPED_PEERS = ['jose@6', '@opentelemetry/api@1'];

/**
 * Checks the types of an app that imports every entry point, and the declarations of all packages.
 *
 * @returns the errors of the compiler, or an empty text
 */
export async function checkTypes(
  { folder }: Pick<App, 'folder'>,
  typescript: string,
  { format, options }: Resolution,
): Promise<string> {
  const tsc = join(await fetchPackages(`typescript@${typescript}`), 'node_modules/typescript/bin/tsc');
  const library = join(folder, 'node_modules/nestjs-kinde-api-key/package.json');
  const { exports } = JSON.parse(await readFile(library, 'utf8')) as { exports: Record<string, unknown> };
  const names = Object.keys(exports).filter((path) => path !== './package.json');
  const lines = names.map((path) => `export * from '${path.replace('.', 'nestjs-kinde-api-key')}';\n`);
  await writeFile(join(folder, format, 'every-entry.ts'), lines.join(''));
  const deprecated =
    typescript === '6' && options['moduleResolution'] === 'node10' ? { ignoreDeprecations: '6.0' } : {};
  const all = {
    ...COMPILER_OPTIONS,
    ...options,
    ...deprecated,
    skipLibCheck: false,
    skipDefaultLibCheck: true,
    noEmit: true,
  };
  return compile(folder, format, all, ['every-entry.ts', 'consumer.ts'], tsc);
}
