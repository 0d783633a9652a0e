import type { Command } from 'commander';
import { readFileSync } from 'node:fs';
import { checkForMcp, type McpCheck } from '../openapi/mcp-check.js';
import type { CliIo } from './cli-io.js';

interface OpenApiFlags {
  readonly json?: true;
}

const DOCUMENT = { what: 'document', maxCharacters: 64 * 1_024 * 1_024 };

/** Adds the command `openapi`, which checks an OpenAPI document for Kinde's MCP connections. */
export function addOpenApiCommand(program: Command, io: CliIo, endWith: (exitCode: number) => void): void {
  program
    .command('openapi')
    .description("check an OpenAPI document for Kinde's MCP connections")
    .argument('<document.json>', 'OpenAPI document as JSON; "-" reads it from standard input')
    .requiredOption('--check-mcp', 'say what is missing: one scope and one operationId for each operation, a server')
    .option('--json', 'print what was found as JSON')
    .addHelpText('after', '\nExit code: 0 if nothing is missing, else 1.')
    .action(async (file: string, { json }: OpenApiFlags) => {
      const check = checkForMcp(parsed(file === '-' ? await io.readInput(DOCUMENT) : read(file), file));
      io.out(json ? `${JSON.stringify(check, null, 2)}\n` : print(check));
      if (check.findings.length > 0) endWith(1);
    });
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new Error(`${file} cannot be read; save the document as JSON first`);
  }
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${file === '-' ? 'standard input' : file} is not JSON`);
  }
}

function print({ operations, public: open, findings }: McpCheck): string {
  const lines = findings.map(({ where, missing, cure }) => `${where}: ${missing}\n    -> ${cure}\n`);
  const checked = `${operations} operation${operations === 1 ? '' : 's'} checked, ${open} public`;
  const result = findings.length === 0 ? 'nothing is missing' : `missing: ${findings.length}`;
  return `${lines.join('')}${checked}, ${result}\n`;
}
