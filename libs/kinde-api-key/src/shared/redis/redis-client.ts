/** The methods used of an ioredis client (5 or 6), `new Redis()`. Matched by shape, so that the library depends on no client. */
export interface IoredisClient {
  call(command: string, ...args: string[]): Promise<unknown>;
  /** Whether this is `new Cluster()`. */
  readonly isCluster?: boolean;
  duplicate(options?: object, clusterOptions?: object): IoredisClient;
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
  destroy(): unknown;
}

/** The methods used of a cluster client of node-redis, `createCluster()`, which the app connects. */
export interface NodeRedisCluster extends Omit<NodeRedisClient, 'sendCommand' | 'duplicate'> {
  sendCommand(firstKey: string | undefined, isReadonly: boolean | undefined, args: string[]): Promise<unknown>;
  getRandomNode(): unknown;
  duplicate(): NodeRedisCluster;
}

/** The methods used of a Sentinel client of node-redis, `createSentinel()`, which the app connects. */
export interface NodeRedisSentinel extends Omit<NodeRedisClient, 'sendCommand' | 'duplicate'> {
  sendCommand(isReadonly: boolean | undefined, args: string[]): Promise<unknown>;
  getSentinelNode(): unknown;
  duplicate(): NodeRedisSentinel;
}

/** A Redis client that the app has created. */
export type RedisClient = IoredisClient | NodeRedisClient | NodeRedisCluster | NodeRedisSentinel;

/** Receives what happens on a channel. */
export interface Subscriber {
  readonly onMessage: (message: string) => void;
  /** Called when the channel is subscribed, for the first time or again. Messages may have been lost before. */
  readonly onSubscribed: () => void;
  readonly onFailed: (error: unknown) => void;
}

/** Hides which client library carries the commands. */
export interface RedisConnection {
  /** Sends a command on the app's client. Has no deadline: clients queue commands while they are not connected. */
  send(args: readonly string[]): Promise<unknown>;
  /**
   * Subscribes to a channel on a duplicate of the app's client. Returns a function that closes the duplicate.
   */
  subscribe(channel: string, subscriber: Subscriber): () => void;
}

/** node-redis may give up connecting. It is started again after this time, in milliseconds. */
const RECONNECT_EVERY_MS = 5_000;

/** Returns the connection of the app's client. Throws a `TypeError` for a client of neither library. */
export function connectionOf(client: RedisClient): RedisConnection {
  if (hasMethods<IoredisClient>(client, 'call', 'duplicate', 'on', 'subscribe', 'disconnect'))
    return ioredisConnection(client);
  if (hasMethods<AnyNodeRedis>(client, 'sendCommand', 'duplicate', 'on', 'connect', 'subscribe', 'destroy'))
    return nodeRedisConnection(client);
  throw new TypeError(
    'redisStore({ client }) takes a client of ioredis 5 or 6 (new Redis() or new Cluster()) or of redis 5 or 6 (createClient(), ' +
      'createCluster() or createSentinel(), connected)',
  );
}

type AnyNodeRedis = NodeRedisClient | NodeRedisCluster | NodeRedisSentinel;

const retryStrategy = (times: number): number => Math.min(times * 50, 2_000);
/** A subscriber never gives up, whatever the app's client does, and its channel has no prefix. */
const SUBSCRIBER_OPTIONS = {
  lazyConnect: false,
  keyPrefix: '',
  enableOfflineQueue: true,
  maxRetriesPerRequest: null,
  retryStrategy,
  sentinelRetryStrategy: retryStrategy,
  clusterRetryStrategy: retryStrategy,
};

function ioredisConnection(client: IoredisClient): RedisConnection {
  ignoreErrors(client);
  return {
    // async, because a client may throw instead of rejecting
    send: async ([command = '', ...args]) => client.call(command, ...args),
    subscribe: (channel, { onMessage, onSubscribed, onFailed }) => {
      // A cluster takes its start nodes first: none means the same ones.
      const own = client.isCluster ? client.duplicate([], SUBSCRIBER_OPTIONS) : client.duplicate(SUBSCRIBER_OPTIONS);
      ignoreErrors(own);
      own.on('message', (_channel, message) => onMessage(message));
      // The connection may be lost and ready again. Subscribing twice does no harm.
      own.on('ready', () => void own.subscribe(channel).then(onSubscribed, onFailed));
      return () => own.disconnect();
    },
  };
}

function nodeRedisConnection(client: AnyNodeRedis): RedisConnection {
  ignoreErrors(client);
  return {
    send: async (args) => sendOf(client, [...args]),
    subscribe: (channel, { onMessage, onSubscribed, onFailed }) => {
      const own = client.duplicate();
      ignoreErrors(own);
      let isSubscribed = false;
      const subscribe = async (): Promise<void> => {
        try {
          if (!own.isOpen) await own.connect();
          await own.subscribe(channel, onMessage);
          isSubscribed = true;
          onSubscribed();
        } catch (error) {
          isSubscribed = false;
          onFailed(error);
        }
      };
      // A cluster has no such event: it subscribes again by itself. Subscribing twice does no harm.
      own.on('ready', () => isSubscribed && void subscribe());
      const retrying = setInterval(() => (own.isOpen && isSubscribed) || void subscribe(), RECONNECT_EVERY_MS).unref();
      void subscribe();
      return () => {
        clearInterval(retrying);
        if (own.isOpen) void Promise.resolve(own.destroy()).catch(() => undefined);
      };
    },
  };
}

function sendOf(client: AnyNodeRedis, args: string[]): Promise<unknown> {
  if ('getSentinelNode' in client) return client.sendCommand(false, args);
  if (!('getRandomNode' in client)) return client.sendCommand(args);
  const [command = '', first] = args;
  return client.sendCommand(command.startsWith('EVAL') ? args[3] : first, false, args);
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
