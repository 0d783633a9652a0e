/** The decision about one request. */
export interface RateDecision {
  /** Whether the request is within the limit. A refused request does not count. */
  readonly accepted: boolean;
  /** The limit that was applied: maximum number of accepted requests in any window. */
  readonly limit: number;
  /** Number of further requests that would be accepted now, at least 0. */
  readonly remaining: number;
  /**
   * Milliseconds, more than 0. After a refusal: until a request is accepted, if no other is accepted meanwhile. After an acceptance: until the
   * oldest request that counts leaves the window, which is when `remaining` grows by itself.
   */
  readonly resetAfterMs: number;
}

/**
 * Counts requests in sliding windows, in this process or in a store that several instances share.
 *
 * A bucket is the requests of one caller in one scope. Every store must keep these promises:
 * - In no half-open window `[t, t + windowMs)` are more than `limit` requests of a bucket accepted.
 * - No request is refused while fewer than `limit` were accepted in the `windowMs` before it.
 * - Deciding and counting are one atomic step. Refused requests do not count.
 * - `limit` may differ from one call to the next: what was accepted counts against the new one.
 */
export interface RateLimitStore {
  /**
   * Decides about one request, and counts it if it is accepted.
   *
   * @param scope what is counted together; see `RateLimitRule`
   * @param callerId the key id, or what identifies another principal
   * @param limit maximum number of accepted requests in any window, a whole number from 1 to 10,000
   * @param windowMs length of the window in milliseconds, a whole number from 1,000 to 86,400,000; always the same for a scope
   * @returns the decision, or a promise of it where the store has to wait. A store that waits has a deadline, and decides itself when it
   * cannot count. What it throws reaches the app's exception filters, and the request is not accepted
   */
  take(scope: string, callerId: string, limit: number, windowMs: number): RateDecision | Promise<RateDecision>;
}
