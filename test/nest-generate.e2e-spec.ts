import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { makeFolder, removeFolder, REPOSITORY, runNode } from './consumer/packed-library.js';

/** What decides where the Nest CLI writes files, and how they are compiled. */
const SETTINGS = ['nest-cli.json', 'tsconfig.json', 'apps/sample/tsconfig.app.json'];

const APP_MODULE = "import { Module } from '@nestjs/common';\n\n@Module({ imports: [] })\nexport class AppModule {}\n";

/** Starts the app of the folder, and prints the answer of the generated controller. */
const PROGRAM = `
  import 'reflect-metadata';
  import { NestFactory } from '@nestjs/core';
  import { AppModule } from './apps/sample/src/app.module.js';
  const app = await NestFactory.create(AppModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  console.log(await (await fetch((await app.getUrl()) + '/things')).text());
  await app.close();
`;

let folder: string;

jest.setTimeout(120_000);

beforeAll(async () => {
  folder = await makeFolder();
  await mkdir(join(folder, 'apps/sample/src'), { recursive: true });
  for (const file of SETTINGS) await cp(join(REPOSITORY, file), join(folder, file));
  await symlink(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'), 'junction');
  // The CLI would install this package if it was missing.
  const dependencies = { '@nestjs/mapped-types': '*' };
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module', dependencies }));
  await writeFile(join(folder, 'apps/sample/src/app.module.ts'), APP_MODULE);
});
afterAll(() => removeFolder(folder));

it('nest g resource writes files that compile and run in this repository', async () => {
  const nest = createRequire(join(REPOSITORY, 'package.json')).resolve('@nestjs/cli/bin/nest.js');
  const resource = ['g', 'resource', 'things', '--project', 'sample', '--type', 'rest', '--crud', 'true'];
  const generated = await runNode([nest, ...resource], folder);
  expect(generated).toMatchObject({ code: 0, stdout: expect.stringContaining('things.controller.spec.ts') as string });
  expect(await readFile(join(folder, 'apps/sample/src/app.module.ts'), 'utf8')).toContain('ThingsModule');

  const compiler = createRequire(__filename).resolve('typescript/bin/tsc');
  const tsconfig = { extends: './tsconfig.json', compilerOptions: { outDir: '.', paths: {} }, include: ['apps'] };
  await writeFile(join(folder, 'tsconfig.things.json'), JSON.stringify(tsconfig));
  const compiled = await runNode([compiler, '-p', 'tsconfig.things.json'], folder);
  expect(compiled).toMatchObject({ code: 0, stdout: '' });

  await writeFile(join(folder, 'start.mjs'), PROGRAM);
  expect(await runNode(['start.mjs'], folder)).toEqual({
    code: 0,
    stdout: 'This action returns all things\n',
    stderr: '',
  });
});
