import { hash } from 'node:crypto';
import { MAX_TAG_LENGTH, MAX_VALUE_BYTES, SharedStoreError } from '../shared-store.js';
import type { SharedListener, SharedRate, SharedScope, SharedSession, Invalidation } from '../shared-store.js';
import { RedisCircuit } from './redis-circuit.js';
import type { RedisConnection, Subscription } from './redis-client.js';
import { ACQUIRE, PUBLISH, RELEASE, TAKE, INVALIDATIONS_OF } from './scripts.js';

const MAX_INVALIDATIONS = 10_000;
/** A boot waits this long for Redis, in milliseconds: a first connection over a network takes longer than a command. */
const BOOT_WAIT_MS = 1_000;
const REVIVE_EVERY_MS = 5_000;
/** By its name, the script of every limited request is sent once and not each time. */
const TAKE_SHA1 = hash('sha1', TAKE);
const MESSAGE = /^(\d{1,16}) ([\x21-\x7e]+)$/;

/** A registration's part of Redis. */
export class RedisSession implements SharedSession {
  readonly #connection: RedisConnection;
  readonly #scope: SharedScope;
  readonly #lifeline: RedisCircuit;
  #listener: SharedListener | undefined;
  #subscription: Subscription | undefined;
  #revival: NodeJS.Timeout | undefined;

  /**
   * @param connection the app's client
   * @param timeoutMs the longest that a call is waited for, in milliseconds
   * @param scope whose part it is
   */
  constructor(connection: RedisConnection, timeoutMs: number, scope: SharedScope) {
    this.#connection = connection;
    this.#scope = scope;
    this.#lifeline = new RedisCircuit({
      probe: () => connection.send(['PING']),
      timeoutMs,
      log: scope.log,
      onBack: () => this.#listener?.onConnected(),
    });
  }

  async read(name: string): Promise<string | undefined> {
    // Whoever else writes to this Redis decides how long a value is: more than can be of ours is not fetched.
    const value = await this.#send('GETRANGE', name, '0', String(MAX_VALUE_BYTES));
    return typeof value === 'string' && value !== '' ? value : undefined;
  }

  async write(name: string, value: string, ttlMs: number): Promise<void> {
    await this.#send('SET', name, value, 'PX', String(ttlMs));
  }

  async remove(name: string): Promise<void> {
    await this.#send('DEL', name);
  }

  async acquire(name: string, owner: string, ttlMs: number): Promise<boolean> {
    return (await this.#send('EVAL', ACQUIRE, '1', name, owner, String(ttlMs))) === 1;
  }

  async release(name: string, owner: string): Promise<void> {
    await this.#send('EVAL', RELEASE, '1', name, owner);
  }

  async take(bucket: string, limit: number, windowMs: number): Promise<SharedRate> {
    const args = ['1', bucket, String(limit), String(windowMs)];
    const answer = await this.#lifeline.run(async () => {
      try {
        return await this.#connection.send(['EVALSHA', TAKE_SHA1, ...args]);
      } catch (error) {
        if (!String(error).includes('NOSCRIPT')) throw error;
        return this.#connection.send(['EVAL', TAKE, ...args]);
      }
    });
    const [accepted, remaining, resetAfterUs] = Array.isArray(answer) ? answer.map(Number) : [];
    if (remaining === undefined || !resetAfterUs) throw new SharedStoreError('Redis answered with something else');
    return { accepted: accepted === 1, remaining, resetAfterMs: resetAfterUs / 1_000 };
  }

  async publish({ tag, atMs }: Invalidation): Promise<void> {
    const { invalidations, keepInvalidationsMs } = this.#scope;
    const numbers = [atMs, keepInvalidationsMs, MAX_INVALIDATIONS].map(String);
    await this.#send('EVAL', PUBLISH, '1', invalidations, tag, ...numbers);
  }

  async invalidationsOf(tags: readonly string[]): Promise<readonly Invalidation[]> {
    return pairsOf(await this.#send('EVAL', INVALIDATIONS_OF, '1', this.#scope.invalidations, ...tags));
  }

  async invalidationsSince(atMs: number): Promise<readonly Invalidation[]> {
    const limit = ['LIMIT', '0', String(MAX_INVALIDATIONS)];
    const range = [String(atMs), '+inf', 'WITHSCORES', ...limit];
    return pairsOf(await this.#send('ZRANGEBYSCORE', this.#scope.invalidations, ...range));
  }

  async start(listener: SharedListener): Promise<void> {
    this.#listener = listener;
    this.#subscription = this.#connection.subscribe(this.#scope.invalidations, {
      onMessage: (message) => this.#hear(message),
      onSubscribed: () => listener.onConnected(),
    });
    this.#revival = setInterval(() => this.#subscription?.revive(), REVIVE_EVERY_MS);
    this.#revival.unref();
    await this.#lifeline.run(() => this.#connection.send(['PING']), BOOT_WAIT_MS).catch(() => undefined);
  }

  async close(): Promise<void> {
    clearInterval(this.#revival);
    this.#lifeline.close();
    this.#subscription?.close();
    this.#subscription = undefined;
  }

  #send(...args: string[]): Promise<unknown> {
    return this.#lifeline.run(() => this.#connection.send(args));
  }

  #hear(message: unknown): void {
    if (typeof message !== 'string' || message.length > MAX_TAG_LENGTH + 20) return;
    const [, atMs, tag] = MESSAGE.exec(message) ?? [];
    if (tag !== undefined) this.#listener?.onInvalidation({ tag, atMs: Number(atMs) });
  }
}

/** Members and times, flat (RESP2) or in pairs (RESP3). What is no invalidation is left out. */
function pairsOf(answer: unknown): readonly Invalidation[] {
  if (!Array.isArray(answer)) throw new SharedStoreError('Redis answered with something else');
  const flat: unknown[] = answer.flat();
  const invalidations: Invalidation[] = [];
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const [tag, atMs] = [flat[index], Number(flat[index + 1])];
    if (typeof tag === 'string' && tag.length <= MAX_TAG_LENGTH && Number.isFinite(atMs))
      invalidations.push({ tag, atMs });
  }
  return invalidations;
}
