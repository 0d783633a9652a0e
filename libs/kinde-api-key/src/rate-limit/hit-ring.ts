/** The fewest timestamps that a ring has room for. */
const MIN_CAPACITY = 8;

/**
 * When the accepted requests of one bucket came, oldest first, in a ring of eight bytes for each. It has room for as many as were counted at
 * once of late, not for as many as the limit allows. A ring does not change its size: {@link HitRing.fitted} gives another one.
 */
export class HitRing {
  /** Length of the window that the timestamps count in. */
  windowMs: number;

  readonly #times: Float64Array;
  #oldest = 0;
  #count = 0;

  constructor(windowMs: number, capacity: number = MIN_CAPACITY) {
    this.windowMs = windowMs;
    this.#times = new Float64Array(capacity);
  }

  /** How many timestamps it has room for. */
  get capacity(): number {
    return this.#times.length;
  }

  /** How many timestamps it holds. */
  get count(): number {
    return this.#count;
  }

  /** Forgets the requests that are a whole window old or older. Each is looked at for the last time here, so it is O(1) for each request. */
  forgetExpired(nowMs: number): void {
    while (this.#count > 0 && this.at(0) + this.windowMs <= nowMs) {
      this.#oldest = this.#place(1);
      this.#count -= 1;
    }
  }

  /** @returns whether nothing in it counts any more */
  isExpired(nowMs: number): boolean {
    return this.#count === 0 || this.at(this.#count - 1) + this.windowMs <= nowMs;
  }

  /** @returns the time of a request; 0 is the oldest */
  at(index: number): number {
    return this.#times[this.#place(index)] as number;
  }

  /** Notes a request. Needs room: see {@link HitRing.fitted}. */
  add(atMs: number): void {
    this.#times[this.#place(this.#count)] = atMs;
    this.#count += 1;
  }

  /**
   * @param limit how many it will hold at most, more than it holds now
   * @returns this ring where it has room for one more and is not much too large; else one of another size with the same content. Sizes double
   * and halve, so that this costs O(1) for each request
   */
  fitted(limit: number): HitRing {
    const isFull = this.#count === this.capacity;
    const isSparse = this.capacity > MIN_CAPACITY && this.#count * 4 <= this.capacity;
    if (!isFull && !isSparse) return this;
    const wanted = Math.max(MIN_CAPACITY, this.#count * 2);
    const ring = new HitRing(this.windowMs, isFull ? Math.min(wanted, limit) : wanted);
    for (let index = 0; index < this.#count; index += 1) ring.add(this.at(index));
    return ring;
  }

  #place(index: number): number {
    const place = this.#oldest + index;
    return place < this.#times.length ? place : place - this.#times.length;
  }
}
