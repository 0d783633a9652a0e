import { parseArgs } from 'node:util';

/** The sample cannot start for a reason that the user can fix. Shown as one line, without a stack trace. */
export class StartUpError extends Error {}

/** Settings of the sample. */
export interface Settings {
  /** Port of the API. 0 selects a free one. */
  readonly port: number;
  readonly httpAdapter: 'express' | 'fastify';
  /** The domain of a real Kinde environment, or `undefined` for the emulator. */
  readonly kindeDomain: string | undefined;
}

/** The variables of a real Kinde environment. Either all or none must be set. */
export const KINDE_VARIABLES = [
  'KINDE_DOMAIN',
  'KINDE_MANAGEMENT_CLIENT_ID',
  'KINDE_MANAGEMENT_CLIENT_SECRET',
] as const;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Parses environment and command line.
 *
 * @param environment `PORT` (default 3000), `HTTP_ADAPTER` (`express`, the default, or `fastify`) and the `KINDE_*` variables
 * @param args the command line; `--fastify` is short for `HTTP_ADAPTER=fastify`
 * @throws {StartUpError} if a setting is not valid
 */
export function parseSettings(environment: Environment, args: readonly string[]): Settings {
  return {
    port: parsePort(environment.PORT),
    httpAdapter: parseFlags(args).fastify ? 'fastify' : parseHttpAdapter(environment.HTTP_ADAPTER),
    kindeDomain: parseKindeDomain(environment),
  };
}

function parseFlags(args: readonly string[]): { fastify?: boolean } {
  try {
    return parseArgs({ args: [...args], options: { fastify: { type: 'boolean' } } }).values;
  } catch {
    throw new StartUpError(`Unknown arguments: ${args.join(' ')} (the only flag is --fastify)`);
  }
}

function parsePort(port: string | undefined): number {
  if (!port) return 3000;
  if (/^\d+$/.test(port) && Number(port) <= 65_535) return Number(port);
  throw new StartUpError(`PORT must be a number from 0 to 65535, and is "${port}"`);
}

function parseHttpAdapter(name: string | undefined): Settings['httpAdapter'] {
  if (!name) return 'express';
  if (name === 'express' || name === 'fastify') return name;
  throw new StartUpError(`HTTP_ADAPTER must be express or fastify, and is "${name}"`);
}

function parseKindeDomain(environment: Environment): string | undefined {
  const missing = KINDE_VARIABLES.filter((name) => !environment[name]);
  if (missing.length === 0) return environment.KINDE_DOMAIN;
  if (missing.length === KINDE_VARIABLES.length) return undefined;
  throw new StartUpError(
    `Kinde is only half configured: ${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not set. ` +
      'Set all three KINDE_* variables to use a real Kinde environment, or none of them to use the emulator',
  );
}
