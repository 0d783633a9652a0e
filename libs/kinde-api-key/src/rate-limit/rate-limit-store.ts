/** What a store says about one request. */
export interface RateDecision {
  /** Whether the request is within the limit. One that is not consumes nothing. */
  readonly accepted: boolean;
  /** The limit that was applied: how many requests are accepted in any window. */
  readonly limit: number;
  /** How many more would be accepted at this moment, at least 0. */
  readonly remaining: number;
  /**
   * Milliseconds, more than 0. After a refusal: until one request will pass, if none is accepted meanwhile. After an acceptance: until the
   * oldest request that counts leaves the window, which is when `remaining` grows by itself.
   */
  readonly resetAfterMs: number;
}

/**
 * Counts requests in sliding windows: the port behind which the counts may lie in this process or be shared by several.
 *
 * What every store must keep: in no half-open window `[t, t + windowMs)` are more than `limit` requests of a bucket accepted, and none is refused
 * while fewer than `limit` were accepted in the `windowMs` before it. Counting and deciding are one atomic step. Refused requests do not
 * count. `limit` may differ from one call to the next: what was accepted counts against the new one.
 */
export interface RateLimitStore {
  /**
   * Decides about one request and counts it if it is accepted.
   *
   * What is counted together is a bucket: the requests of one key at one place.
   *
   * @param place that carries the limit
   * @param keyId the key's id
   * @param limit how many requests are accepted in any window, a whole number from 1 to 10,000
   * @param windowMs length of the window in milliseconds, a whole number from 1,000 to 86,400,000; the same for a place while the process runs
   * @param hint a whole number from 0 that is most often the same for the same key, and another one for another key, but proves neither: by
   * it a store may look for the bucket first. Default 0
   * @returns the decision, at once where nothing has to be waited for: then the guard does not wait, either. A store that waits has a deadline
   * and an answer for its own failures; what it throws reaches the app's exception filters, and the request is not accepted
   */
  take(
    place: string,
    keyId: string,
    limit: number,
    windowMs: number,
    hint?: number,
  ): RateDecision | Promise<RateDecision>;
}
