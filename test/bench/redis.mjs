// A Redis of the benchmark's own on a loopback port, for the second level.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Redis } from 'ioredis';

const BIN = [process.env.REDIS_SERVER_BIN, 'redis-server', 'valkey-server'].find(
  (bin) => bin && spawnSync(bin, ['--version']).status === 0,
);

/** @returns {Promise<{ client: Redis, stop(): void } | undefined>} a client of an empty server; `undefined` where none is installed */
export async function startRedis() {
  if (!BIN) return undefined;
  const port = await freePort();
  const server = spawn(BIN, ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], {
    stdio: 'ignore',
  });
  const client = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 20, maxRetriesPerRequest: null });
  client.on('error', () => undefined);
  await client.ping();
  return {
    client,
    stop() {
      client.disconnect();
      server.kill();
    },
  };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
