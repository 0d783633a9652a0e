import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Redis } from 'ioredis';
import { redisStore } from 'nestjs-kinde-api-key/redis';

/** `REDIS_URL` is not the URL of a Redis. */
export class RedisUrlError extends Error {}

/**
 * Connects to the Redis of `REDIS_URL`, so that all instances of this API share verdicts, invalidations and rate limits.
 * Without the variable there is no store, and an instance works alone.
 */
@Injectable()
export class RedisService implements OnApplicationShutdown {
  private readonly client = connect(process.env.REDIS_URL);
  readonly store = this.client && redisStore({ client: this.client });

  /** The library never closes the client of an app. */
  onApplicationShutdown(): void {
    this.client?.disconnect();
  }
}

function connect(url: string | undefined): Redis | undefined {
  if (!url) return undefined;
  // The URL may hold a password, so the message does not repeat it.
  if (!/^rediss?:\/\/./.test(url) || !URL.canParse(url))
    throw new RedisUrlError('REDIS_URL must be a URL like redis://127.0.0.1:6379, or rediss:// for TLS');
  return new Redis(url);
}
