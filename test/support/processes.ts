import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { KindeEmulator } from 'nestjs-kinde-api-key/testing';

const ROOT = join(__dirname, '../..');

/** An instance of the app in a process of its own. */
export interface InstanceProcess {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts instances, all at once, and waits until each of them listens. */
export async function startProcesses(
  count: number,
  kinde: KindeEmulator,
  redisPort: number,
): Promise<readonly InstanceProcess[]> {
  const children = Array.from({ length: count }, () =>
    fork(join(ROOT, 'test/redis/instance.ts'), {
      cwd: ROOT,
      execArgv: ['--conditions', 'nestjs-kinde-api-key/source', '--import', join(ROOT, 'apps/sample/run-sources.mjs')],
      env: {
        PATH: process.env.PATH,
        KINDE_DOMAIN: kinde.domain,
        KINDE_MANAGEMENT_CLIENT_ID: kinde.credentials.clientId,
        KINDE_MANAGEMENT_CLIENT_SECRET: kinde.credentials.clientSecret,
        TEST_REDIS_PORT: String(redisPort),
        // Eight processes on two cores wait for each other for longer than a deadline that suits production.
        TEST_REDIS_TIMEOUT_MS: '250',
      },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    }),
  );
  return Promise.all(children.map(started));
}

async function started(child: ChildProcess): Promise<InstanceProcess> {
  const ended = once(child, 'exit');
  const [first] = (await Promise.race([once(child, 'message'), ended])) as unknown[];
  if (typeof first !== 'string') throw new Error(`an instance ended with ${String(first)} before it listened`);
  return {
    url: first,
    stop: async () => {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}
