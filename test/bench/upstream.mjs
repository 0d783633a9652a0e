// The emulator in a process of its own, so that its CPU time does not count.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What every key of the benchmark may do, and the organization that every path names. */
export const SCOPES = ['read:users', 'write:users'];
export const ORG_CODE = 'org_1767f11ce62';

/**
 * @param {number} keys how many good keys there are
 * @returns {Promise<{ domain: string, credentials: object, keys: { key: string, keyId: string }[], narrowKey: string, createKey(): Promise<string>, countVerifications(): Promise<number>, stop(): void }>}
 */
export async function startUpstream(keys) {
  const child = fork(fileURLToPath(import.meta.url), [String(keys)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const next = () => new Promise((resolve) => child.once('message', resolve));
  const started = await next();
  const ask = (what) => {
    const answer = next();
    child.send(what);
    return answer;
  };
  return {
    ...started,
    createKey: () => ask('key'),
    countVerifications: () => ask('count'),
    stop: () => child.kill(),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { KindeEmulator } = await import('nestjs-kinde-api-key/testing');
  const emulator = await KindeEmulator.start();
  const create = () => emulator.createKey({ scopes: SCOPES, orgCode: ORG_CODE });
  const answers = { key: () => create().key, count: () => emulator.counters.verifies };
  process.on('message', (what) => process.send(answers[what]()));
  process.on('disconnect', () => process.exit());
  process.send({
    domain: emulator.domain,
    credentials: emulator.credentials,
    keys: Array.from({ length: Number(process.argv[2]) }, create),
    narrowKey: emulator.createKey({ scopes: ['read:users'], orgCode: ORG_CODE }).key,
  });
}
