import { type Command, InvalidArgumentError, Option } from 'commander';
import type { KindeEmulatorKeyOptions } from '../testing/emulator/key-store.js';
import type { KindeEmulatorInvalidKeyAnswer } from '../testing/emulator/options.js';
import { KindeEmulator } from '../testing/kinde-emulator.js';
import type { CliIo } from './cli-io.js';

interface EmulatorFlags {
  readonly port: number;
  readonly invalidKeyAnswer: KindeEmulatorInvalidKeyAnswer;
  readonly key?: readonly KindeEmulatorKeyOptions[];
}

/** The same after a restart, so that exported variables stay valid. Only an emulator accepts them. */
const CREDENTIALS = { clientId: 'emulator-client', clientSecret: 'emulator-secret' };

/** Keys to try, unless `--key` is given. */
const DEMO_KEYS: readonly KindeEmulatorKeyOptions[] = [
  demoKey('1', { name: 'Acme, reads and writes', orgCode: 'org_acme', scopes: ['read:users', 'write:users'] }),
  demoKey('2', { name: 'Acme, reads only', orgCode: 'org_acme', scopes: ['read:users'] }),
  demoKey('3', { name: 'Globex, reads and writes', orgCode: 'org_globex', scopes: ['read:users', 'write:users'] }),
  demoKey('4', { name: 'A user, no organization', userId: 'kp_demo', scopes: ['read:users'] }),
  demoKey('5', { name: 'Acme, revoked', orgCode: 'org_acme', scopes: ['read:users'], status: 'revoked' }),
];

/** Adds the command `emulator`, which runs a {@link KindeEmulator} until SIGINT or SIGTERM. */
export function addEmulatorCommand(program: Command, io: CliIo): void {
  program
    .command('emulator')
    .description('run a stand-in for Kinde on 127.0.0.1, with a few demo keys, until Ctrl+C')
    .option('-p, --port <port>', 'TCP port; 0 for a free one', parsePort, 4010)
    .addOption(
      new Option('--invalid-key-answer <answer>', 'how verify answers for a key that is not valid')
        .choices(['200', '200-nulls', '400', '401', '403', '404'])
        .default('200'),
    )
    .option(
      '--key <json>',
      'an API key instead of the demo keys, e.g. \'{"scopes":["read:users"],"orgCode":"org_acme"}\'; may be repeated',
      collectKey,
    )
    .action(async (flags: EmulatorFlags & { readonly invalidKeyAnswer: string }) => {
      await runEmulator({ ...flags, invalidKeyAnswer: parseAnswer(flags.invalidKeyAnswer) }, io);
    });
}

async function runEmulator({ port, invalidKeyAnswer, key }: EmulatorFlags, io: CliIo): Promise<void> {
  const keys = key ?? DEMO_KEYS;
  const stopped = io.untilAskedToStop();
  const emulator = await KindeEmulator.start({ port, invalidKeyAnswer, credentials: CREDENTIALS });
  try {
    const rows = keys.map((options) => keyRow(emulator, emulator.createKey(options)));
    io.out(`${[...greeting(emulator), ...rows, '', 'Ctrl+C stops it.'].join('\n')}\n`);
    await stopped;
  } finally {
    await emulator.stop();
  }
  io.out('Stopped.\n');
}

function greeting({ domain, environment, invalidKeyAnswer }: KindeEmulator): readonly string[] {
  return [
    `Kinde emulator on ${domain} (a key that is not valid is answered as: ${invalidKeyAnswer})`,
    '',
    ...Object.entries(environment).map(([name, value]) => `export ${name}=${value}`),
    '',
    'API keys:',
  ];
}

function keyRow(emulator: KindeEmulator, { keyId, key }: { readonly keyId: string; readonly key: string }): string {
  const record = emulator.getKey(keyId);
  const { name, status, orgCode, userId, scopes } = record ?? {
    name: '',
    status: '',
    orgCode: null,
    userId: null,
    scopes: [],
  };
  const facts = [
    name,
    status,
    orgCode ?? 'no organization',
    ...(userId ? [userId] : []),
    scopes.join(' ') || 'no scopes',
  ];
  return `  ${key}  ${facts.join(' | ')}`;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('It must be an integer from 0 to 65535.');
}

function collectKey(text: string, before: readonly KindeEmulatorKeyOptions[] = []): readonly KindeEmulatorKeyOptions[] {
  let options: unknown;
  try {
    options = JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('It must be a JSON object.');
  }
  // createKey() checks the options and names the unknown ones.
  return [...before, options as KindeEmulatorKeyOptions];
}

function parseAnswer(text: string): KindeEmulatorInvalidKeyAnswer {
  return text === '200' || text === '200-nulls' ? text : (Number(text) as KindeEmulatorInvalidKeyAnswer);
}

function demoKey(digit: string, options: KindeEmulatorKeyOptions): KindeEmulatorKeyOptions {
  return { ...options, keyId: `api_key_${digit.padStart(32, '0')}`, key: `k_live_${digit.padStart(32, '0')}` };
}
