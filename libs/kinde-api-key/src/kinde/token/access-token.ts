/** A token is not used in the last part of its life, so that it does not expire in flight: 30 s, or a tenth of a short life. */
const UNUSED_AT_THE_END_MS = 30_000;
const UNUSED_SHARE = 0.1;
const RENEWED_AT_SHARE = 0.8;

/** An M2M token with its times. The secret is not visible to `util.inspect` and `JSON.stringify`. */
export class AccessToken {
  readonly #value: string;
  /** Until when it is used, by the injected clock: 30 s before its end, or after nine tenths of a short life. */
  readonly usableUntilMs: number;
  /** From when on it is renewed in the background: after four fifths of its life. */
  readonly renewAtMs: number;

  /**
   * @param sentAtMs when the request for it was sent, in milliseconds since the epoch
   * @param lifeMs its life from then on, in milliseconds
   * @param expiresAtMs its end by its own claims, in milliseconds since the epoch by Kinde's clock. Default: it names none
   */
  constructor(
    value: string,
    readonly sentAtMs: number,
    readonly lifeMs: number,
    private readonly expiresAtMs = Number.POSITIVE_INFINITY,
  ) {
    this.#value = value;
    this.usableUntilMs = sentAtMs + lifeMs - Math.min(UNUSED_AT_THE_END_MS, lifeMs * UNUSED_SHARE);
    this.renewAtMs = sentAtMs + lifeMs * RENEWED_AT_SHARE;
  }

  /** Whether it is over by its own claims. Only a hint: the clocks of Kinde and this machine may differ. */
  isOverBy(nowMs: number): boolean {
    return nowMs >= this.expiresAtMs;
  }

  /** Returns the secret, for the `authorization` header alone. */
  reveal(): string {
    return this.#value;
  }
}
