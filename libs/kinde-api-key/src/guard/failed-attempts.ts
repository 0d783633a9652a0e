import type { Clock } from '../clock.js';
import type { ResolvedGuardOptions } from '../config/resolved-options.js';
import { SlidingWindow } from '../rate-limit/sliding-window.js';
import type { HttpRequest } from '../rules/http-request.js';
import { networkOf } from './client-network.js';

/** Maximum number of networks in memory. When full, the network whose last failure is longest ago is evicted. */
const MAX_NETWORKS = 10_000;
/** Maximum number of bytes for their failures; enough for 100 failures of each network. */
const MAX_BYTES = 33_554_432;
const SCOPE = 'failed attempts';

/**
 * Counts refused keys by the network of the client. After `limit` failures in any window of `windowMs`, the network waits until the oldest of
 * them leaves the window. A request without an address (a server on a Unix socket) is not counted.
 */
export class FailedAttempts {
  readonly #failures: SlidingWindow;

  constructor(
    private readonly options: NonNullable<ResolvedGuardOptions['failedAttempts']>,
    clock: Clock,
  ) {
    this.#failures = new SlidingWindow(clock, { maxBytes: MAX_BYTES, maxKeys: MAX_NETWORKS });
  }

  /** @returns whole seconds until the client's network may try an unknown key again, or 0 if it may now */
  waitSeconds(request: HttpRequest): number {
    const network = networkOf(request.ip);
    return network ? Math.ceil(this.#failures.waitMs(SCOPE, network, this.options.limit) / 1_000) : 0;
  }

  /** Counts a refused key. */
  record(request: HttpRequest): void {
    const network = networkOf(request.ip);
    if (network) this.#failures.take(SCOPE, network, this.options.limit, this.options.windowMs);
  }
}
