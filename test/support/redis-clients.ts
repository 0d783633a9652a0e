import { Redis as Ioredis6 } from 'ioredis';
import { Redis as Ioredis5 } from 'ioredis5';
import { createClient as createClient6 } from 'redis';
import { createClient as createClient5 } from 'redis5';
import type { RedisClient } from 'nestjs-kinde-api-key/redis';

/** A client as an app would have it, with what the tests need beside. */
export interface TestClient {
  readonly client: RedisClient;
  /** Sends any command. */
  command(name: string, ...args: string[]): Promise<unknown>;
  close(): void;
}

/** The clients that the library takes, both majors of each, with their defaults. */
export const CLIENTS: Readonly<Record<string, (port: number) => Promise<TestClient>>> = {
  'ioredis 5': async (port) => ioredis(new Ioredis5(port, '127.0.0.1')),
  'ioredis 6': async (port) => ioredis(new Ioredis6(port, '127.0.0.1')),
  'node-redis 5': async (port) => nodeRedis(createClient5({ url: `redis://127.0.0.1:${port}` })),
  'node-redis 6': async (port) => nodeRedis(createClient6({ url: `redis://127.0.0.1:${port}` })),
};

/** Connects the client that most suites use. */
export function connectClient(port: number): Promise<TestClient> {
  return ioredis(new Ioredis6(port, '127.0.0.1'));
}

async function ioredis(client: Ioredis5 | Ioredis6): Promise<TestClient> {
  return {
    client,
    command: (name: string, ...args: string[]) => client.call(name, ...args),
    close: () => client.disconnect(),
  };
}

async function nodeRedis(
  client: RedisClient & { connect(): Promise<unknown>; sendCommand(args: string[]): Promise<unknown>; destroy(): void },
): Promise<TestClient> {
  client.on('error', () => undefined);
  await client.connect();
  return { client, command: (...args) => client.sendCommand(args), close: () => client.destroy() };
}
