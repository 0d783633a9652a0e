import { hash } from 'node:crypto';
import { MAX_TAG_LENGTH, MAX_VALUE_BYTES, SharedStoreError } from '../shared-store.js';
import type { Invalidation, SharedListener, SharedRate, SharedScope, SharedSession } from '../shared-store.js';
import { RedisCircuit } from './redis-circuit.js';
import { checkCommands, throwIfPermanent, UNEXPECTED, whenConnected } from './redis-boot-check.js';
import type { RedisConnection } from './redis-client.js';
import { RedisHealthLog } from './redis-health-log.js';
import { ACQUIRE, COUNT_INSTANCES, INVALIDATIONS_OF, PUBLISH, RELEASE, TAKE } from './scripts.js';

const MAX_INVALIDATIONS = 10_000;
/** How long a boot waits for Redis. Longer than a command's deadline, because a first connection takes longer. */
const BOOT_TIMEOUT_MS = 1_000;
/** `TAKE` runs for every limited request: sending its hash instead of its text saves bandwidth. */
const TAKE_SHA1 = hash('sha1', TAKE);
const UNEXPECTED_ANSWER = 'Redis sent an unexpected answer';
const MESSAGE = /^(\d{1,16}) ([\x21-\x7e]+)$/;

/** The part of Redis that one registration uses. */
export class RedisSession implements SharedSession {
  readonly #circuit: RedisCircuit;
  #listener: SharedListener | undefined;
  #unsubscribe: (() => void) | undefined;
  #instances = 1;
  #isClosed = false;

