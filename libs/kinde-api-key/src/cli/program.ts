import { Command, CommanderError } from 'commander';
import type { CliIo } from './cli-io.js';
import { addDoctorCommand } from './doctor/doctor-command.js';
import { addEmulatorCommand } from './emulator-command.js';
import { addOpenApiCommand } from './openapi-command.js';
import { addRoutesCommand } from './routes-command.js';
import { addScopesCommand } from './scopes/scopes-command.js';
import { VERSION } from './version.js';

/**
 * Runs the command line `nestjs-kinde-api-key`.
 *
 * @param args Arguments after the program's name.
 * @returns Exit code: 0, 1 with one line on standard error, or what the command ends with.
 */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  try {
    let exitCode = 0;
    await newProgram(io, (code) => (exitCode = code)).parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has already written its message. Help and version end with a CommanderError as well.
    if (error instanceof CommanderError) return error.exitCode;
    io.err(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

/** Settings before the first command are inherited by all commands. */
function newProgram(io: CliIo, endWith: (exitCode: number) => void): Command {
  const program = new Command('nestjs-kinde-api-key')
    .description('Kinde API keys for NestJS')
    .version(VERSION)
    .exitOverride()
    .showSuggestionAfterError(false)
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) });
  addEmulatorCommand(program, io);
  addDoctorCommand(program, io, endWith);
  addRoutesCommand(program, io, endWith);
  addScopesCommand(program, io, endWith);
  addOpenApiCommand(program, io, endWith);
  return program;
}
