import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { KindeEmulator } from 'nestjs-kinde-api-key/testing';
import { DEMO_CALLS } from '../apps/sample/src/demo/demo-calls.js';

const ROOT = join(__dirname, '..');

/** Too long for a label of a domain name, so it fails without a DNS query. */
const IMPOSSIBLE = 'a'.repeat(64);

const REAL_KINDE = {
  KINDE_DOMAIN: 'acme',
  KINDE_MANAGEMENT_CLIENT_ID: 'some-client',
  KINDE_MANAGEMENT_CLIENT_SECRET: 'some-secret',
};

/** The command line of `npm start`, with the Node that runs the tests. */
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: { start: string } };
const COMMAND = scripts.start.replace(/^node /, `"${process.execPath}" `);

/** A process that runs the command of `npm start`. */
class Start {
  /** Exit code and signal, once the process and its children have closed their output. */
  readonly exit: Promise<[code: number | null, signal: NodeJS.Signals | null]>;
  output = '';
  errors = '';
  private readonly child: ChildProcessByStdio<null, Readable, Readable>;

  constructor(command: string, environment: NodeJS.ProcessEnv = {}) {
    const { PATH, SystemRoot } = process.env;
    this.child = spawn(command, {
      cwd: ROOT,
      env: { PATH, SystemRoot, PORT: '0', ...environment },
      shell: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => (this.errors += text));
    this.exit = once(this.child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  }

  /** Waits for the last line of the start-up output. */
  async untilUp(line = 'Ctrl-C stops'): Promise<void> {
    while (!this.output.includes(line)) {
      const ended = await Promise.race([once(this.child.stdout, 'data').then(() => false), this.exit.then(() => true)]);
      if (ended) throw new Error(`The sample ended during its start: ${this.errors}`);
    }
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }
}

const running: Start[] = [];

/** @param shell turns the command into a shell line; by default `exec`, so that signals reach the command */
function start(environment?: NodeJS.ProcessEnv, shell = (command: string): string => `exec ${command}`): Start {
  const sample = new Start(shell(COMMAND), environment);
  running.push(sample);
  return sample;
}

/** Sends the request of a printed curl line. */
async function sendCurl(line: string): Promise<{ status: number; body: string }> {
  const words = [...line.matchAll(/"((?:\\.|[^"\\])*)"|\S+/g)].map(
    ([word, quoted]) => quoted?.replaceAll(/\\(["\\])/g, '$1') ?? word,
  );
  const after = (flag: string): string[] => words.filter((_word, index) => words[index - 1] === flag);
  const response = await fetch(words.find((word) => word.startsWith('http://')) ?? '', {
    method: after('-X')[0] ?? 'GET',
    headers: after('-H').map((header) => header.split(': ') as [string, string]),
    body: after('-d')[0] ?? null,
  });
  return { status: response.status, body: await response.text() };
}

/** Sends the head of a request, which keeps the app running until the test sends the body. */
async function heldRequest(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  // The server may reset the connection when it ends.
  socket.on('error', () => undefined);
  socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n');
  socket.write('Expect: 100-continue\r\n\r\n');
  await once(socket, 'data');
  return socket;
}

jest.setTimeout(60_000);

afterAll(async () => {
  for (const sample of running) sample.signal('SIGKILL');
  await Promise.all(running.map(({ exit }) => exit));
});

describe('npm start', () => {
  it('prints curl lines with their actual answers, none with a stack trace, and stops completely on Ctrl-C', async () => {
    const sample = start();
    await sample.untilUp();

    const printed = [...sample.output.matchAll(/# .*: (\d{3}) … (.*)\n {2}(curl .*)\n/g)];
    expect(printed).toHaveLength(DEMO_CALLS.length);
    for (const [, status, contains, curl] of printed) {
      const answer = await sendCurl(curl!);
      expect({ curl, ...answer }).toEqual({
        curl,
        status: Number(status),
        body: expect.stringContaining(contains!) as string,
      });
      expect(answer.body).not.toContain('stacktrace');
    }

    const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(sample.output)!;
    const held = await heldRequest(url);
    sample.signal('SIGINT');
    sample.signal('SIGINT'); // under npm it arrives twice
    held.end('{}');
    expect(await sample.exit).toEqual([0, null]);
    expect(sample.errors).toBe('');
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  it('runs on Fastify with --fastify, and stops on SIGTERM', async () => {
    const sample = start({}, (command) => `exec ${command} --fastify`);
    await sample.untilUp();
    sample.signal('SIGTERM');
    expect(await sample.exit).toEqual([0, null]);
    expect(sample.errors).toBe('');
  });

  it('stops when npm ends and only the shell in between received the signal', async () => {
    const sample = start({ npm_lifecycle_event: 'start' }, (command) => `${command}; echo a shell that continues`);
    await sample.untilUp();
    sample.signal('SIGKILL');
    await sample.exit;
    const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(sample.output)!;
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  it.each(['express', 'fastify'])('reports a port in use (%s)', async (HTTP_ADAPTER) => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const sample = start({ PORT: String(port), HTTP_ADAPTER });
    expect(await sample.exit).toEqual([1, null]);
    expect(sample.errors).toBe(`Port ${port} is taken. Choose another one, e.g. PORT=3001\n`);
    other.close();
  });

  it('names the missing variable of an incomplete Kinde configuration', async () => {
    const sample = start({ ...REAL_KINDE, KINDE_MANAGEMENT_CLIENT_SECRET: '' });
    expect(await sample.exit).toEqual([1, null]);
    expect(sample.errors).toMatch(/^Kinde is only half configured: KINDE_MANAGEMENT_CLIENT_SECRET is not set\..*\n$/);
  });

  it('reports a domain that does not resolve', async () => {
    const sample = start({ ...REAL_KINDE, KINDE_DOMAIN: `${IMPOSSIBLE}.kinde.com` });
    expect(await sample.exit).toEqual([1, null]);
    expect(sample.errors).toMatch(new RegExp(`^KINDE_DOMAIN: ${IMPOSSIBLE}\\.kinde\\.com does not resolve .*\n$`));
  });

  it.each(['127.0.0.1:6379', 'http://:pass-word@127.0.0.1:6379', 'redis://', 'redis://:pass-word@127.0.0.1:port'])(
    'reports a REDIS_URL that is none, and does not repeat it (%s)',
    async (REDIS_URL) => {
      const sample = start({ REDIS_URL });
      expect(await sample.exit).toEqual([1, null]);
      expect(sample.errors).toBe('REDIS_URL must be a URL like redis://127.0.0.1:6379, or rediss:// for TLS\n');
      expect(sample.output).not.toContain('pass-word');
    },
  );

  it("prints the library's message for an invalid domain", async () => {
    const sample = start({ ...REAL_KINDE, KINDE_DOMAIN: 'auth.acme.example' });
    expect(await sample.exit).toEqual([1, null]);
    expect(sample.errors).toContain('is a custom domain (auth.acme.example)');
    expect(sample.errors).not.toMatch(/^ +at /m);
  });
});

describe('main.ts', () => {
  it('is the app alone: it starts with the variables of a Kinde environment, and stops on SIGTERM', async () => {
    const kinde = await KindeEmulator.start();
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const PORT = String((other.address() as AddressInfo).port);
    other.close();
    const sample = start(
      { ...kinde.environment, PORT },
      (command) => `exec ${command.replace('start-up/start.ts', 'main.ts')}`,
    );
    await sample.untilUp('successfully started'); // and then listens
    const isListening = (): Promise<boolean> =>
      fetch(`http://localhost:${PORT}/health`).then(
        ({ ok }) => ok,
        () => false,
      );
    while (!(await isListening())) await new Promise(setImmediate);
    const { key } = kinde.createKey({ orgCode: 'org_acme', scopes: ['read:projects'] });
    const statusOf = async (path: string, headers: Record<string, string> = {}): Promise<number> =>
      (await fetch(`http://localhost:${PORT}${path}`, { headers })).status;
    const path = '/organizations/org_acme/projects';
    expect(await statusOf(path)).toBe(401);
    expect(await statusOf(path, { authorization: `Bearer ${key}` })).toBe(200);
    expect(await statusOf('/docs')).toBe(200);
    sample.signal('SIGTERM');
    await sample.exit;
    expect(sample.errors).toBe('');
    await kinde.stop();
  });
});
