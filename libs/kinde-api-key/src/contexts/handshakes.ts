import type { ApplicationConfig } from '@nestjs/core';
import type { HttpRequest } from '../rules/http-request.js';

type Connected = (client: object, ...rest: unknown[]) => unknown;

/** The part of Nest's WebSocket adapters that learns of a new client. */
interface SocketAdapter {
  bindClientConnect(server: unknown, callback: Connected): unknown;
}

/** What clients of the package ws have. */
interface WsClient {
  on?(event: 'exception', listener: (body: object) => void): unknown;
  send?(frame: string): unknown;
}

const HANDSHAKES = new WeakMap<object, HttpRequest>();
const WATCHED = new WeakSet<object>();

/** Returns the request that opened a connection, where the client does not have it itself: clients of the package ws. */
export function handshakeOf(client: object): HttpRequest | undefined {
  return HANDSHAKES.get(client);
}

const REFUSALS = new WeakSet<object>();

/** Before Nest 12, a client of the package ws was not sent what is thrown: Nest emitted it on the client's object alone. */
export function sendToo(refusal: object): void {
  REFUSALS.add(refusal);
}

function opened(client: WsClient, request: HttpRequest): void {
  if (HANDSHAKES.has(client)) return;
  HANDSHAKES.set(client, request);
  client.on?.('exception', (body) => {
    if (REFUSALS.has(body)) client.send?.(JSON.stringify({ event: 'exception', data: body }));
  });
}

/** Keeps the request of each connection that the app accepts from now on. Call it before the app starts its gateways. */
export function watchHandshakes(config: ApplicationConfig): void {
  const setIoAdapter = config.setIoAdapter.bind(config);
  const watching: typeof setIoAdapter = (adapter) => {
    watch(adapter);
    setIoAdapter(adapter);
  };
  Object.assign(config, { setIoAdapter: watching });
  watch(config.getIoAdapter());
}

function watch(adapter: SocketAdapter | null | undefined): void {
  if (!adapter || WATCHED.has(adapter)) return;
  WATCHED.add(adapter);
  const bind = adapter.bindClientConnect.bind(adapter);
  const connected =
    (callback: Connected): Connected =>
    (client, ...rest) => {
      const [request] = rest as [HttpRequest | undefined];
      if (typeof request?.headers === 'object' && request.headers !== null) opened(client, request);
      return callback(client, ...rest);
    };
  Object.assign(adapter, {
    bindClientConnect: (server: unknown, callback: Connected) => bind(server, connected(callback)),
  });
}
