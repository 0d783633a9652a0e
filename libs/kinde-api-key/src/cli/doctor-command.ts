import type { Command } from 'commander';
import type { Finding } from '../doctor/finding.js';
import type { CliIo } from './cli-io.js';
import { printFindings } from './print-findings.js';

interface DoctorFlags {
  readonly key?: string;
  readonly json?: true;
}

/** Adds the command `doctor`, which examines the Kinde application that the environment names. */
export function addDoctorCommand(program: Command, io: CliIo, endWith: (exitCode: number) => void): void {
  program
    .command('doctor')
    .description('examine the connection to Kinde, its credentials and, if given, an API key')
    .option('--key <source>', 'examine a key, too: "-" reads it from standard input')
    .option('--json', 'print the findings as JSON')
    .addHelpText(
      'after',
      '\nIt reads KINDE_DOMAIN, KINDE_MANAGEMENT_CLIENT_ID, KINDE_MANAGEMENT_CLIENT_SECRET and KINDE_API_ID.\n' +
        'Exit code: 0 if all is well, 1 with a problem, 2 with a warning.',
    )
    .action(async ({ key, json }: DoctorFlags) => {
      if (key !== undefined && key !== '-') throw new Error('a key is read from standard input: --key -');
      const rawKey = key === undefined ? undefined : (await io.readInput()).replace(/\r?\n$/, '');
      const done = io.showProgress('Examining Kinde');
      try {
        // Loaded here, because the other commands need no HTTP client.
        const { examineEnvironment } = await import('./examine-environment.js');
        const findings = await examineEnvironment(io.env, rawKey);
        done();
        io.out(json ? `${JSON.stringify(findings, null, 2)}\n` : printFindings(findings, io));
        endWith(exitCodeOf(findings));
      } finally {
        done();
      }
    });
}

function exitCodeOf(findings: readonly Finding[]): number {
  if (findings.some(({ status }) => status === 'problem')) return 1;
  return findings.some(({ status }) => status === 'warning') ? 2 : 0;
}
