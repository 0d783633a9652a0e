import type { Clock } from '../../clock.js';
import { DEFAULT_RETRY_AFTER_SECONDS, VerificationFailure } from '../verification-failure.js';

/** Time without calls for a key whose answer could not be used, in milliseconds. */
const HOLD_MS = DEFAULT_RETRY_AFTER_SECONDS * 1_000;
/** Maximum number of held keys. When full, the oldest is evicted, so that Kinde is asked about it again. */
const MAX_KEYS = 1_000;

/** Holds back calls for a key whose answer could not be used. One such key must cost neither calls nor the verification of other keys. */
export class HeldKeys {
  /** When the hold ends, by digest. */
  readonly #endsAtMs = new Map<string, number>();

  constructor(private readonly clock: Clock) {}

  /**
   * Runs a verification, unless its key is held.
   *
   * @throws {VerificationFailure} `unusable` while the key is held; else whatever `verify` throws
   */
  async run<T>(digest: string, verify: () => Promise<T>): Promise<T> {
    const remainingMs = (this.#endsAtMs.get(digest) ?? 0) - this.clock.now();
    // A longer wait than was asked for: the clock was set back.
    if (remainingMs > 0 && remainingMs <= HOLD_MS) {
      const retryAfterSeconds = Math.ceil(remainingMs / 1_000);
      throw new VerificationFailure('unusable', "Kinde's last answer about this key was not usable", {
        retryAfterSeconds,
      });
    }
    this.#endsAtMs.delete(digest);
    try {
      return await verify();
    } catch (error) {
      if (error instanceof VerificationFailure && error.kind === 'unusable') this.#hold(digest);
      throw error;
    }
  }

  #hold(digest: string): void {
    this.#endsAtMs.delete(digest);
    if (this.#endsAtMs.size >= MAX_KEYS) this.#endsAtMs.delete(this.#endsAtMs.keys().next().value as string);
    this.#endsAtMs.set(digest, this.clock.now() + HOLD_MS);
  }
}
