import * as library from 'nestjs-kinde-api-key';
import { DOCS, read, rowsOf } from './support/markdown.js';
import { runCli } from '../libs/kinde-api-key/src/cli/program.js';
import { PublicTypes } from './support/public-types.js';
import { sourceFiles } from './support/source-files.js';

const types = new PublicTypes();

/**
 * @param start of the first line of a table
 * @returns the names in code that the cells of a column begin with, or contain: `createKey(options?)` is createKey, `@OrgCode()` is OrgCode
 */
function namesIn(page: string, start: string, column = 0): string[] {
  const tables = (read(page).match(/(?:^\|.*\n)+/gm) ?? []).filter((table) => table.startsWith(start));
  if (tables.length === 0) throw new Error(`${page} has no table that begins with "${start}"`);
  const cells = tables.flatMap((table) => rowsOf(table).map((row) => row[column] ?? ''));
  const code = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text));
  return [
    ...new Set(code.map((text) => /^@?([A-Za-z]\w*)\b(?! \w)/.exec(text)?.[1] ?? '').filter((name) => name !== '')),
  ].sort();
}

const page = (name: string): string => `${DOCS}/${name}.md`;
const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();

/** Decorators have capital letters and are no classes. */
const DECORATORS = Object.entries(library)
  .filter(([name, value]) => /^[A-Z][a-z]/.test(name) && typeof value === 'function' && !/^class\b/.test(String(value)))
  .map(([name]) => name);

describe('tables of the pages', () => {
  it('list every decorator', () => {
    const page = `${DOCS}/routes.md`;
    const listed = [...namesIn(page, '| decorator, on a class'), ...namesIn(page, '| in a handler | value')];
    expect(DECORATORS.length).toBeGreaterThan(10);
    expect(sorted(listed)).toEqual(sorted(DECORATORS));
    expect(DECORATORS).toEqual(expect.arrayContaining(namesIn('README.md', '| decorator, on a class')));
  });

  it.each([
    ['ApiKeysService', 'keys', '| method | what it does | M2M'],
    ['KindeAccessTokensOptions', 'callers', '| option | unit, default'],
    ['RedisStoreOptions', 'multiple-instances', '| option of `redisStore`'],
    ['KindeEmulatorOptions', 'testing', '| option | unit, default'],
    ['ApiKeyDecision', 'observability', '| field | value |\n| --- | --- |\n| `outcome`'],
    ['ApiKeyVerificationStatus', 'observability', '| field | value |\n| --- | --- |\n| `status`'],
    ['TestClock', 'testing', '| member | what it does |'],
  ])('list every member of %s on the page %s', (type, name, start) => {
    expect(namesIn(page(name), start)).toEqual(sorted(types.membersOf(type)));
  });

  it.each([
    ['KindeApiKeyManagementErrorCode', 'keys', '| `code` | meaning'],
    ['ApiKeyStatusReason', 'when-kinde-is-down', '| reason | what it means'],
    ['KindeTokenExchangeErrorCode', 'callers', '| error | meaning'],
  ])('list every value of %s on the page %s', (type, name, start) => {
    // a cell may also name the class of the error
    const listed = namesIn(page(name), start).filter((value) => !/[a-z][A-Z]/.test(value));
    expect(listed).toEqual(sorted(types.textsOf(type)));
  });

  it.each([
    ['KindeEmulator', 'testing', ['| member | what it is', '| call | what it does']],
    ['KindeApiKeyTestingModule', 'testing', ['| method | what it does']],
    ['ApiKeyPrincipal', 'callers', ['| field | meaning']],
  ])('name only members of %s on the page %s', (type, name, starts) => {
    const named = starts.flatMap((start) => namesIn(page(name), start));
    expect(named.filter((member) => !types.membersOf(type).includes(member))).toEqual([]);
  });

  it('have every member of the emulator on their page, with the text beside them', () => {
    const text = read(page('testing'));
    const members = types.membersOf('KindeEmulator');
    expect(members.length).toBeGreaterThan(20);
    expect(members.filter((member) => !new RegExp(`\\b${member}\\b`).test(text))).toEqual([]);
  });

  it('list every field of a fault', () => {
    const text =
      read(page('testing'))
        .match(/(?:^\|.*\n)+/gm)
        ?.find((table) => table.startsWith('| fault |')) ?? '';
    const fields = types.fieldsOf('KindeEmulatorFault');
    expect(fields.length).toBeGreaterThan(10);
    expect(fields.filter((field) => !new RegExp(`\\b${field}\\b`).test(text))).toEqual([]);
  });

  it('list every environment variable', () => {
    const sources = sourceFiles('libs/kinde-api-key/src/config').map(read).join('\n');
    const variables = sorted([...sources.matchAll(/\bKINDE_[A-Z_]+\b/g)].map(([name]) => name));
    expect(namesIn(page('options'), '| variable | option')).toEqual(variables);
  });

  it.each([
    ['emulator', 'testing', '| flag | default'],
    ['doctor', 'doctor', '| argument | meaning'],
  ])('list every flag of the command %s on the page %s', async (command, name, start) => {
    let help = '';
    await runCli([command, '--help'], { out: (text: string) => (help += text), err: () => undefined } as never);
    const flags = sorted([...help.matchAll(/--[a-z][a-z-]*/g)].map(([flag]) => flag)).filter(
      (flag) => flag !== '--help',
    );
    const table =
      read(page(name))
        .match(/(?:^\|.*\n)+/gm)
        ?.find((text) => text.startsWith(start)) ?? '';
    expect(flags.length).toBeGreaterThan(1);
    expect(sorted([...table.matchAll(/--[a-z][a-z-]*/g)].map(([flag]) => flag))).toEqual(flags);
  });
});
