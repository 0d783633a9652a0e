import type { Command } from 'commander';
import { readFileSync } from 'node:fs';
import type { AuditedRoute } from '../audit/audited-route.js';
import { compareAudits } from '../audit/compare-audits.js';
import type { CliIo } from './cli-io.js';
import { printChanges, printRoutes } from './print-routes.js';

const PROGRAM = 'npx nestjs-kinde-api-key';

interface RoutesFlags {
  readonly json?: true;
  readonly compare?: string;
}

/** Adds the command `routes`, which prints what every route of an app demands, and compares it with an earlier build. */
export function addRoutesCommand(program: Command, io: CliIo, endWith: (exitCode: number) => void): void {
  program
    .command('routes')
    .description('print what every route of an app demands of a caller')
    .argument('<module file>', 'compiled file of the root module, e.g. dist/app.module.js')
    .option('--json', 'print it as JSON, to be saved for --compare')
    .option('--compare <saved.json>', 'print what changed since then, and fail if a route became looser')
    .addHelpText(
      'after',
      '\nIt starts the app without a server and without a call to Kinde. Global prefix and versions of main.ts are not known here.\n' +
        'Exit code: 1 if --compare finds a route that became looser.',
    )
    .action(async (file: string, { json, compare }: RoutesFlags) => {
      const before = compare === undefined ? undefined : readAudit(compare);
      const { auditApp } = await import('./audit-app.js');
      const routes = await auditApp(file, io.env);
      if (!before) return io.out(json ? `${JSON.stringify(routes, null, 2)}\n` : printRoutes(routes));
      const changes = compareAudits(before, routes);
      io.out(
        json
          ? `${JSON.stringify(changes, null, 2)}\n`
          : printChanges(changes, `${PROGRAM} routes ${file} --json > ${compare}`, io.hasColors),
      );
      if (changes.some(({ kind }) => kind === 'looser')) endWith(1);
    });
}

function readAudit(file: string): readonly AuditedRoute[] {
  let saved: unknown;
  try {
    saved = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw new Error(`${file} cannot be read as JSON; save it with: ${PROGRAM} routes <module file> --json > ${file}`);
  }
  const isAudit = Array.isArray(saved) && saved.every(isRoute);
  if (!isAudit)
    throw new Error(`${file} is not an audit; save it with: ${PROGRAM} routes <module file> --json > ${file}`);
  return saved as readonly AuditedRoute[];
}

/** Whether it has the parts that every version writes. */
function isRoute(value: unknown): boolean {
  const { route, access, scopes, anyOf, rules } = Object(value) as Partial<Record<keyof AuditedRoute, unknown>>;
  return typeof route === 'string' && typeof access === 'string' && [scopes, anyOf, rules].every(Array.isArray);
}
