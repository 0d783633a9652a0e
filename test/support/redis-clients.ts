import { Redis as Ioredis6 } from 'ioredis';
import { Redis as Ioredis5 } from 'ioredis5';
import { createClient as createClient6 } from 'redis';
import { createClient as createClient5 } from 'redis5';
import type { IoredisClient, NodeRedisClient, RedisClient } from 'nestjs-kinde-api-key/redis';

/** A Redis client as an app has it, with helpers for tests. */
export interface TestClient {
  readonly client: RedisClient;
  /** Names of the commands that were sent on the client, in order. */
  readonly sent: readonly string[];
  /** Sends any command. */
  command(name: string, ...args: string[]): Promise<unknown>;
  close(): void;
}

/** The client libraries that are supported, both majors of each, with their defaults. */
export const CLIENTS: Readonly<Record<string, (port: number) => Promise<TestClient>>> = {
  'ioredis 5': async (port) => ioredis(new Ioredis5(port, '127.0.0.1')),
  'ioredis 6': async (port) => ioredis(new Ioredis6(port, '127.0.0.1')),
  'node-redis 5': async (port) => nodeRedis(createClient5({ url: `redis://127.0.0.1:${port}` })),
  'node-redis 6': async (port) => nodeRedis(createClient6({ url: `redis://127.0.0.1:${port}` })),
};

/** Connects the client that most suites use. */
export async function connectClient(port: number): Promise<TestClient> {
  return ioredis(new Ioredis6(port, '127.0.0.1'));
}

function ioredis(client: IoredisClient): TestClient {
  const sent: string[] = [];
  const call = client.call.bind(client);
  client.call = (name, ...args) => {
    sent.push(name);
    return call(name, ...args);
  };
  return { client, sent, command: call, close: () => client.disconnect() };
}

async function nodeRedis(client: NodeRedisClient): Promise<TestClient> {
  const sent: string[] = [];
  const sendCommand = client.sendCommand.bind(client);
  client.sendCommand = (args) => {
    sent.push(args[0] ?? '');
    return sendCommand(args);
  };
  client.on('error', () => undefined);
  await client.connect();
  return { client, sent, command: (...args) => sendCommand(args), close: () => client.destroy() };
}
