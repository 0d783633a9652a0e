import type { SharedStore } from '../shared-store.js';
import { connectionOf, type RedisClient } from './redis-client.js';
import { RedisSession } from './redis-session.js';

/** See {@link redisStore}. */
export interface RedisStoreOptions {
  /**
   * A client of the app's own, of ioredis 5 or 6 (`new Redis()`) or of node-redis 5 or 6 (`createClient()`, which the app connects). It is
   * used and never closed; for announcements a second connection is opened by its `duplicate()`, and closed with the app.
   */
  readonly client: RedisClient;
  /** The longest that a call to Redis is waited for, in milliseconds, from 5 to 5,000. Default 50. */
  readonly timeoutMs?: number;
  /**
   * What becomes of requests that are limited while Redis is out of reach: `local` counts them in each instance, so that the limit is one
   * for each instance; `refuse` answers them 429 `RATE_LIMITED`, so that Redis in trouble is an outage. Default `local`.
   */
  readonly limitsOnOutage?: 'local' | 'refuse';
}

/**
 * Lets the instances of an app share what they know over Redis: verdicts, invalidations, one M2M token. For the option `shared`.
 *
 * Redis is not trusted: entries are authenticated and the token is encrypted with keys that are derived from the client secret. While it
 * cannot be reached, each instance goes on by itself.
 *
 * @param options the client, and how long Redis may take
 * @throws {TypeError} for a client of another kind, or an option out of range
 */
export function redisStore({ client, timeoutMs = 50, limitsOnOutage = 'local' }: RedisStoreOptions): SharedStore {
  if (!Number.isInteger(timeoutMs) || timeoutMs < 5 || timeoutMs > 5_000)
    throw new TypeError('redisStore({ timeoutMs }) must be a whole number from 5 to 5000');
  if (limitsOnOutage !== 'local' && limitsOnOutage !== 'refuse')
    throw new TypeError("redisStore({ limitsOnOutage }) must be 'local' or 'refuse'");
  const connection = connectionOf(client);
  return { name: 'redis', limitsOnOutage, open: (scope) => new RedisSession(connection, timeoutMs, scope) };
}
