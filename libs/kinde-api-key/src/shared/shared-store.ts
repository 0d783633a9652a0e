/** What the instances of an app share, as the option `shared` takes it: `redisStore({ client })` from `nestjs-kinde-api-key/redis`. */
export interface SharedStore {
  /** One word for the line that is logged at boot, e.g. `redis`. */
  readonly name: string;
  /**
   * What becomes of requests that are limited while the store is out of reach: `local` counts them in each instance (the limit is then
   * one for each instance), `refuse` refuses them. Default `local`.
   */
  readonly limitsOnOutage?: 'local' | 'refuse';
  /** Makes the part of one registration. Connects nothing yet: see {@link SharedSession.start}. */
  open(scope: SharedScope): SharedSession;
}

/** What a store is told about a registration. No secret: whatever needs one is sealed before a store sees it. */
export interface SharedScope {
  /** Where invalidations are kept and announced: the same for every registration of one Kinde domain. */
  readonly invalidations: string;
  /** How long a invalidation is of use, in milliseconds. */
  readonly keepInvalidationsMs: number;
  /** The store reports here, once, when trouble begins and when it is over. */
  readonly log: { warn(message: string): void };
}

/** Keys that were invalidated: a tag names them, the time is that of the machine that did it. */
export interface Invalidation {
  /** `keyId:…`, `orgCode:…`, `userId:…` or `*`, at most {@link MAX_TAG_LENGTH} characters. */
  readonly tag: string;
  /** Milliseconds since the Unix epoch. */
  readonly atMs: number;
}

/** Longer tags are nobody's. */
export const MAX_TAG_LENGTH = 300;

/** Longer values are neither written nor believed, in bytes. */
export const MAX_VALUE_BYTES = 65_536;

/** How far the clocks of two instances may be apart, in milliseconds. What is nearer to an invalidation than that is not believed. */
export const MAX_SKEW_MS = 2_000;

/** What became of one request that was counted against a limit. */
export interface SharedRate {
  /** Whether it is within the limit. One that is not consumes nothing. */
  readonly accepted: boolean;
  /** How many more would be accepted at this moment, at least 0. */
  readonly remaining: number;
  /** Milliseconds, more than 0: after a refusal until one request will pass, after an acceptance until the oldest one stops counting. */
  readonly resetAfterMs: number;
}

/** Told what happens elsewhere. Neither may throw. */
export interface SharedListener {
  /** Another instance, or this one, has invalidated keys. */
  onInvalidation(invalidation: Invalidation): void;
  /** The store is within reach (again): whatever was announced meanwhile has been missed. */
  onConnected(): void;
}

/**
 * A registration's part of a shared store. The store is never trusted: a value that comes back is believed only if it carries the
 * library's own authentication, and what it says about invalidations can only make the library forget.
 *
 * Every method rejects with {@link SharedStoreError} within a short deadline of the store's own, and at once while the store is known
 * to be out of reach. Names and values are visible ASCII.
 */
export interface SharedSession {
  /** @returns the value, or `undefined` where there is none; one that is longer than {@link MAX_VALUE_BYTES} may come cut off */
  read(name: string): Promise<string | undefined>;
  /** Keeps a value for `ttlMs` milliseconds, from 1. */
  write(name: string, value: string, ttlMs: number): Promise<void>;
  /** Forgets a value. */
  remove(name: string): Promise<void>;
  /** Takes a lock for `ttlMs` milliseconds, or holds it longer if `owner` has it already. @returns whether `owner` has it now */
  acquire(name: string, owner: string, ttlMs: number): Promise<boolean>;
  /** Gives a lock back if `owner` has it; that of another is left alone. */
  release(name: string, owner: string): Promise<void>;
  /**
   * Decides about one request and counts it if it is accepted, as one step: in no half-open window `[t, t + windowMs)` are more than
   * `limit` of a bucket accepted by all instances together, and none is refused while there are fewer. By the store's own time.
   */
  take(bucket: string, limit: number, windowMs: number): Promise<SharedRate>;
  /** Keeps a invalidation, unless there is a later one, and announces it to every instance that listens. */
  publish(invalidation: Invalidation): Promise<void>;
  /** @returns those of the tags that have a invalidation */
  invalidationsOf(tags: readonly string[]): Promise<readonly Invalidation[]>;
  /** @returns every invalidation of that time or later, and a `*` in place of those that had to make room */
  invalidationsSince(atMs: number): Promise<readonly Invalidation[]>;
  /** Begins to listen. Resolves when the store has answered, or after about a second: a boot does not depend on it. */
  start(listener: SharedListener): Promise<void>;
  /** Ends what {@link start} began. What the app itself has opened stays open. Idempotent. */
  close(): Promise<void>;
}

/** The shared store did not do what it was asked for. The library goes on without it. */
export class SharedStoreError extends Error {
  override readonly name = 'SharedStoreError';
}
