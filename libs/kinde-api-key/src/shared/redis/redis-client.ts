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

/** Hides which client library carries the commands. */
export interface RedisConnection {
  /** Sends a command on the app's client. Has no deadline: clients queue commands while they are not connected. */
  send(args: readonly string[]): Promise<unknown>;
  /**
   * Subscribes to a channel on a duplicate of the app's client. Returns a function that closes the duplicate.
   * @param onSubscribed called when the channel is subscribed, for the first time or again. Messages may have been lost before
   */
  subscribe(channel: string, onMessage: (message: string) => void, onSubscribed: () => void): () => void;
}

/** node-redis may give up connecting. It is started again after this time, in milliseconds. */
const RECONNECT_EVERY_MS = 5_000;

/** Returns the connection of the app's client. Throws a `TypeError` for a client of neither library. */
export function connectionOf(client: RedisClient): RedisConnection {
  if (hasMethods<IoredisClient>(client, 'call', 'duplicate', 'on', 'subscribe', 'disconnect'))
    return ioredisConnection(client);
  if (hasMethods<NodeRedisClient>(client, 'sendCommand', 'duplicate', 'on', 'connect', 'subscribe', 'destroy'))
    return nodeRedisConnection(client);
  throw new TypeError(
    'redisStore({ client }) takes a client of ioredis 5 or 6 (new Redis()) or of redis 5 or 6 (createClient(), connected)',
  );
}

function ioredisConnection(client: IoredisClient): RedisConnection {
  ignoreErrors(client);
  return {
    // async, because a client may throw instead of rejecting
    send: async ([command = '', ...args]) => client.call(command, ...args),
    subscribe: (channel, onMessage, onSubscribed) => {
      const own = client.duplicate({
        lazyConnect: false,
        keyPrefix: '',
        enableOfflineQueue: true,
        maxRetriesPerRequest: null,
        retryStrategy: (times: number) => Math.min(times * 50, 2_000),
      });
      own.on('message', (_channel, message) => onMessage(message));
      keepSubscribed(own, () => own.subscribe(channel), onSubscribed);
      return () => own.disconnect();
    },
  };
}

function nodeRedisConnection(client: NodeRedisClient): RedisConnection {
  ignoreErrors(client);
  return {
    send: async (args) => client.sendCommand([...args]),
    subscribe: (channel, onMessage, onSubscribed) => {
      const own = client.duplicate();
      const connect = (): void => {
        if (!own.isOpen) own.connect().catch(() => undefined);
      };
      keepSubscribed(own, async () => own.isOpen && own.subscribe(channel, onMessage), onSubscribed);
      connect();
      const reconnecting = setInterval(connect, RECONNECT_EVERY_MS).unref();
      return () => {
        clearInterval(reconnecting);
        if (own.isOpen) own.destroy();
      };
    },
  };
}

/** Subscribes whenever the connection is ready. It may be lost and ready again, and subscribing twice does no harm. */
function keepSubscribed(own: RedisClient, subscribe: () => Promise<unknown>, onSubscribed: () => void): void {
  ignoreErrors(own);
  own.on('ready', () => void subscribe().then(onSubscribed, () => undefined));
}

const ignoringErrors = new WeakSet<RedisClient>();

/** Without a listener, an error event ends the process. Failures are noticed by the calls that fail. Many stores may share a client. */
function ignoreErrors(client: RedisClient): void {
  if (ignoringErrors.has(client)) return;
  ignoringErrors.add(client);
  client.on('error', () => undefined);
}

/** Whether the client has the methods. Callers without a compiler may pass anything. */
function hasMethods<C extends RedisClient>(client: RedisClient, ...names: (keyof C)[]): client is C {
  return names.every((name) => typeof (Object(client) as Partial<C>)[name] === 'function');
}
