import { once } from 'node:events';
import type { KindeEmulator } from 'nestjs-kinde-api-key/testing';
import { messageWith, startChild } from './child.js';
import { send } from './http.js';

/** One instance of the app, in a process of its own. */
export interface InstanceProcess {
  readonly url: string;
  stop(): Promise<void>;
}

/** How the processes use Redis. */
export interface ProcessesRedis {
  readonly port: number;
  /** Their client libraries, names of `CLIENTS`: one after the other. */
  readonly clients: readonly string[];
  readonly timeoutMs: number;
}

/** Starts instances concurrently, and resolves when all of them listen. */
export function startProcesses(
  count: number,
  kinde: KindeEmulator,
  { port, clients, timeoutMs }: ProcessesRedis,
): Promise<readonly InstanceProcess[]> {
  const env = {
    KINDE_DOMAIN: kinde.domain,
    KINDE_MANAGEMENT_CLIENT_ID: kinde.credentials.clientId,
    KINDE_MANAGEMENT_CLIENT_SECRET: kinde.credentials.clientSecret,
    TEST_REDIS_PORT: String(port),
    TEST_REDIS_TIMEOUT_MS: String(timeoutMs),
  };
  const clientOf = (index: number): string => clients[index % clients.length] ?? '';
  return Promise.all(
    Array.from({ length: count }, (_, index) => startProcess({ ...env, TEST_REDIS_CLIENT: clientOf(index) })),
  );
}

/** Sends requests of a new key to `/limited` of all processes at once, after each has accepted the key. Returns how many get 200 and 429. */
export async function sendBurst(
  processes: readonly InstanceProcess[],
  kinde: KindeEmulator,
  count: number,
): Promise<{ accepted: number; limited: number }> {
  const headers = { authorization: `Bearer ${kinde.createKey().key}` };
  await Promise.all(processes.map(({ url }) => send(`${url}/protected`, { headers })));
  const urls = Array.from({ length: count }, (_, index) => `${processes[index % processes.length]?.url}/limited`);
  const answers = await Promise.all(urls.map((url) => send(url, { headers })));
  const withStatus = (status: number): number => answers.filter((answer) => answer.status === status).length;
  return { accepted: withStatus(200), limited: withStatus(429) };
}

async function startProcess(env: NodeJS.ProcessEnv): Promise<InstanceProcess> {
  const child = startChild('redis/instance.ts', { env });
  const ended = once(child, 'exit');
  const { url } = await messageWith<{ url: string }>(child, 'url');
  return {
    url,
    stop: async () => {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}
