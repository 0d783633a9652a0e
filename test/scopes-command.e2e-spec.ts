import { KindeEmulator } from 'nestjs-kinde-api-key/testing';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../libs/kinde-api-key/src/cli/program.js';
import { compileExamples } from './support/example-compiler.js';

const ONE = { id: 'api_1', name: 'One', scopes: ['write:users', 'read:users', "it's"] };
const TWO = { id: 'api_2', name: 'Two', scopes: ['read:orders'] };

const compileExample = (code: string) => compileExamples([{ file: 'scopes.ts', line: 1, code }]);

const EXPECTED = `// Written by "npx nestjs-kinde-api-key scopes --write". Changes are lost: change the scopes in Kinde.
import { defineScopes } from 'nestjs-kinde-api-key';

// prettier-ignore
export const { RequireScopes, RequireAnyScope } = defineScopes([
  'it\\'s',
  'read:users',
  'write:users',
] as const);
`;

describe('npx nestjs-kinde-api-key scopes', () => {
  let folder: string;
  let file: string;
  let emulator: KindeEmulator;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'scopes-'));
    file = join(folder, 'scopes.ts');
    emulator = await KindeEmulator.start({ apis: [ONE] });
  });
  afterEach(async () => {
    rmSync(folder, { recursive: true });
    await emulator.stop();
  });

  const run = async (args: string[] = [], env: NodeJS.ProcessEnv = {}) => {
    let [stdout, stderr] = ['', ''];
    const exitCode = await runCli(['scopes', ...args], {
      out: (text) => void (stdout += text),
      err: (text) => void (stderr += text),
      untilAskedToStop: () => new Promise(() => undefined),
      env: { ...emulator.environment, ...env },
      hasColors: false,
      readInput: async () => '',
      showProgress: () => () => undefined,
    });
    return { exitCode, stdout, stderr };
  };
  const content = () => readFileSync(file, 'utf8');

  it('prints the scopes of the only API, sorted, one a line', async () => {
    expect(await run()).toEqual({ exitCode: 0, stdout: "it's\nread:users\nwrite:users\n", stderr: '' });
  });

  it('writes decorators that compile, and leaves no other file', async () => {
    expect(await run(['--write', file])).toEqual({ exitCode: 0, stdout: `${file} has 3 scopes\n`, stderr: '' });
    expect(content()).toBe(EXPECTED);
    expect(readdirSync(folder)).toEqual(['scopes.ts']);
    expect(compileExample(content())).toEqual([]);
    expect(compileExample(`${content()}RequireScopes('read:users', "it's");\n`)).toEqual([]);
    expect(compileExample(`${content()}RequireScopes('read:user');\n`)).not.toEqual([]);
  });

  it('writes its own file again, whatever its line ends are', async () => {
    await run(['--write', file]);
    writeFileSync(file, content().replaceAll('\n', '\r\n'));
    expect((await run(['--write', file])).stdout).toBe(`${file} is up to date: 3 scopes\n`);
    writeFileSync(file, content().replace("  'read:users',\r\n", ''));
    expect(await run(['--write', file])).toMatchObject({ exitCode: 0 });
    expect(content()).toBe(EXPECTED);
  });

  it('fails with --check if the file is missing or differs, and changes nothing', async () => {
    expect(await run(['--write', file, '--check'])).toMatchObject({
      exitCode: 1,
      stdout: `${file} differs from Kinde: npx nestjs-kinde-api-key scopes --write ${file}\n`,
    });
    expect(readdirSync(folder)).toEqual([]);
    await run(['--write', file]);
    expect(await run(['--write', file, '--check'])).toMatchObject({ exitCode: 0 });
    writeFileSync(file, content().replace("  'read:users',\n", ''));
    const changed = content();
    expect(await run(['--write', file, '--check'])).toMatchObject({ exitCode: 1 });
    expect(content()).toBe(changed);
  });

  it('does not overwrite a file that it did not write, unless it is forced to', async () => {
    for (const text of ['export const mine = 1;\n', '']) {
      writeFileSync(file, text);
      expect(await run(['--write', file])).toEqual({
        exitCode: 1,
        stdout: '',
        stderr: `error: ${file} was not written by this command; --force overwrites it\n`,
      });
      expect(content()).toBe(text);
    }
    expect(await run(['--write', file, '--force'])).toMatchObject({ exitCode: 0 });
    expect(content()).toBe(EXPECTED);
  });

  it('keeps a link to the file', async () => {
    const link = join(folder, 'link.ts');
    await run(['--write', file]);
    writeFileSync(file, content().replace("  'read:users',\n", ''));
    symlinkSync(file, link);
    expect(await run(['--write', link])).toMatchObject({ exitCode: 0 });
    expect(readlinkSync(link)).toBe(file);
    expect(content()).toBe(EXPECTED);
  });

  it.each([
    ['a folder that does not exist', 'missing/scopes.ts', /cannot be written \(ENOENT\); does its folder exist\?/],
    ['a name that is not of TypeScript', 'scopes.json', /is not the name of a TypeScript file, e\.g\. src\/scopes\.ts/],
  ])('says what is wrong with %s', async (_what, name, message) => {
    const { exitCode, stderr } = await run(['--write', join(folder, name)]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(message);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('asks which API is meant, and takes the one of KINDE_API_ID', async () => {
    await emulator.stop();
    emulator = await KindeEmulator.start({ apis: [ONE, TWO] });
    expect(await run()).toMatchObject({
      exitCode: 1,
      stderr: 'error: set KINDE_API_ID to one of the registered APIs: One (api_1), Two (api_2)\n',
    });
    expect((await run([], { KINDE_API_ID: 'api_2' })).stdout).toBe('read:orders\n');
    expect((await run([], { KINDE_API_ID: 'api_3' })).stderr).toBe(
      'error: KINDE_API_ID is not the id of a registered API; Kinde > Settings > APIs has: One (api_1), Two (api_2)\n',
    );
  });

  it('leaves out names that no decorator accepts, and says so without control characters', async () => {
    const scopes = ['read:users', 'a b', 'x"];process.exit()//', '\u001b[2J', 'c\\', '*/'].map((key) => ({
      id: key,
      key,
    }));
    const api = { id: 'api_1', name: 'One', audience: 'https://one', is_management_api: false, scopes };
    emulator.failNext({ status: 200, body: { code: 'OK', apis: [api], next_token: null } }, 'apis');
    const { stderr } = await run(['--write', file]);
    expect(content().match(/^ {2}'.*$/gm)).toEqual(["  '*/',", "  'read:users',"]);
    expect(stderr).toBe(
      'left out, because decorators do not accept them: "\\u001b[2J", "a b", "c\\\\", "x\\"];process.exit()//"\n',
    );
    expect(compileExample(content())).toEqual([]);
  });

  it.each<[string, (emulator: KindeEmulator) => unknown, RegExp]>([
    [
      'the permission is missing',
      (kinde) => kinde.changeApplication({ scopes: ['read:api_keys'] }),
      /lacks the scope read:apis: grant it in Kinde > Settings > Applications/,
    ],
    [
      'the client secret is wrong',
      (kinde) => kinde.failUntilCleared({ tokenError: 'invalid_client' }, 'token'),
      /client secret is wrong.*Kinde > Settings > Applications/,
    ],
    [
      'Kinde is down',
      (kinde) => kinde.failUntilCleared(500, 'apis'),
      /does not list the registered APIs now; .*doctor/,
    ],
  ])('names the cause and the menu where %s, and writes nothing', async (_what, bring, message) => {
    bring(emulator);
    const { exitCode, stdout, stderr } = await run(['--write', file]);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^error: [^\n]+\n$/);
    expect(stderr).toMatch(message);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('says that an API has no scopes', async () => {
    await emulator.stop();
    emulator = await KindeEmulator.start({ apis: [{ ...ONE, scopes: [] }] });
    expect((await run()).stderr).toMatch(/^error: the API has no scopes: add them in Kinde > Settings > APIs/);
  });

  it('refuses flags that mean nothing without --write', async () => {
    expect((await run(['--check'])).stderr).toBe('error: --check and --force need --write <file>\n');
  });
});
