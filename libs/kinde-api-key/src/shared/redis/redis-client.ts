/** What of an ioredis client (5 or 6) is used: `new Redis()`. Taken by its shape, so that the library depends on no client. */
export interface IoredisClient {
  call(command: string, ...args: string[]): Promise<unknown>;
  duplicate(options?: object): IoredisClient;
  on(event: 'error' | 'ready', listener: () => void): unknown;
  on(event: 'message', listener: (channel: string, message: string) => void): unknown;
  subscribe(...channels: string[]): Promise<unknown>;
  disconnect(): void;
}

/** What of a node-redis client (the package `redis`, 5 or 6) is used: `createClient()`, which the app connects itself. */
export interface NodeRedisClient {
  readonly isOpen: boolean;
  sendCommand(args: string[]): Promise<unknown>;
  duplicate(): NodeRedisClient;
  on(event: 'error' | 'ready', listener: () => void): unknown;
  connect(): Promise<unknown>;
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  destroy(): void;
}

/** A client of the app's own. */
export type RedisClient = IoredisClient | NodeRedisClient;

/** A connection that only listens, and its end. */
export interface Subscription {
  /** Tries again where the client has given up. */
  revive(): void;
  /** Ends the connection. */
  close(): void;
}

/** Told about a channel. */
export interface SubscriptionListener {
  onMessage(message: string): void;
  /** The channel is listened to from now on, (again) after a time in which messages were lost. */
  onSubscribed(): void;
}

/** One way to talk to Redis, whichever client carries it. */
export interface RedisConnection {
  /** Sends a command on the app's client. No deadline: a client may keep a command for as long as it is not connected. */
  send(args: readonly string[]): Promise<unknown>;
  /** Opens a connection of our own, like the app's, and listens. */
  subscribe(channel: string, listener: SubscriptionListener): Subscription;
}

/**
 * @param client the app's
 * @throws {TypeError} for what is neither of the two
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
    send: ([command = '', ...args]) => client.call(command, ...args),
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
      own.on(
        'ready',
        () =>
          void own.subscribe(channel).then(
            () => listener.onSubscribed(),
            () => undefined,
          ),
      );
      return { revive: () => undefined, close: () => own.disconnect() };
    },
  };
}

function nodeRedisConnection(client: NodeRedisClient): RedisConnection {
  ignoreErrors(client);
  return {
    send: (args) => client.sendCommand([...args]),
    subscribe: (channel, listener) => {
      const own = client.duplicate();
      ignoreErrors(own);
      let isSubscribed = false;
      let isClosed = false;
      const destroy = (): void => {
        try {
          own.destroy();
        } catch {
          // It was not open.
        }
      };
      // node-redis subscribes again by itself after a break, and before it calls itself ready.
      own.on('ready', () => {
        if (isSubscribed) listener.onSubscribed();
      });
      const revive = (): void => {
        if (isClosed || own.isOpen) return;
        isSubscribed = false;
        own
          .connect()
          .then(() => (isClosed ? destroy() : own.subscribe(channel, (message) => listener.onMessage(message))))
          .then(() => {
            isSubscribed = true;
            if (!isClosed) listener.onSubscribed();
          })
          .catch(() => undefined);
      };
      revive();
      return {
        revive,
        close: () => {
          isClosed = true;
          destroy();
        },
      };
    },
  };
}

const heard = new WeakSet<object>();

/** Without a listener an emitter's error ends the process. What goes wrong is noticed by the call that fails. */
function ignoreErrors(client: RedisClient): void {
  if (heard.has(client)) return;
  heard.add(client);
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
