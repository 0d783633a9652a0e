import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Server binary for the tests: `REDIS_SERVER_BIN`, or else `redis-server` or `valkey-server` from the PATH. */
export const REDIS_SERVER_BIN = [process.env.REDIS_SERVER_BIN, 'redis-server', 'valkey-server'].find(
  (bin) => bin && spawnSync(bin, ['--version']).status === 0,
);

/** Declares a suite that needs a Redis server. Skips it if none is installed: test/setup/redis-check.mjs says so. */
export function describeRedis(name: string, suite: () => void): void {
  // oxlint-disable-next-line jest/valid-describe-callback, jest/valid-title, jest/no-disabled-tests -- this is where suites are declared
  if (REDIS_SERVER_BIN) describe(name, suite);
  // oxlint-disable-next-line jest/valid-describe-callback, jest/valid-title, jest/no-disabled-tests -- as above
  else describe.skip(`${name} (needs a redis-server)`, suite);
}

/** A redis-server for one suite, on a free loopback port, which can be frozen and killed. */
export class RedisServer {
  readonly port: number;
  #child: ChildProcess;
  readonly #dir: string;

  private constructor(port: number, dir: string, child: ChildProcess) {
    this.port = port;
    this.#dir = dir;
    this.#child = child;
  }

  static async start(): Promise<RedisServer> {
    const port = await freePort();
    const dir = mkdtempSync(join(tmpdir(), 'redis-test-'));
    return new RedisServer(port, dir, await launch(port, dir));
  }

  /** Stops answering without closing a connection. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  /** Kills the server. Its connections and data are lost. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  /** Starts an empty server on the same port. */
  async restart(): Promise<void> {
    await this.kill();
    this.#child = await launch(this.port, this.#dir);
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

async function launch(port: number, dir: string): Promise<ChildProcess> {
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', dir];
  const child = spawn(REDIS_SERVER_BIN ?? 'redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}`)));
    child.stdout.on('data', (text: Buffer) => {
      if (text.includes('Ready to accept connections')) resolve();
    });
  });
  child.removeAllListeners('exit');
  child.unref();
  return child;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
