import { fork, type ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = resolve(__dirname, '../..');

/** Runs a TypeScript file of the tests in a process of its own, from the sources. */
export function startChild(
  file: string,
  {
    env = {},
    nodeFlags = [],
    silent = false,
  }: { env?: NodeJS.ProcessEnv; nodeFlags?: string[]; silent?: boolean } = {},
): ChildProcess {
  const loader = pathToFileURL(resolve(ROOT, 'apps/sample/run-sources.mjs')).href;
  return fork(resolve(ROOT, 'test', file), {
    cwd: ROOT,
    env: { ...process.env, ...env },
    execArgv: ['--conditions', 'nestjs-kinde-api-key/source', '--import', loader, ...nodeFlags],
    silent,
  });
}

/** The next message of a child that has a certain field; an error if it ends before. */
export function messageWith<T>(child: ChildProcess, field: string): Promise<T> {
  return new Promise((resolvePromise, reject) => {
    const onMessage = (message: unknown): void => {
      if (typeof message !== 'object' || message === null || !Object.hasOwn(message, field)) return;
      child.off('message', onMessage);
      child.off('exit', onExit);
      resolvePromise(message as T);
    };
    const onExit = (code: number | null): void =>
      reject(new Error(`the child ended with ${code} before it said "${field}"`));
    child.on('message', onMessage);
    child.once('exit', onExit);
  });
}
