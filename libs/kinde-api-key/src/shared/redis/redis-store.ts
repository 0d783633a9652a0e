import { choice, integer, readArgument, type OptionalIn } from '../../config/option-kinds.js';
import type { SharedStore } from '../shared-store.js';
import { connectionOf, type RedisClient } from './redis-client.js';
import { RedisSession } from './redis-session.js';

/** The options of `redisStore()` beside the client. */
export const REDIS_STORE_OPTIONS = {
  /**
   * Deadline of a call to Redis. After it, the request is served from the instance's own cache. A rate-limited request waits up to a second
   * longer, until it is known whether Redis is down. In milliseconds, 5 to 5,000. Default 50.
   */
  timeoutMs: integer({ min: 5, max: 5_000, default: 50, unit: 'ms' }),
  /**
   * What happens to rate-limited requests while Redis is unreachable. `'local'`: each instance counts for itself, up to `limit` divided
   * by the number of instances seen lately, at least 1. Risk: instances that start meanwhile do not see the others. `'refuse'`: they get 429 `RATE_LIMITED`, so a Redis outage is an outage of the app. Default `'local'`.
   */
  limitsOnOutage: choice('local', 'refuse'),
};

/** See {@link redisStore}. */
export interface RedisStoreOptions extends OptionalIn<typeof REDIS_STORE_OPTIONS> {
  /**
   * The app's own client: ioredis 5 or 6 (`new Redis()`), or node-redis 5 or 6 (`createClient()`, which the app connects). The store never
   * closes it. It opens a second connection by `duplicate()` to receive invalidations, and closes that one with the app. Required.
   */
  readonly client: RedisClient;
}

/**
 * Shares verdicts, invalidations, the M2M token and rate limits between the instances of an app over Redis. For the option `shared`.
 *
 * Redis is not trusted: verdicts are authenticated and the token is encrypted with secrets derived from the client secret. While Redis
 * does not answer, each instance falls back to its own cache and limits.
 *
 * @throws {TypeError} if the client is of another kind or an option is out of range
 */
export function redisStore({ client, ...options }: RedisStoreOptions): SharedStore {
  const checked = readArgument(REDIS_STORE_OPTIONS, options, 'redisStore');
  const connection = connectionOf(client);
  const { limitsOnOutage } = checked;
  return { name: 'redis', limitsOnOutage, open: (scope) => new RedisSession(connection, checked, scope) };
}