  /** @param options `timeoutMs` is the deadline of a command, in milliseconds; the log tells what `limitsOnOutage` means */
  constructor(
    private readonly connection: RedisConnection,
    { timeoutMs, limitsOnOutage }: { readonly timeoutMs: number; readonly limitsOnOutage: 'local' | 'refuse' },
    private readonly scope: SharedScope,
  ) {
    const ping = (): Promise<unknown> => connection.send(['PING']);
    const log = new RedisHealthLog(scope.log, timeoutMs, () => effectOnLimits(limitsOnOutage, this.#instances));
    this.#circuit = new RedisCircuit(ping, timeoutMs, log, () => this.#listener?.onConnected());
  }

  async read(name: string): Promise<string | undefined> {
    // GETRANGE bounds what is fetched: other clients of this Redis may have stored a value of any length.
    const value = await this.#send('GETRANGE', name, '0', String(MAX_VALUE_BYTES));
    return typeof value === 'string' && value !== '' ? value : undefined;
  }

  async write(name: string, value: string, ttlMs: number): Promise<void> {
    await this.#send('SET', name, value, 'PX', String(ttlMs));
  }

  async remove(name: string): Promise<void> {
    // Patiently: a verdict that was withdrawn must not be used by other instances.
    await this.#circuit.runPatiently(() => this.connection.send(['DEL', name]));
  }

  async acquire(name: string, owner: string, ttlMs: number): Promise<boolean> {
    return Number(await this.#send('EVAL', ACQUIRE, '1', name, owner, String(ttlMs))) === 1;
  }

  async release(name: string, owner: string): Promise<void> {
    await this.#send('EVAL', RELEASE, '1', name, owner);
  }

  async take(bucket: string, limit: number, windowMs: number): Promise<SharedRate> {
    const args = ['1', bucket, String(limit), String(windowMs)];
    const answer = await this.#circuit.runPatiently(() =>
      this.connection.send(['EVALSHA', TAKE_SHA1, ...args]).catch((error: unknown) => {
        if (!String(error).includes('NOSCRIPT')) throw error;
        return this.connection.send(['EVAL', TAKE, ...args]);
      }),
    );
    const [accepted, remaining, resetAfterUs] = Array.isArray(answer) ? answer.map(Number) : [];
    if (remaining === undefined || !resetAfterUs) throw new SharedStoreError(UNEXPECTED_ANSWER, UNEXPECTED);
    return { accepted: accepted === 1, remaining, resetAfterMs: resetAfterUs / 1_000 };
  }

  async countInstances(name: string, instance: string, ttlMs: number): Promise<number> {
    const command = ['EVAL', COUNT_INSTANCES, '1', name, instance, String(ttlMs)];
    const answer = Number(await this.#circuit.runPatiently(() => this.connection.send(command)));
    if (!Number.isInteger(answer)) throw new SharedStoreError(UNEXPECTED_ANSWER, UNEXPECTED);
    return (this.#instances = Math.max(1, answer));
  }

  async publish({ tag, atMs }: Invalidation): Promise<void> {
    const { invalidations, keepInvalidationsMs } = this.scope;
    const numbers = [atMs, keepInvalidationsMs, MAX_INVALIDATIONS].map(String);
    const command = ['EVAL', PUBLISH, '1', invalidations, tag, ...numbers, invalidations];
    // Redis answers a next command after it has sent the message to every instance.
    const send = () => this.connection.send(command).then(() => this.connection.send(['PING']));
    await this.#circuit.runPatiently(send);
  }

  async invalidationsOf(tags: readonly string[]): Promise<readonly Invalidation[]> {
    return parseInvalidations(await this.#send('EVAL', INVALIDATIONS_OF, '1', this.scope.invalidations, ...tags));
  }

  async invalidationsSince(atMs: number): Promise<readonly Invalidation[]> {
    const range = [String(atMs), '+inf', 'WITHSCORES', 'LIMIT', '0', String(MAX_INVALIDATIONS)];
    return parseInvalidations(await this.#send('ZRANGEBYSCORE', this.scope.invalidations, ...range));
  }

  /** @throws {TypeError} if the client or its user can never do what the store needs */
  async start(listener: SharedListener): Promise<void> {
    this.#listener = listener;
    const { connection, scope } = this;
    try {
      await this.#circuit.run(() => whenConnected(connection, BOOT_TIMEOUT_MS), BOOT_TIMEOUT_MS);
    } catch (error) {
      throwIfPermanent(error);
    }
    if (this.#isClosed) return;
    // Only now: a first message makes the listener send commands, which a client that still connects may reject.
    const subscribed = this.#subscribe(listener);
    subscribed.catch(() => undefined);
    try {
      await Promise.all([checkCommands(this, scope), this.#circuit.run(() => subscribed, BOOT_TIMEOUT_MS)]);
    } catch (error) {
      throwIfPermanent(error);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#circuit.close();
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  #subscribe(listener: SharedListener): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.#unsubscribe = this.connection.subscribe(this.scope.invalidations, {
        onMessage: (message) => this.#onMessage(message),
        onSubscribed: () => {
          resolve();
          listener.onConnected();
        },
        onFailed: reject,
      });
    });
  }

  #send(...args: string[]): Promise<unknown> {
    return this.#circuit.run(() => this.connection.send(args));
  }

  #onMessage(message: unknown): void {
    if (typeof message !== 'string' || message.length > MAX_TAG_LENGTH + 20) return;
    const [, atMs, tag] = MESSAGE.exec(message) ?? [];
    if (tag !== undefined) this.#listener?.onInvalidation({ tag, atMs: Number(atMs) });
  }
}

function effectOnLimits(limitsOnOutage: 'local' | 'refuse', instances: number): string {
  if (limitsOnOutage === 'refuse') return 'Rate-limited requests get 429, as limitsOnOutage says';
  const share =
    instances === 1
      ? 'up to the limit, as no other was seen lately'
      : `up to 1/${instances} of a limit, as ${instances} were seen lately`;
  return `Each instance counts rate-limited requests itself, ${share}`;
}

/** Parses tags and times, flat (RESP2) or in pairs (RESP3). Skips anything else. */
function parseInvalidations(answer: unknown): readonly Invalidation[] {
  if (!Array.isArray(answer)) throw new SharedStoreError(UNEXPECTED_ANSWER, UNEXPECTED);
  const flat: unknown[] = answer.flat();
  return flat.flatMap((tag, index) => {
    const atMs = Number(flat[index + 1]);
    const isValid = index % 2 === 0 && Number.isFinite(atMs);
    return isValid && typeof tag === 'string' && tag.length <= MAX_TAG_LENGTH ? { tag, atMs } : [];
  });
}
