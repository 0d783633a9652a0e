/** The methods used of an ioredis client (5 or 6), `new Redis()`. Matched by shape, so that the library depends on no client. */
export interface IoredisClient {
  call(command: string, ...args: string[]): Promise<unknown>;
  duplicate(options?: object): IoredisClient;
  on(event: 'error' | 'ready', listener: () => void): unknown;
  on(event: 'message', listener: (channel: string, message: string) => void): unknown;
  subscribe(...channels: string[]): Promise<unknown>;
  disconnect(): void;
}

/** The methods used of a node-redis client (package `redis`, 5 or 6), `createClient()`, which the app connects. */
export interface NodeRedisClient {
  readonly isOpen: boolean;
  sendCommand(args: string[]): Promise<unknown>;
  duplicate(): NodeRedisClient;
  on(event: 'error' | 'ready', listener: () => void): unknown;
  connect(): Promise<unknown>;
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  destroy(): void;
}

/** A Redis client that the app has created. */
export type RedisClient = IoredisClient | NodeRedisClient;

/** A connection of the library's own that receives messages. */
export interface Subscription {
  /** Connects again if the client has given up. */
  reconnect(): void;
  /** Closes the connection. */
  close(): void;
}

/** Receives what happens on a channel. */
export interface SubscriptionListener {
  onMessage(message: string): void;
  /** Called when the channel is subscribed, for the first time or again. Messages may have been lost before. */
  onSubscribed(): void;
}

/** Hides which client library carries the commands. */
export interface RedisConnection {
  /** Sends a command on the app's client. Has no deadline: clients queue commands while they are not connected. */
  send(args: readonly string[]): Promise<unknown>;
  /** Subscribes to a channel on a duplicate of the app's client. */
  subscribe(channel: string, listener: SubscriptionListener): Subscription;
}

/**
 * Returns the connection of the app's client.
 *
 * @throws {TypeError} if it is a client of neither library
 */
export function connectionOf(client: RedisClient): RedisConnection {
  if (isIoredis(client)) return ioredisConnection(client);
  if (isNodeRedis(client)) return nodeRedisConnection(client);
  throw new TypeError(
    'redisStore({ client }) takes a client of ioredis 5 or 6 (new Redis()) or of redis 5 or 6 (createClient(), connected)',
  );
}

function ioredisConnection(client: IoredisClient): RedisConnection {
  ignoreErrors(client);
  return {
    // async, because a client may throw instead of rejecting
    send: async ([command = '', ...args]) => client.call(command, ...args),
    subscribe: (channel, listener) => {
      const own = client.duplicate({
        lazyConnect: false,
        keyPrefix: '',
        enableOfflineQueue: true,
        maxRetriesPerRequest: null,
        retryStrategy: (times: number) => Math.min(times * 50, 2_000),
      });
      ignoreErrors(own);
      own.on('message', (from: string, message: string) => {
        if (from === channel) listener.onMessage(message);
      });
      own.on('ready', () => {
        own
          .subscribe(channel)
          .then(() => listener.onSubscribed())
          .catch(() => undefined);
      });
      return { reconnect: () => undefined, close: () => own.disconnect() };
    },
  };
}

function nodeRedisConnection(client: NodeRedisClient): RedisConnection {
  ignoreErrors(client);
  return {
    send: async (args) => client.sendCommand([...args]),
    subscribe: (channel, listener) => new NodeRedisSubscription(client.duplicate(), channel, listener),
  };
}

/** node-redis subscribes again by itself after a lost connection, before it emits `ready`, but may give up. */
class NodeRedisSubscription implements Subscription {
  #isSubscribed = false;
  #isClosed = false;

  constructor(
    private readonly client: NodeRedisClient,
    private readonly channel: string,
    private readonly listener: SubscriptionListener,
  ) {
    ignoreErrors(client);
    client.on('ready', () => {
      if (this.#isSubscribed) listener.onSubscribed();
    });
    this.reconnect();
  }

  reconnect(): void {
    if (this.#isClosed || this.client.isOpen) return;
    this.#isSubscribed = false;
    this.#connect().catch(() => undefined);
  }

  close(): void {
    this.#isClosed = true;
    if (this.client.isOpen) this.client.destroy();
  }

  async #connect(): Promise<void> {
    await this.client.connect();
    if (this.#isClosed) return this.close();
    await this.client.subscribe(this.channel, (message) => this.listener.onMessage(message));
    this.#isSubscribed = true;
    if (!this.#isClosed) this.listener.onSubscribed();
  }
}

const withErrorListener = new WeakSet<object>();

/** Adds an `error` listener once: without one, an error event ends the process. Failures are noticed by the calls that fail. */
function ignoreErrors(client: RedisClient): void {
  if (withErrorListener.has(client)) return;
  withErrorListener.add(client);
  client.on('error', () => undefined);
}

function isIoredis(client: RedisClient): client is IoredisClient {
  return hasMethods(client, ['call', 'duplicate', 'on', 'subscribe', 'disconnect']);
}

function isNodeRedis(client: RedisClient): client is NodeRedisClient {
  return (
    hasMethods(client, ['sendCommand', 'duplicate', 'on', 'connect', 'subscribe', 'destroy']) &&
    typeof (client as Partial<NodeRedisClient>).isOpen === 'boolean'
  );
}

function hasMethods<C extends object>(client: C, names: readonly string[]): boolean {
  return (
    typeof client === 'object' &&
    client !== null &&
    names.every((name) => typeof (client as Readonly<Record<string, unknown>>)[name] === 'function')
  );
}
