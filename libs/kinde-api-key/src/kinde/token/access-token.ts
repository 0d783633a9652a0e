/** Not used in its last moments, so that it does not expire on the way; for a short life this is the smaller part. */
const UNUSED_AT_THE_END_MS = 30_000;
const UNUSED_SHARE = 0.1;
const RENEWED_AT_SHARE = 0.8;

/** An M2M token with its times. The secret itself is out of reach of `util.inspect` and `JSON.stringify`. */
export class AccessToken {
  readonly #value: string;
  /** When the request for it was sent, in milliseconds since the epoch. */
  readonly sentAtMs: number;
  /** Its life from then on, in milliseconds. */
  readonly lifeMs: number;
  /** Until when it is used, by the injected clock: the last 30 s of its life, or the last tenth of a short one, are left alone. */
  readonly usableUntilMs: number;
  /** From when on a new one is fetched in the background: four fifths of its life. */
  readonly renewAtMs: number;

  /**
   * @param value the token
   * @param sentAtMs when the request for it was sent, in milliseconds since the epoch
   * @param lifeMs its life from then on, in milliseconds
   */
  constructor(value: string, sentAtMs: number, lifeMs: number) {
    this.#value = value;
    this.sentAtMs = sentAtMs;
    this.lifeMs = lifeMs;
    this.usableUntilMs = sentAtMs + lifeMs - Math.min(UNUSED_AT_THE_END_MS, lifeMs * UNUSED_SHARE);
    this.renewAtMs = sentAtMs + lifeMs * RENEWED_AT_SHARE;
  }

  /** @returns the secret, to be put into a header and nowhere else */
  reveal(): string {
    return this.#value;
  }
}
