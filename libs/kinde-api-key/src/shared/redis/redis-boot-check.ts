import { randomBytes } from 'node:crypto';
import { pause } from '../../kinde/limits/deadline.js';
import { SharedStoreError, type SharedScope, type SharedSession } from '../shared-store.js';
import { errorReplyOf } from './error-reply.js';
import type { RedisConnection } from './redis-client.js';

/** Code of an answer that Redis would not have sent. */
export const UNEXPECTED = 'UNEXPECTED';
const PING_EVERY_MS = 25;
const CHECK_TTL_MS = 1_000;
/** Error replies that do not pass by themselves. */
const FORBIDDEN: ReadonlySet<string | undefined> = new Set(['NOPERM', 'NOAUTH', 'WRONGPASS']);

/** Sends `PING` until it is answered. A client without an offline queue rejects it while it connects. */
export async function whenConnected(connection: RedisConnection, withinMs: number): Promise<unknown> {
  const endsAtMs = performance.now() + withinMs;
  for (;;) {
    try {
      const answer = await connection.send(['PING']);
      if (String(answer) !== 'PONG') throw new SharedStoreError('PING was not answered by PONG', UNEXPECTED);
      return answer;
    } catch (error) {
      // A method that takes other arguments than that of the library it was taken for.
      if (error instanceof TypeError) throw new SharedStoreError(error.message, UNEXPECTED);
      const isFinal = error instanceof SharedStoreError || errorReplyOf(error) !== undefined;
      if (isFinal || performance.now() >= endsAtMs) throw error;
      await pause(PING_EVERY_MS);
    }
  }
}

/** Runs the commands of the store once. A client may have the methods of a library, and answer differently. */
export async function checkCommands(session: SharedSession, { invalidations }: SharedScope): Promise<void> {
  const name = `${invalidations}:check:${randomBytes(8).toString('hex')}`;
  const isAsExpected = [
    await session.acquire(name, name, CHECK_TTL_MS),
    (await session.read(name)) === name,
    (await session.take(`${name}:rate`, 1, CHECK_TTL_MS)).accepted,
    (await session.invalidationsOf([name])).length === 0,
    (await session.invalidationsSince(Number.MAX_SAFE_INTEGER)).length === 0,
  ];
  await session.write(name, name, CHECK_TTL_MS);
  await session.remove(name);
  await session.remove(`${name}:rate`);
  if (isAsExpected.includes(false)) throw new SharedStoreError('Redis sent an unexpected answer', UNEXPECTED);
}

/** @throws {TypeError} if the client or its user can never do what the store needs. Any other failure of Redis may pass. */
export function throwIfPermanent(error: unknown): void {
  const code = error instanceof SharedStoreError ? error.code : undefined;
  if (code === UNEXPECTED)
    throw new TypeError(
      'The client in redisStore({ client }) does not answer as ioredis and node-redis do. Pass a client of ioredis 5 or 6 or of redis 5 or 6, ' +
        'with the default types of answers',
    );
  if (FORBIDDEN.has(code))
    throw new TypeError(
      `The Redis user of redisStore({ client }) may not do what the store needs (${code}). Check its password, and grant it: ` +
        '~*nkak:* &nkak:* +@read +@write +@scripting +@pubsub +@connection +info +time',
    );
}
