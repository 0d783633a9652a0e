import type { Log } from '../log.js';

/**
 * A store that all instances of an app share, for the option `shared`: `redisStore({ client })` from `nestjs-kinde-api-key/redis`, or
 * an implementation of your own. Test yours with `describeSharedStore` from `nestjs-kinde-api-key/testing`.
 * @experimental The port for stores of your own may change in a minor version. Using `redisStore` is stable.
 */
export interface SharedStore {
  /** Name of the store in the log line at boot, one word, e.g. `redis`. */
  readonly name: string;
  /**
   * What happens to rate-limited requests while the store cannot be reached: `local` counts them in each instance, which accepts its share
   * of the limit; `refuse` answers them with 429 `RATE_LIMITED`. Default `local`.
   */
  readonly limitsOnOutage?: 'local' | 'refuse';
  /** Returns the session of one registration. Connects nothing yet: see {@link SharedSession.start}. */
  open(scope: SharedScope): SharedSession;
}

/**
 * What a store is told about a registration. Holds no secret: values are sealed before a store sees them.
 * @experimental May change in a minor version.
 */
export interface SharedScope {
  /** Name under which invalidations are stored and published, the same for all registrations of one Kinde domain. */
  readonly invalidations: string;
  /** How long an invalidation must be kept, in milliseconds. */
  readonly keepInvalidationsMs: number;
  /** Where the store logs that it cannot be reached, and that it can again. Log each once. */
  readonly log: Pick<Log, 'warn'>;
}

/** Invalidates the keys with a tag that were verified before a time. @experimental May change in a minor version. */
export interface Invalidation {
  /** `keyId:…`, `orgCode:…`, `userId:…`, or `*` for every key. At most {@link MAX_TAG_LENGTH} characters. */
  readonly tag: string;
  /** Time on the invalidating instance, in milliseconds since the Unix epoch. */
  readonly atMs: number;
}

/** Maximum length of a tag, in characters. Longer tags are ignored. */
export const MAX_TAG_LENGTH = 300;

/** Maximum length of a value, in bytes. Longer values are neither written nor accepted. */
export const MAX_VALUE_BYTES = 65_536;

/** How far the clocks of two instances may differ, in milliseconds. Verdicts this close to an invalidation are not used. */
export const MAX_SKEW_MS = 2_000;

/** Decision about one request that counts against a limit. @experimental May change in a minor version. */
export interface SharedRate {
  /** Whether the request is within the limit. A refused request does not count. */
  readonly accepted: boolean;
  /** Number of further requests that would be accepted now, at least 0. */
  readonly remaining: number;
  /** Milliseconds, more than 0: after a refusal, until the next request is accepted; otherwise, until the oldest one stops counting. */
  readonly resetAfterMs: number;
}

/** Receives what happens in the store. Its methods do not throw. @experimental May change in a minor version. */
export interface SharedListener {
  /** Called when an instance, this one included, has published an invalidation. */
  onInvalidation(invalidation: Invalidation): void;
  /** Called when the store can be reached, for the first time or again. Messages may have been missed before. */
  onConnected(): void;
}

/**
 * The part of a shared store that one registration uses. The store is not trusted: values are authenticated by the library, and an
 * invalidation can only make it verify a key again.
 *
 * Every method rejects with {@link SharedStoreError} within a short deadline, and at once while the store is known to be unreachable.
 * Names and values are visible ASCII.
 * @experimental May change in a minor version.
 */
export interface SharedSession {
  /** Returns a value, or `undefined` if it does not exist. May cut off a value that is longer than {@link MAX_VALUE_BYTES}. */
  read(name: string): Promise<string | undefined>;
  /** Stores a value for `ttlMs` milliseconds, at least 1. */
  write(name: string, value: string, ttlMs: number): Promise<void>;
  /** Deletes a value. */
  remove(name: string): Promise<void>;
  /** Acquires a lock for `ttlMs` milliseconds, or extends it for its `owner`. Returns whether `owner` holds it now. */
  acquire(name: string, owner: string, ttlMs: number): Promise<boolean>;
  /** Releases a lock if `owner` holds it. */
  release(name: string, owner: string): Promise<void>;
  /**
   * Decides about one request, and counts it if it is accepted, in one atomic step. In no window `[t, t + windowMs)` of the store's own
   * time do all instances together accept more than `limit` requests of a bucket, and none is refused while fewer were accepted.
   */
  take(bucket: string, limit: number, windowMs: number): Promise<SharedRate>;
  /**
   * Records that this instance lives, and returns how many instances did so within `ttlMs` milliseconds. While the store cannot be reached,
   * each of them accepts its share of a limit. Without this method each accepts the whole limit.
   */
  countInstances?(name: string, instance: string, ttlMs: number): Promise<number>;
  /** Stores an invalidation, unless a later one of the same tag exists, and sends it to every listening instance before it resolves. */
  publish(invalidation: Invalidation): Promise<void>;
  /** Returns the stored invalidations of these tags. */
  invalidationsOf(tags: readonly string[]): Promise<readonly Invalidation[]>;
  /** Returns the stored invalidations of that time or later. A `*` stands for those that were evicted. */
  invalidationsSince(atMs: number): Promise<readonly Invalidation[]>;
  /**
   * Starts listening. Resolves when the store has answered, or after about a second, so that it cannot hold up a boot. Rejects if the store
   * can never work as it is configured, which stops the boot.
   */
  start(listener: SharedListener): Promise<void>;
  /** Ends what {@link start} began. Leaves the app's own connections open. Idempotent. */
  close(): Promise<void>;
}

/** Rejection of a {@link SharedSession}: the store failed or was too slow. The library continues without it. */
export class SharedStoreError extends Error {
  override readonly name = 'SharedStoreError';

  /** @param code first word of the store's error reply, e.g. `OOM`. Without it, the store did not answer in time */
  constructor(
    message: string,
    readonly code?: string,
  ) {
    super(message);
  }
}
