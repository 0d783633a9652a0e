import type { VerifiedApiKey } from '../../api-key/verified-api-key.js';
import type { Clock } from '../../clock.js';
import type { Invalidation } from '../../shared/shared-store.js';
import { tagsOf } from '../../verification/invalidation.js';
import type { ApiKeyVerificationService } from '../../verification/api-key-verification.service.js';

const REASON = 'API key invalidated';
/** Policy violation, RFC 6455 §7.4.1. */
const CLOSE_CODE = 1008;

/** What clients of socket.io and of the package ws have. */
interface SocketClient {
  readonly handshake?: unknown;
  once?(event: string, listener: () => void): unknown;
  /** Of socket.io. */
  emit?(event: string, data: unknown): unknown;
  disconnect?(close: boolean): unknown;
  /** Of ws. */
  close?(code: number, reason: string): unknown;
}

interface OpenSocket {
  readonly apiKey: VerifiedApiKey;
  readonly acceptedAtMs: number;
}

/** The sockets whose messages were accepted, by what their keys can be invalidated by: they are closed then, and may connect again. */
export class OpenSockets {
  readonly #byTag = new Map<string, Set<SocketClient>>();
  readonly #open = new WeakMap<SocketClient, OpenSocket>();
  readonly #clock: Clock;

  constructor(verification: Pick<ApiKeyVerificationService, 'verify'>, clock: Clock) {
    this.#clock = clock;
    // A test may have replaced the service by an object that cannot be written to.
    Reflect.set(verification, 'onInvalidated', (invalidation: Invalidation) => this.#close(invalidation));
  }

  /** Notes that a message was accepted. Memory is bounded by the number of open sockets. */
  note(client: SocketClient, apiKey: VerifiedApiKey): void {
    const known = this.#open.get(client);
    this.#open.set(client, { apiKey, acceptedAtMs: this.#clock.now() });
    if (known?.apiKey === apiKey) return;
    if (known) this.#forget(client, known.apiKey);
    for (const tag of tagsOf(apiKey)) this.#byTag.set(tag, (this.#byTag.get(tag) ?? new Set()).add(client));
    // A client cannot send these events itself.
    if (!known) client.once?.(client.handshake ? 'disconnect' : 'close', () => this.#end(client));
  }

  #close({ tag, atMs }: Invalidation): void {
    for (const client of this.#byTag.get(tag) ?? []) {
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
    if (open) this.#forget(client, open.apiKey);
    this.#open.delete(client);
  }

  #forget(client: SocketClient, apiKey: VerifiedApiKey): void {
    for (const tag of tagsOf(apiKey)) {
      const clients = this.#byTag.get(tag);
      clients?.delete(client);
      if (clients?.size === 0) this.#byTag.delete(tag);
    }
  }
}
