import type { Command } from 'commander';
import type { Finding } from '../../doctor/finding.js';
import type { CliIo } from '../cli-io.js';
import { printFindings } from './print-findings.js';

interface DoctorFlags {
  readonly key?: string;
  readonly json?: true;
}

/** Adds the command `doctor`, which examines an app, or the Kinde application that the environment names. */
export function addDoctorCommand(program: Command, io: CliIo, endWith: (exitCode: number) => void): void {
  program
    .command('doctor')
    .description('examine the connection to Kinde, its credentials and, if given, an app and an API key')
    .argument(
      '[module file]',
      'compiled file of the root module, e.g. dist/app.module.js: examine its options and routes, too',
    )
    .option('--key <source>', 'examine a key, too: "-" reads it from standard input')
    .option('--json', 'print the findings as JSON')
    .addHelpText(
      'after',
      '\nIt reads KINDE_DOMAIN, KINDE_MANAGEMENT_CLIENT_ID, KINDE_MANAGEMENT_CLIENT_SECRET and KINDE_API_ID. ' +
        'With a module file, it starts the app without a server, and uses the options of the app.\n' +
        'Exit code: 0 if all is well, 1 with a problem, 2 with a warning.',
    )
    .action(async (file: string | undefined, { key, json }: DoctorFlags) => {
      if (key !== undefined && key !== '-') throw new Error('a key is read from standard input: --key -');
      const rawKey = key === undefined ? undefined : (await io.readInput()).replace(/\r?\n$/, '');
      const done = io.showProgress('Examining Kinde');
      try {
        const findings = await examine(file, rawKey, io.env);
        done();
        io.out(json ? `${JSON.stringify(findings, null, 2)}\n` : printFindings(findings, io));
        endWith(exitCodeOf(findings));
      } finally {
        done();
      }
    });
}

/** The two are loaded here, because the other commands need neither an HTTP client nor Nest. */
async function examine(file: string | undefined, rawKey: string | undefined, env: CliIo['env']): Promise<Finding[]> {
  if (file === undefined) return (await import('./examine-environment.js')).examineEnvironment(env, rawKey);
  return (await import('./examine-app.js')).examineApp(file, rawKey);
}

function exitCodeOf(findings: readonly Finding[]): number {
  if (findings.some(({ status }) => status === 'problem')) return 1;
  return findings.some(({ status }) => status === 'warning') ? 2 : 0;
}
