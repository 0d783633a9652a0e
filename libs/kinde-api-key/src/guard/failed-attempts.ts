import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.js';
import { networkOf } from './client-network.js';
import type { HttpRequest } from '../rules/http-request.js';

/** How many networks are remembered; the one whose last failure is longest ago makes room. */
const MAX_NETWORKS = 10_000;

/** What {@link FailedAttempts} goes by. */
export interface FailedAttemptsOptions {
  readonly limit: number;
  readonly windowMs: number;
}

/**
 * Counts refused keys by the client's network. `limit` of them in a row use the window up; after that one more is looked at for every
 * `windowMs / limit` that passes. One number for each network (the generic cell rate algorithm, ITU-T I.371), and a bounded number of networks.
 */
export class FailedAttempts {
  /** For each network the time until which its failures, evenly spread, would have been allowed. */
  readonly #usedUpToMs = new LRUCache<string, number>({ max: MAX_NETWORKS });
  readonly #clock: Clock;
  readonly #windowMs: number;
  readonly #spacingMs: number;

  constructor({ limit, windowMs }: FailedAttemptsOptions, clock: Clock) {
    this.#clock = clock;
    this.#windowMs = windowMs;
    this.#spacingMs = windowMs / limit;
  }

  /** @returns how long the client's network has to wait in whole seconds, or 0 if its next attempt is looked at */
  waitSeconds(request: HttpRequest): number {
    const network = networkOf(request.ip);
    const usedUpToMs = network && this.#usedUpToMs.peek(network);
    if (!usedUpToMs) return 0;
    return Math.max(0, Math.ceil((usedUpToMs + this.#spacingMs - this.#windowMs - this.#clock.now()) / 1_000));
  }

  /** Notes a failure. Where the framework knows no address (a server on a Unix socket) nothing is counted. */
  record(request: HttpRequest): void {
    const network = networkOf(request.ip);
    if (!network) return;
    const nowMs = this.#clock.now();
    this.#usedUpToMs.set(network, Math.max(nowMs, this.#usedUpToMs.get(network) ?? 0) + this.#spacingMs);
  }
}
