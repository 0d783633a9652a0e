import { existsSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/** First line of a file that may be overwritten. */
const MARKER = '// Written by "npx nestjs-kinde-api-key scopes --write". Changes are lost: change the scopes in Kinde.';

/** Returns a source file with decorators for these scopes alone. The names come from Kinde, so that each is written as a text and nothing else. */
export function scopesSource(names: readonly string[]): string {
  const lines = names.map((name) => `  '${name.replace(/['\\]/g, '\\$&')}',`);
  return [
    MARKER,
    "import { defineScopes } from 'nestjs-kinde-api-key';",
    '',
    '// prettier-ignore',
    'export const { RequireScopes, RequireAnyScope } = defineScopes([',
    ...lines,
    '] as const);',
    '',
  ].join('\n');
}

/** Whether a file has this text, but for the kind of its line ends. */
export function isUpToDate(file: string, source: string): boolean {
  return existsSync(file) && readFileSync(file, 'utf8').replaceAll('\r\n', '\n') === source;
}

/**
 * Writes a file as a whole or not at all.
 *
 * @param isForced whether a file may be overwritten that this command did not write
 * @throws {Error} with the cure
 */
export function writeScopes(file: string, source: string, isForced: boolean): void {
  if (!/\.[cm]?ts$/.test(file)) throw new Error(`${file} is not the name of a TypeScript file, e.g. src/scopes.ts`);
  const isThere = existsSync(file);
  if (isThere && !isForced && readFileSync(file, 'utf8').split(/\r?\n/, 1)[0] !== MARKER)
    throw new Error(`${file} was not written by this command; --force overwrites it`);
  // A link is kept, and what it leads to is replaced.
  const target = isThere ? realpathSync(file) : file;
  const temporary = `${target}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, source, { flag: 'wx' });
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`${file} cannot be written (${code ?? 'unknown'}); does its folder exist?`, { cause: error });
  }
}
