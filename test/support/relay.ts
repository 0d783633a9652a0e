import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Transform } from 'node:stream';

/**
 * What a connection does with the next bytes that the client sends: `pass` them on, `reset` or `close` the connection, or never answer
 * (`silent`). A connection that died unnoticed looks like one of the last three.
 */
export type RelayMode = 'pass' | 'reset' | 'close' | 'silent';

interface Connection {
  readonly client: Socket;
  mode: RelayMode;
}

/** A TCP relay on loopback, between the library and the emulator, whose connections fail on command. */
export class Relay {
  readonly #connections = new Set<Connection>();
  #newMode: RelayMode = 'pass';
  #rewrite: ((answer: string) => string) | undefined;
  #dripMs: number | undefined;
  /** Number of connections that were opened so far. */
  opened = 0;

  private constructor(
    private readonly server: Server,
    private readonly targetPort: number,
  ) {}

  /** Starts a relay to a port on loopback. */
  static async start(targetPort: number): Promise<Relay> {
    const server = createServer();
    const relay = new Relay(server, targetPort);
    server.on('connection', (client) => relay.#accept(client));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Number of connections that are open. */
  get open(): number {
    return this.#connections.size;
  }

  /** Changes the connections that are open now. Later ones are not affected. */
  breakOpen(mode: RelayMode): void {
    for (const connection of this.#connections) connection.mode = mode;
  }

  /** Changes the connections that are opened from now on. */
  breakNew(mode: RelayMode): void {
    this.#newMode = mode;
  }

  /** Changes the text of every piece that the server sends, or stops doing so. */
  rewrite(change: ((answer: string) => string) | undefined): void {
    this.#rewrite = change;
  }

  /** Sends answers byte by byte, with this many real milliseconds between two, or stops doing so. */
  drip(everyMs: number | undefined): void {
    this.#dripMs = everyMs;
  }

  async stop(): Promise<void> {
    for (const { client } of this.#connections) client.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    this.opened += 1;
    const connection: Connection = { client, mode: this.#newMode };
    this.#connections.add(connection);
    const target = connect(this.targetPort, '127.0.0.1');
    const end = (): void => {
      this.#connections.delete(connection);
      client.destroy();
      target.destroy();
    };
    for (const socket of [client, target]) socket.setNoDelay().on('error', end).on('close', end);
    client.on('data', (bytes: Buffer) => {
      if (connection.mode === 'reset') client.resetAndDestroy();
      else if (connection.mode === 'close') client.end();
      else if (connection.mode === 'pass') target.write(bytes);
    });
    const answers = this.#answers();
    client.once('close', () => answers.destroy());
    target.pipe(answers).pipe(client);
  }

  #answers(): Transform {
    const answers: Transform = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        const bytes = this.#rewrite ? Buffer.from(this.#rewrite(chunk.toString('latin1')), 'latin1') : chunk;
        if (this.#dripMs === undefined) return done(null, bytes);
        let sent = 0;
        const timer = setInterval(() => {
          answers.push(bytes.subarray(sent, sent + 1));
          sent += 1;
          if (sent < bytes.length) return;
          clearInterval(timer);
          done();
        }, this.#dripMs);
        answers.once('close', () => clearInterval(timer));
      },
    });
    return answers;
  }
}
