import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

const HOST = '127.0.0.1';
/** Long enough that no client meets a connection that is being closed for idleness in the middle of a test. */
const KEEP_ALIVE_MS = 600_000;

/** A plain-http server on 127.0.0.1 that can be stopped at once. */
export class LoopbackServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #stopped: Promise<void> | undefined;
  /** The port that it listens on. */
  readonly port: number;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /**
   * Listens on a port, or on a free one for 0.
   *
   * @throws {Error} If the port cannot be had; `code` is Node's (`EADDRINUSE`, `EACCES`).
   */
  static listen(port: number): Promise<LoopbackServer> {
    return new Promise((resolve, reject) => {
      const server = createServer();
      server.once('error', (cause: NodeJS.ErrnoException) => reject(listenError(port, cause)));
      server.listen(port, HOST, () => resolve(new LoopbackServer(server)));
    });
  }

  /** Hands every request to `listener`. */
  serve(listener: RequestListener): void {
    this.#server.on('request', listener);
  }

  /** Closes the port and every connection, whatever is still going on in it. The second call returns the first one's promise. */
  stop(): Promise<void> {
    this.#stopped ??= new Promise((resolve) => {
      this.#server.close(() => resolve());
      for (const socket of this.#sockets) socket.destroy();
    });
    return this.#stopped;
  }
}

function listenError(port: number, cause: NodeJS.ErrnoException): Error {
  const why = cause.code === 'EADDRINUSE' ? 'it is already in use' : (cause.code ?? cause.message);
  return Object.assign(new Error(`KindeEmulator: cannot listen on ${HOST}:${port}: ${why}`, { cause }), {
    code: cause.code,
  });
}
