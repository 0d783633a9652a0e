import { Wait, type Clock } from '../../clock.js';
import { DEFAULT_RETRY_AFTER_SECONDS, VerificationFailure } from '../verification-failure.js';

/** Time without calls for a key whose answer could not be used, in milliseconds. */
const HOLD_MS = DEFAULT_RETRY_AFTER_SECONDS * 1_000;
/** Maximum number of held keys. When full, the oldest is evicted, so that Kinde is asked about it again. */
const MAX_KEYS = 1_000;

/** Holds back calls for a key whose answer could not be used. One such key must cost neither calls nor the verification of other keys. */
export class HeldKeys {
  /** By digest. */
  readonly #holds = new Map<string, Wait>();

  constructor(private readonly clock: Clock) {}

  /**
   * Runs a verification, unless its key is held.
   *
   * @throws {VerificationFailure} `unusable` while the key is held; else whatever `verify` throws
   */
  async run<T>(digest: string, verify: () => Promise<T>): Promise<T> {
    const remainingMs = this.#holds.get(digest)?.remainingMs ?? 0;
    if (remainingMs > 0) {
      const retryAfterSeconds = Math.ceil(remainingMs / 1_000);
      throw new VerificationFailure('unusable', "Kinde's last answer about this key was not usable", {
        retryAfterSeconds,
      });
    }
    this.#holds.delete(digest);
    try {
      return await verify();
    } catch (error) {
      if (error instanceof VerificationFailure && error.kind === 'unusable') this.#hold(digest);
      throw error;
    }
  }

  #hold(digest: string): void {
    this.#holds.delete(digest);
    if (this.#holds.size >= MAX_KEYS) this.#holds.delete(this.#holds.keys().next().value as string);
    const hold = new Wait(this.clock);
    hold.start(HOLD_MS);
    this.#holds.set(digest, hold);
  }
}
