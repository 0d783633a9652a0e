import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KindeEmulator } from '../testing/index.js';
import type { CliIo } from './cli-io.js';
import { runCli } from './program.js';
import { VERSION } from './version.js';

/** Collects the output, and stops the command when the test asks. */
class Terminal implements CliIo {
  stdout = '';
  stderr = '';
  #stop = (): void => undefined;
  readonly #asked = new Promise<void>((resolve) => (this.#stop = resolve));
  #written = (): void => undefined;
  readonly firstOutput = new Promise<void>((resolve) => (this.#written = resolve));

  out(text: string): void {
    this.stdout += text;
    this.#written();
  }
  err(text: string): void {
    this.stderr += text;
  }
  readonly env = {};
  readonly hasColors = false;
  readInput = async () => '';
  showProgress = () => () => undefined;
  untilAskedToStop(): Promise<void> {
    return this.#asked;
  }
  askToStop(): void {
    this.#stop();
  }
}

const run = async (...args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> => {
  const terminal = new Terminal();
  terminal.askToStop();
  const exitCode = await runCli(args, terminal);
  return { exitCode, stdout: terminal.stdout, stderr: terminal.stderr };
};

describe('nestjs-kinde-api-key', () => {
  it('prints the version of the package', async () => {
    const manifest = JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')) as { version: string };
    expect(VERSION).toBe(manifest.version);
    expect(await run('--version')).toEqual({ exitCode: 0, stdout: `${VERSION}\n`, stderr: '' });
  });

  it('prints its help and the help of a command', async () => {
    const help = await run('--help');
    expect(help).toMatchObject({ exitCode: 0, stderr: '' });
    expect(help.stdout).toContain('emulator [options]');
    const commandHelp = await run('emulator', '--help');
    expect(commandHelp.exitCode).toBe(0);
    for (const flag of ['--port', '--invalid-key-answer', '--key']) expect(commandHelp.stdout).toContain(flag);
  });

  it('prints its help on standard error if no command is given', async () => {
    const { exitCode, stdout, stderr } = await run();
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toContain('Usage: nestjs-kinde-api-key');
  });

  it.each([
    [['emulatr'], "error: unknown command 'emulatr'"],
    [['emulator', '--prot', '1'], "error: unknown option '--prot'"],
    [['emulator', '--port', '65536'], 'It must be an integer from 0 to 65535.'],
    [['emulator', '--port', '-1'], 'It must be an integer from 0 to 65535.'],
    [['emulator', '--port', '1e3'], 'It must be an integer from 0 to 65535.'],
    [['emulator', '--invalid-key-answer', '500'], 'Allowed choices are 200, 200-nulls, 400, 401, 403, 404.'],
    [['emulator', '--key', '{'], 'It must be a JSON object.'],
    [['emulator', '--port', '0', '--key', '{"scope":[]}'], 'unknown key option "scope"'],
    [['emulator', '--port', '0', '--key', '5'], 'the key options must be an object'],
    [['emulator', 'extra'], 'too many arguments'],
  ])('answers %j with one line on standard error and exit code 1', async (args, message) => {
    const { exitCode, stdout, stderr } = await run(...args);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^error: [^\n]+\n$/);
  });

  it('reports a port in use in one line', async () => {
    await using other = await KindeEmulator.start();
    const { port } = new URL(other.domain);
    expect(await run('emulator', '--port', port)).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: `error: KindeEmulator: cannot listen on 127.0.0.1:${port}: it is already in use\n`,
    });
  });
});

describe('nestjs-kinde-api-key emulator', () => {
  const exported = (stdout: string, name: string): string =>
    new RegExp(`^export ${name}=(.+)$`, 'm').exec(stdout)?.[1] ?? '';

  const verify = async (stdout: string, key: string): Promise<{ status: number; body: unknown }> => {
    const domain = exported(stdout, 'KINDE_DOMAIN');
    const minted = await fetch(`${domain}/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: exported(stdout, 'KINDE_MANAGEMENT_CLIENT_ID'),
        client_secret: exported(stdout, 'KINDE_MANAGEMENT_CLIENT_SECRET'),
        audience: `${domain}/api`,
      }),
    });
    const { access_token: token } = (await minted.json()) as { access_token: string };
    const response = await fetch(`${domain}/api/v1/api_keys/verify`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ api_key: key }),
    });
    return { status: response.status, body: await response.json() };
  };

  it('prints variables to export and working demo keys, and runs until it is stopped', async () => {
    const terminal = new Terminal();
    const running = runCli(['emulator', '--port', '0'], terminal);
    await terminal.firstOutput;
    const keys = terminal.stdout.match(/k_live_\d{32}(?=  .* \| active \| )/g) ?? [];
    expect(keys).toHaveLength(4);
    for (const key of keys) {
      expect(await verify(terminal.stdout, key)).toMatchObject({ status: 200, body: { is_valid: true } });
    }
    const domain = exported(terminal.stdout, 'KINDE_DOMAIN');
    terminal.askToStop();
    expect(await running).toBe(0);
    expect(terminal.stdout).toMatch(/Stopped\.\n$/);
    expect(terminal.stderr).toBe('');
    await expect(fetch(domain)).rejects.toThrow('fetch failed');
  });

  it('uses the keys of --key instead of the demo keys, and the answer of --invalid-key-answer', async () => {
    const terminal = new Terminal();
    const key = (digit: string): string => `k_live_${digit.repeat(32)}`;
    const first = JSON.stringify({ key: key('a'), scopes: ['read:orders'], orgCode: 'org_x' });
    const second = JSON.stringify({ key: key('b') });
    const flags = ['--port', '0', '--invalid-key-answer', '404', '--key', first, '--key', second];
    const running = runCli(['emulator', ...flags], terminal);
    await terminal.firstOutput;
    expect(terminal.stdout.match(/k_live_.*/g)).toEqual([
      `${key('a')}  API key | active | org_x | read:orders`,
      `${key('b')}  API key | active | no organization | no scopes`,
    ]);
    expect(await verify(terminal.stdout, key('a'))).toMatchObject({ body: { is_valid: true, org_code: 'org_x' } });
    expect((await verify(terminal.stdout, key('c'))).status).toBe(404);
    terminal.askToStop();
    expect(await running).toBe(0);
  });
});
