import type { Clock } from '../clock.js';
import type { ResolvedGuardOptions } from '../config/resolved-options.js';
import { SlidingWindow } from '../rate-limit/sliding-window.js';
import type { HttpRequest } from '../rules/http-request.js';
import type { Log } from '../log.js';
import { networkOf } from './client-network.js';

/** Maximum number of networks in memory. When full, the network whose last failure is longest ago is evicted. */
const MAX_NETWORKS = 10_000;
/** Maximum number of bytes for their failures; enough for 100 failures of each network. */
const MAX_BYTES = 33_554_432;
const SCOPE = 'failed attempts';

/** The network of every request without an IP address. */
const NO_ADDRESS = 'no address';

/**
 * Counts refused keys by the network of the client. After `limit` failures in any window of `windowMs`, the network waits until the oldest of
 * them leaves the window. Requests without an IP address (of a server on a Unix socket, say) count as one network.
 */
export class FailedAttempts {
  readonly #failures: SlidingWindow;
  /** Number of unknown keys of a network that Kinde is asked about at the moment. */
  readonly #asking = new Map<string, number>();
  #hasWarned = false;

  constructor(
    private readonly options: NonNullable<ResolvedGuardOptions['failedAttempts']>,
    clock: Clock,
    private readonly log?: Pick<Log, 'warn'>,
  ) {
    this.#failures = new SlidingWindow(clock, { maxBytes: MAX_BYTES, maxKeys: MAX_NETWORKS });
  }

  /**
   * Keys that Kinde is asked about count as failures until its answer, but only against a network that has failed already: a network whose
   * keys are all good may present many at once.
   *
   * @returns whole seconds until the client's network may try an unknown key again, or 0 if it may now
   */
  waitSeconds(request: HttpRequest): number {
    const network = this.#networkOf(request);
    const { limit } = this.options;
    const waitMs = this.#failures.waitMs(SCOPE, network, limit);
    if (waitMs > 0) return Math.ceil(waitMs / 1_000);
    const left = limit - (this.#asking.get(network) ?? 0);
    return left < limit && this.#failures.waitMs(SCOPE, network, Math.max(1, left)) > 0 ? 1 : 0;
  }

  /** Counts an unknown key as a possible failure, until the returned function is called with Kinde's answer. */
  reserve(request: HttpRequest): () => void {
    const network = this.#networkOf(request);
    this.#asking.set(network, (this.#asking.get(network) ?? 0) + 1);
    return () => {
      const left = (this.#asking.get(network) ?? 1) - 1;
      if (left > 0) this.#asking.set(network, left);
      else this.#asking.delete(network);
    };
  }

  /** Counts a refused key. */
  record(request: HttpRequest): void {
    this.#failures.take(SCOPE, this.#networkOf(request), this.options.limit, this.options.windowMs);
  }

  #networkOf({ ip }: HttpRequest): string {
    const network = networkOf(ip);
    if (network === undefined && !this.#hasWarned) {
      this.#hasWarned = true;
      this.log?.warn(
        'failedAttempts: the address of a client (request.ip) is not an IP address, so all such clients count as one network and block each ' +
          "other. Check the framework's proxy settings",
      );
    }
    return network ?? NO_ADDRESS;
  }
}
