import { once } from 'node:events';
import type { KindeEmulator } from 'nestjs-kinde-api-key/testing';
import { messageWith, startChild } from './child.js';

/** One instance of the app, in a process of its own. */
export interface InstanceProcess {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts instances concurrently, and resolves when all of them listen. */
export function startProcesses(
  count: number,
  kinde: KindeEmulator,
  redisPort: number,
): Promise<readonly InstanceProcess[]> {
  const env = {
    KINDE_DOMAIN: kinde.domain,
    KINDE_MANAGEMENT_CLIENT_ID: kinde.credentials.clientId,
    KINDE_MANAGEMENT_CLIENT_SECRET: kinde.credentials.clientSecret,
    TEST_REDIS_PORT: String(redisPort),
  };
  return Promise.all(Array.from({ length: count }, () => startProcess(env)));
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
