import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

const HOST = '127.0.0.1';
/** Long enough that no idle connection is closed during a test. */
const KEEP_ALIVE_MS = 600_000;

/** A plain-http server on 127.0.0.1 that can be stopped at once. */
export class LoopbackServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #stopped: Promise<void> | undefined;
  /** TCP port. */
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
   * Listens on a port for what `create` returns. 0 selects a free port. If `create` throws, the port is closed.
   *
   * @throws {Error} If the port is not available. `code` is Node's (`EADDRINUSE`, `EACCES`).
   */
  static async listenFor<T>(port: number, create: (server: LoopbackServer) => T): Promise<T> {
    const server = await LoopbackServer.#listen(port);
    try {
      return create(server);
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  static #listen(port: number): Promise<LoopbackServer> {
    return new Promise((resolve, reject) => {
      const server = createServer();
      server.once('error', (cause: NodeJS.ErrnoException) => reject(listenError(port, cause)));
      server.listen(port, HOST, () => resolve(new LoopbackServer(server)));
    });
  }

  /** Passes every request to `listener`. */
  serve(listener: RequestListener): void {
    this.#server.on('request', listener);
  }

  /** Closes the port and every connection at once. Another call returns the same promise. */
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
