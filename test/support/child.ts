import { fork, type ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = resolve(__dirname, '../..');

/** Options of {@link startChild}. */
export interface ChildOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly nodeFlags?: readonly string[];
  /** Whether the child's output is piped to this process instead of printed. */
  readonly silent?: boolean;
}

/** Runs a TypeScript file of `test/`, from the sources, in a process of its own. */
export function startChild(
  file: string,
  { env = {}, nodeFlags = [], silent = false }: ChildOptions = {},
): ChildProcess {
  const loader = pathToFileURL(resolve(ROOT, 'apps/sample/run-sources.mjs')).href;
  return fork(resolve(ROOT, 'test', file), {
    cwd: ROOT,
    env: { ...process.env, ...env },
    execArgv: ['--import', loader, ...nodeFlags],
    silent,
  });
}

/** Returns the next message of a child that has a certain field. Rejects if the child ends before. */
export function messageWith<T>(child: ChildProcess, field: string): Promise<T> {
  return new Promise((resolvePromise, reject) => {
    const onMessage = (message: unknown): void => {
      if (typeof message !== 'object' || message === null || !Object.hasOwn(message, field)) return;
      child.off('message', onMessage);
      child.off('exit', onExit);
      resolvePromise(message as T);
    };
    const onExit = (code: number | null): void =>
      reject(new Error(`the child ended with code ${code} before it sent "${field}"`));
    child.on('message', onMessage);
    child.once('exit', onExit);
  });
}
