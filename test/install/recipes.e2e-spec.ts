import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compile, makeFolder, npm, packLibrary, removeFolder, runNode } from '../consumer/packed-library.js';
import { RECIPES, recipeCode } from '../support/recipes.js';

const PACKAGES = [
  '@nestjs/common@11',
  '@nestjs/core@11',
  '@nestjs/platform-express@11',
  '@nestjs/axios@4',
  '@nestjs/jwt@11',
  '@nestjs/passport@11',
  'passport@0.7',
  'passport-jwt@4',
  'cookie-session@2',
  '@types/passport-jwt@4',
  '@types/cookie-session@2',
  '@types/node@20',
];

const KEY = ['200 api_key', '403 ORG_MISMATCH'];
const NOBODY = ['401 MISSING_KEY', '401 MISSING_KEY'];

jest.setTimeout(300_000);

describe('the recipes of the page on callers, installed from the registry with Nest 11', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await makeFolder();
    await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true }));
    await npm(['install', '--no-audit', '--no-fund', ...PACKAGES], folder);
    await npm(['install', '--no-audit', '--no-fund', await packLibrary(folder)], folder);
    await mkdir(join(folder, 'cjs'));
    await writeFile(join(folder, 'cjs/package.json'), JSON.stringify({ type: 'commonjs' }));
    await cp(join(__dirname, 'recipes'), join(folder, 'cjs'), { recursive: true });
    for (const name of RECIPES) await writeFile(join(folder, 'cjs', `${name}.ts`), recipeCode(name));
  });
  afterAll(() => removeFolder(folder));

  it('compile, and keep every rule for keys and for people', async () => {
    const files = ['main.ts', ...RECIPES.map((name) => `${name}.ts`)];
    expect(await compile(folder, 'cjs', { module: 'node16', esModuleInterop: true }, files)).toBe('');
    const { code, stdout, stderr } = await runNode(['out/main.js'], join(folder, 'cjs'));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({
      jwt: [...KEY, '200 user', '403 ORG_MISMATCH', ...NOBODY],
      passport: [...KEY, '200 user', '403 ORG_MISMATCH', ...NOBODY],
      session: [...KEY, '200 session', '403 ORG_MISMATCH', ...NOBODY],
      'side-by-side': [...KEY, '401 WRONG_CREDENTIAL_TYPE', '401 WRONG_CREDENTIAL_TYPE', ...NOBODY],
      'side-by-side-passport': [...KEY, '401 WRONG_CREDENTIAL_TYPE', '401 WRONG_CREDENTIAL_TYPE', ...NOBODY],
      'side-by-side-session': [...KEY, ...NOBODY, ...NOBODY],
    });
  });
});
