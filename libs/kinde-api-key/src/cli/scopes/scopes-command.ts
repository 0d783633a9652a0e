import type { Command } from 'commander';
import { listNames } from '../../doctor/finding.js';
import type { CliIo } from '../cli-io.js';
import { isUpToDate, scopesSource, writeScopes } from './scopes-file.js';

interface ScopesFlags {
  readonly write?: string;
  readonly check?: true;
  readonly force?: true;
}

/** Adds the command `scopes`, which prints the scopes that are registered in Kinde, or writes decorators for them. */
export function addScopesCommand(program: Command, io: CliIo, endWith: (exitCode: number) => void): void {
  program
    .command('scopes')
    .description('print the scopes of the API in Kinde, or write decorators that accept these alone')
    .option('--write <file>', 'write them for defineScopes(), e.g. --write src/scopes.ts')
    .option('--check', 'with --write: change nothing, and fail if the file is not up to date')
    .option('--force', 'with --write: overwrite a file that this command did not write')
    .addHelpText(
      'after',
      '\nIt reads the variables of the doctor. Without KINDE_API_ID, the environment must have one API. The M2M application needs read:apis.\n' +
        'Exit code: 1 if --check finds that the file is not up to date.',
    )
    .action(async ({ write: file, check, force }: ScopesFlags) => {
      if (file === undefined && (check || force)) throw new Error('--check and --force need --write <file>');
      const { names, unusable } = await readScopes(io);
      if (unusable.length > 0) io.err(`left out, because decorators do not accept them: ${printable(unusable)}\n`);
      if (file === undefined) return io.out(`${names.join('\n')}\n`);
      const source = scopesSource(names);
      if (isUpToDate(file, source)) return io.out(`${file} is up to date: ${names.length} scopes\n`);
      if (check) {
        io.out(`${file} differs from Kinde: npx nestjs-kinde-api-key scopes --write ${file}\n`);
        return endWith(1);
      }
      writeScopes(file, source, force === true);
      io.out(`${file} has ${names.length} scopes\n`);
    });
}

async function readScopes(io: CliIo) {
  const done = io.showProgress('Asking Kinde');
  try {
    // Loaded here, because the other commands need no HTTP client.
    const { readRegisteredScopes } = await import('./registered-scopes.js');
    return await readRegisteredScopes(io.env);
  } finally {
    done();
  }
}

function printable(names: readonly string[]): string {
  return listNames(names.map((name) => JSON.stringify(name)));
}
