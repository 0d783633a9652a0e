import type { Clock } from './clock.js';

/** The library's log; Nest's `Logger` fits. Messages never contain a key, a secret, a token or any text of Kinde's answers. */
export interface Log {
  /** Details for debugging. */
  debug(message: string): void;
  /** What the library did at start. */
  log(message: string): void;
  /** Something is wrong, and the library copes with it. */
  warn(message: string): void;
  /** Something is wrong that an operator has to fix. */
  error(message: string): void;
}

/** Maximum number of keys in a {@link LogThrottle}. When full, the oldest is evicted. */
const MAX_KEYS = 1_000;

/** Decides whether a message is due, so that a lasting condition is logged once per interval and not once per request. */
export class LogThrottle {
  readonly #loggedAtMs = new Map<unknown, number>();

  /** @param intervalMs minimum time between two messages with the same key, in milliseconds */
  constructor(
    private readonly clock: Clock,
    private readonly intervalMs: number,
  ) {}

  /** Whether to log a message about `key` now; if so, the interval starts. */
  isDue(key: unknown): boolean {
    const nowMs = this.clock.now();
    const elapsedMs = nowMs - (this.#loggedAtMs.get(key) ?? Number.NEGATIVE_INFINITY);
    // Negative after the clock was set back.
    if (elapsedMs >= 0 && elapsedMs < this.intervalMs) return false;
    this.#loggedAtMs.delete(key);
    if (this.#loggedAtMs.size >= MAX_KEYS) this.#loggedAtMs.delete(this.#loggedAtMs.keys().next().value);
    this.#loggedAtMs.set(key, nowMs);
    return true;
  }
}
