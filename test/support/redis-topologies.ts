import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './instances.js';
import { REDIS_SERVER_BIN } from './redis-server.js';

/** Redis servers that belong together, on free loopback ports. */
export class RedisTopology {
  readonly dir = mkdtempSync(join(tmpdir(), 'redis-topology-'));
  readonly #children = new Map<number, ChildProcess>();

  /** Starts a server and returns its port. `config` is the text of its configuration file. */
  async launch(config: (port: number) => string, flags: readonly string[] = []): Promise<number> {
    const port = await freePort();
    const file = join(this.dir, `${port}.conf`);
    writeFileSync(file, `bind 127.0.0.1\nsave ""\ndir ${this.dir}\n${config(port)}\n`);
    const child = spawn(REDIS_SERVER_BIN ?? 'redis-server', [file, ...flags], { stdio: 'ignore' });
    child.unref();
    this.#children.set(port, child);
    await until(() => isListening(port));
    return port;
  }

  /** Stops one server from answering without closing a connection. */
  freeze(port: number): void {
    this.#children.get(port)?.kill('SIGSTOP');
  }

  /** Kills one server. */
  async kill(port: number): Promise<void> {
    const child = this.#children.get(port);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async stop(): Promise<void> {
    for (const port of this.#children.keys()) await this.kill(port);
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Starts three masters as a Cluster, each with so many replicas. A replica takes over some seconds after its master is gone. */
  async cluster({ replicas = 0 } = {}): Promise<readonly number[]> {
    const ports: number[] = [];
    for (let node = 0; node < 3 * (1 + replicas); node += 1)
      ports.push(
        await this.launch(
          (port) =>
            `port ${port}\ncluster-enabled yes\ncluster-port ${port < 55_000 ? port + 10_000 : port - 10_000}\ncluster-config-file ${port}.nodes\ncluster-node-timeout 2000\nrepl-diskless-sync-delay 0`,
        ),
      );
    const nodes = ports.map((port) => `127.0.0.1:${port}`);
    execFileSync('redis-cli', ['--cluster', 'create', ...nodes, '--cluster-yes', '--cluster-replicas', `${replicas}`], {
      stdio: 'ignore',
    });
    await until(() => ports.every((port) => cli(port, 'cluster', 'info').includes('cluster_state:ok')));
    await until(() => ports.slice(3).every((port) => cli(port, 'role').includes('connected')));
    return ports;
  }

  /** Returns the port of the master that has a key, as any node of the Cluster knows it. */
  masterOf(key: string, anyPort: number): number {
    const slot = Number(cli(anyPort, 'cluster', 'keyslot', key));
    const hasSlot = (node: string): boolean => {
      const [, from, to] = / connected (\d+)-(\d+)$/.exec(node) ?? [];
      return Number(from) <= slot && slot <= Number(to);
    };
    const master = cli(anyPort, 'cluster', 'nodes').split('\n').find(hasSlot) ?? '';
    return Number(/:(\d+)@/.exec(master)?.[1]);
  }

  /** Starts a master, a replica and a Sentinel that makes the replica the master a second after the master is gone. */
  async sentinel(): Promise<{ readonly master: number; readonly replica: number; readonly sentinel: number }> {
    const master = await this.launch((port) => `port ${port}\nrepl-diskless-sync-delay 0`);
    const replica = await this.launch((port) => `port ${port}\nreplicaof 127.0.0.1 ${master}`);
    // A Sentinel chooses no replica that it has seen without its master.
    await until(() => cli(replica, 'role').includes('connected'));
    const sentinel = await this.launch(
      (port) =>
        `port ${port}\nsentinel monitor main 127.0.0.1 ${master} 1\nsentinel down-after-milliseconds main 1000\nsentinel failover-timeout main 3000`,
      ['--sentinel'],
    );
    await until(() => cli(sentinel, 'sentinel', 'replicas', 'main').includes(String(replica)));
    return { master, replica, sentinel };
  }

  /** Makes the Sentinel exchange a living master for its replica. Resolves when it has done so. */
  async exchange({ master, sentinel }: Awaited<ReturnType<RedisTopology['sentinel']>>): Promise<void> {
    cli(sentinel, 'sentinel', 'failover', 'main');
    await until(() => isReplica(master));
  }

  /** Starts a server that speaks TLS only, and returns its port and its self-signed certificate. */
  async tls(): Promise<{ readonly port: number; readonly certFile: string }> {
    const [key, cert] = [join(this.dir, 'key.pem'), join(this.dir, 'cert.pem')];
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost'];
    const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    execFileSync('openssl', [...request, ...names, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    const config = `tls-cert-file ${cert}\ntls-key-file ${key}\ntls-ca-cert-file ${cert}\ntls-auth-clients no`;
    return { port: await this.launch((port) => `port 0\ntls-port ${port}\n${config}`), certFile: cert };
  }
}

function cli(port: number, ...args: string[]): string {
  return execFileSync('redis-cli', ['-p', String(port), ...args], { encoding: 'utf8' });
}

/** A master that becomes a replica closes all connections, this one included. */
function isReplica(port: number): boolean {
  try {
    return cli(port, 'role').startsWith('slave');
  } catch {
    return false;
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
