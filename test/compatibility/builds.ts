import { transformFile } from '@swc/core';
import { writeFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { compile, type Format, run, runNode } from '../consumer/packed-library.js';
import { fetchPackages } from '../support/npm-programs.js';
import { swcOptions } from '../support/swc-options.js';
import { type App, COMPILER_OPTIONS } from './app.js';

/** Turns the sources in a folder into `<name of the build>/start.js`. Returns its errors, or an empty text. */
type Build = (app: App, format: Format) => Promise<string>;

/** TypeScript as in a new app of Nest 11. */
const TYPESCRIPT = 'typescript@5.9';

export const BUILDS = { tsc, swc, webpack, esbuild } satisfies Record<string, Build>;
export type BuildName = keyof typeof BUILDS;

const built = new Map<string, Promise<string>>();

/** Builds an app once. Returns the errors of the build, or an empty text. */
export function build(app: App, format: Format, name: BuildName): Promise<string> {
  const key = `${app.folder} ${format} ${name}`;
  const known = built.get(key);
  if (known) return known;
  const errors = BUILDS[name](app, format);
  built.set(key, errors);
  return errors;
}

async function tsc({ folder }: App, format: Format): Promise<string> {
  const path = join(await fetchPackages(TYPESCRIPT), 'node_modules/typescript/bin/tsc');
  const options = { ...COMPILER_OPTIONS, module: 'nodenext', outDir: 'tsc' };
  return compile(folder, format, options, ['start.ts', 'filter.ts', 'express4.d.ts'], path);
}

async function swc({ folder }: App, format: Format): Promise<string> {
  const cwd = join(folder, format);
  await mkdir(join(cwd, 'swc'));
  for (const file of await readdir(cwd)) {
    if (!/^\w+\.ts$/.test(file)) continue;
    const { code } = await transformFile(join(cwd, file), swcOptions(format === 'esm' ? 'es6' : 'commonjs'));
    await writeFile(join(cwd, 'swc', file.replace(/ts$/, 'js')), code);
  }
  return '';
}

/** As `nest build --webpack` does: only the app's own files are bundled, and types are not checked. */
async function webpack({ folder }: App, format: Format): Promise<string> {
  const tools = join(await fetchPackages('webpack', 'webpack-cli', 'ts-loader', TYPESCRIPT), 'node_modules');
  const options = { transpileOnly: true, configFile: join(folder, format, 'tsconfig.app.json') };
  const isModule = format === 'esm';
  const config = {
    target: 'node',
    mode: 'none',
    context: join(folder, format),
    entry: './start.ts',
    output: { path: join(folder, format, 'webpack'), filename: 'start.js', module: isModule },
    experiments: { outputModule: isModule },
    externalsType: isModule ? 'module' : 'commonjs',
    resolve: { extensionAlias: { '.js': ['.ts'] } },
    module: { rules: [{ test: '\\.ts$', loader: join(tools, 'ts-loader'), options }] },
  };
  const text = `const config = ${JSON.stringify(config)};
    config.module.rules[0].test = /\\.ts$/;
    config.externals = ({ request }, done) => (/^[./]/.test(request) ? done() : done(null, request));
    module.exports = config;`;
  const file = join(folder, format, 'webpack.config.cjs');
  await writeFile(file, text);
  const { code, stdout, stderr } = await runNode([join(tools, 'webpack-cli/bin/cli.js'), '-c', file], folder);
  return code === 0 ? '' : stdout + stderr;
}

/** Packages that Nest loads only where they are installed. */
const OPTIONAL = [
  '@fastify/multipart',
  '@fastify/static',
  '@fastify/view',
  '@nestjs/microservices',
  '@nestjs/websockets',
  'class-transformer',
  'class-validator',
];

/** Packages that are CommonJS call `require`, which an ES module does not have. */
const REQUIRE = "import * as nodeModule from 'node:module'; const require = nodeModule.createRequire(import.meta.url);";

/** As for a serverless function: one file with everything in it, the packages included. */
async function esbuild({ folder }: App, format: Format): Promise<string> {
  const program = join(await fetchPackages('esbuild'), 'node_modules/.bin/esbuild');
  const args = [
    'start.ts',
    '--bundle',
    '--platform=node',
    '--target=node20',
    '--tsconfig=tsconfig.app.json',
    '--outfile=esbuild/start.js',
    '--log-level=error',
    '--keep-names',
    `--format=${format}`,
    ...(format === 'esm' ? [`--banner:js=${REQUIRE}`] : []),
    ...OPTIONAL.flatMap((name) => [`--external:${name}`, `--external:${name}/*`]),
  ];
  const { code, stderr } = await run(program, args, join(folder, format));
  return code === 0 ? '' : stderr;
}
