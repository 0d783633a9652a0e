import type { VerifiedApiKey } from '../../api-key/verified-api-key.js';
import type { Clock } from '../../clock.js';
import type { Invalidation } from '../../shared/shared-store.js';
import { TagIndex } from '../../verification/tag-index.js';
import type { KeyVerification } from '../key-verification.js';

const REASON = 'API key invalidated';
/** Policy violation, RFC 6455 §7.4.1. */
const CLOSE_CODE = 1008;
/** `WebSocket.CLOSED`. */
const CLOSED = 3;

/** What clients of socket.io and of the package ws have. */
interface SocketClient {
  readonly handshake?: unknown;
  once?(event: string, listener: () => void): unknown;
  /** Of socket.io. */
  readonly disconnected?: unknown;
  emit?(event: string, data: unknown): unknown;
  disconnect?(close: boolean): unknown;
  /** Of ws. */
  readonly readyState?: unknown;
  close?(code: number, reason: string): unknown;
}

interface OpenSocket {
  readonly apiKey: VerifiedApiKey;
  readonly acceptedAtMs: number;
}

/** The sockets whose messages were accepted, by what their keys can be invalidated by: they are closed then, and may connect again. */
export class OpenSockets {
  readonly #byTag = new TagIndex<SocketClient>();
  readonly #open = new WeakMap<SocketClient, OpenSocket>();
  readonly #clock: Clock;

  constructor(verification: KeyVerification, clock: Clock) {
    this.#clock = clock;
    verification.onInvalidated?.add((invalidation) => this.#close(invalidation));
  }

  /** Notes that a message was accepted. Memory is bounded by the number of open sockets. */
  note(client: SocketClient, apiKey: VerifiedApiKey): void {
    // It left while its message was decided: it will not say so again, and would be kept for good.
    if (client.disconnected === true || client.readyState === CLOSED) return;
    const known = this.#open.get(client);
    this.#open.set(client, { apiKey, acceptedAtMs: this.#clock.now() });
    if (known?.apiKey === apiKey) return;
    if (known) this.#byTag.delete(known.apiKey, client);
    this.#byTag.add(apiKey, client);
    // A client cannot send these events itself.
    if (!known) client.once?.(client.handshake ? 'disconnect' : 'close', () => this.#end(client));
  }

  #close({ tag, atMs }: Invalidation): void {
    for (const client of this.#byTag.of(tag)) {
      // An old invalidation, which another instance tells about late.
      if ((this.#open.get(client)?.acceptedAtMs ?? 0) > atMs) continue;
      this.#end(client);
      if (client.handshake) {
        client.emit?.('exception', { status: 'error', message: REASON });
        client.disconnect?.(true);
      } else client.close?.(CLOSE_CODE, REASON);
    }
  }

  #end(client: SocketClient): void {
    const open = this.#open.get(client);
    if (open) this.#byTag.delete(open.apiKey, client);
    this.#open.delete(client);
  }
}
