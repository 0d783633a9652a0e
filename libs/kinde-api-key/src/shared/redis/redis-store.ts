import type { SharedStore } from '../shared-store.js';
import { connectionOf, type RedisClient } from './redis-client.js';
import { RedisSession } from './redis-session.js';

/** Options of {@link redisStore}. */
export interface RedisStoreOptions {
  /**
   * Redis client of the app: ioredis 5 or 6 (`new Redis()`), or node-redis 5 or 6 (`createClient()`, which the app connects). The
   * library never closes it. It calls `duplicate()` for a second connection that receives invalidations, and closes that with the app.
   */
  readonly client: RedisClient;
  /** Maximum time to wait for an answer of Redis, in milliseconds, a whole number from 5 to 5,000. Default 50. */
  readonly timeoutMs?: number;
  /**
   * What happens to rate-limited requests while Redis does not answer: `local` counts them in each instance, so that the limit holds
   * per instance; `refuse` answers them with 429 `RATE_LIMITED`. Default `local`. With `local`, _n_ instances accept up to _n_ times
   * the limit meanwhile; with `refuse`, an outage of Redis is an outage of every rate-limited route.
   */
  readonly limitsOnOutage?: 'local' | 'refuse';
}

/**
 * Shares verdicts, invalidations, the M2M token and rate limits between the instances of an app over Redis. For the option `shared`.
 *
 * Redis is not trusted: verdicts are authenticated and the token is encrypted with secrets derived from the client secret. While Redis
 * does not answer, each instance falls back to its own cache and limits.
 *
 * @throws {TypeError} if the client is of another kind or an option is out of range
 */
export function redisStore({ client, timeoutMs = 50, limitsOnOutage = 'local' }: RedisStoreOptions): SharedStore {
  if (!Number.isInteger(timeoutMs) || timeoutMs < 5 || timeoutMs > 5_000)
    throw new TypeError('redisStore({ timeoutMs }) must be a whole number from 5 to 5000');
  if (limitsOnOutage !== 'local' && limitsOnOutage !== 'refuse')
    throw new TypeError("redisStore({ limitsOnOutage }) must be 'local' or 'refuse'");
  const connection = connectionOf(client);
  return { name: 'redis', limitsOnOutage, open: (scope) => new RedisSession(connection, timeoutMs, scope) };
}
