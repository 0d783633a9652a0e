import type { RateDecision } from './rate-limit-store.js';

/** How much the buckets of all places take that were used of late. */
export interface RateLimitUsage {
  buckets: number;
  timestamps: number;
}

/** The fewest timestamps that a bucket has room for. */
const FEWEST_TIMES = 8;
/** How many buckets there is room for at first. */
const FIRST_ROOM = 16;
/** How much longer the list of times becomes than is needed when it is full. */
const GROWTH = 1.5;

/** What is known of a bucket in numbers, side by side: a request that looks at one of them looks at all of them. */
const COUNT = 0;
/** When the oldest request came that counts; `Infinity` if none does. */
const OLDEST_AT = 1;
/** Where in its ring the oldest one stands. */
const FIRST = 2;
/** Where in the list of times the ring starts, and how many it has room for. */
const START = 3;
const ROOM = 4;
const NUMBERS = 5;

/**
 * Sliding windows, one for each slot: when the accepted requests of a bucket came, in a ring with room for as many as were counted at once of
 * late, not for as many as the limit allows.
 *
 * With many keys most of what is known of one is in none of the processor's caches, so what a request costs is how often it waits for memory.
 * That is why there are no objects, why the rings of all lie in one list, and why the oldest time stands in the row: a request that is accepted
 * writes into its ring and reads nothing there.
 */
export class SlidingWindows {
  readonly #usage: RateLimitUsage;
  readonly #own: RateLimitUsage = { buckets: 0, timestamps: 0 };
  #rows = new Float64Array((FIRST_ROOM + 1) * NUMBERS);
  #times = new Float64Array(FIRST_ROOM * FEWEST_TIMES);
  /** Where the list of times goes on. Before it are rings, and what is left of those that became larger or smaller. */
  #timesEnd = 0;

  /** @param usage of several of them, which this one keeps up to date until it is left out */
  constructor(usage: RateLimitUsage) {
    this.#usage = usage;
  }

  /** @internal For how many timestamps there is memory; for tests. */
  get memory(): number {
    return this.#times.length;
  }

  /**
   * Gives the next slot, from 1, a window: an empty one, or a copy.
   *
   * @param from where to copy from, and which slot
   */
  add(from?: { readonly windows: SlidingWindows; readonly slot: number }): void {
    const slot = this.#own.buckets + 1;
    if ((slot + 1) * NUMBERS > this.#rows.length) this.#grow();
    const room = from ? from.windows.#number(from.slot, ROOM) : FEWEST_TIMES;
    const start = this.#makeRing(room);
    this.#count(1, room);
    this.#rows.set([0, Infinity, 0, start, room], slot * NUMBERS);
    if (!from) return;
    this.#copyRing(from.windows, from.slot, start);
    this.#set(slot, COUNT, from.windows.#number(from.slot, COUNT));
    this.#set(slot, OLDEST_AT, from.windows.#number(from.slot, OLDEST_AT));
  }

  /**
   * Decides about one request and counts it if it is accepted. Each request is looked at for the last time when it leaves the window, and the
   * sizes of the rings double and halve: so this costs O(1) for each request.
   *
   * @param nowMs not earlier than the time before
   * @param limit how many requests are accepted in any window
   */
  take(slot: number, nowMs: number, limit: number, windowMs: number): RateDecision {
    if (this.#number(slot, OLDEST_AT) <= nowMs - windowMs) this.#forgetUntil(slot, nowMs - windowMs);
    const count = this.#number(slot, COUNT);
    if (count >= limit) {
      const leavesAtMs = this.#timeOf(slot, count - limit) + windowMs;
      return { accepted: false, limit, remaining: 0, resetAfterMs: leavesAtMs - nowMs };
    }
    this.#makeRoom(slot, limit);
    this.#times[this.#placeOf(slot, count)] = nowMs;
    this.#set(slot, COUNT, count + 1);
    if (count === 0) this.#set(slot, OLDEST_AT, nowMs);
    const resetAfterMs = this.#number(slot, OLDEST_AT) + windowMs - nowMs;
    return { accepted: true, limit, remaining: limit - count - 1, resetAfterMs };
  }

  /** Its windows do not count among those that were used of late any more. */
  leaveOut(): void {
    this.#count(-this.#own.buckets, -this.#own.timestamps);
  }

  #number(slot: number, column: number): number {
    return this.#rows[slot * NUMBERS + column] as number;
  }

  #set(slot: number, column: number, value: number): void {
    this.#rows[slot * NUMBERS + column] = value;
  }

  /** @returns where a request's time stands; 0 is the oldest */
  #placeOf(slot: number, index: number): number {
    const place = this.#number(slot, FIRST) + index;
    const room = this.#number(slot, ROOM);
    return this.#number(slot, START) + (place < room ? place : place - room);
  }

  #timeOf(slot: number, index: number): number {
    return this.#times[this.#placeOf(slot, index)] as number;
  }

  #forgetUntil(slot: number, atMs: number): void {
    const count = this.#number(slot, COUNT);
    let gone = 0;
    while (gone < count && this.#timeOf(slot, gone) <= atMs) gone += 1;
    this.#set(slot, FIRST, this.#placeOf(slot, gone) - this.#number(slot, START));
    this.#set(slot, COUNT, count - gone);
    this.#set(slot, OLDEST_AT, gone < count ? this.#timeOf(slot, 0) : Infinity);
  }

  /** Sees to it that the ring has room for one more, and not much more than for what it holds. */
  #makeRoom(slot: number, limit: number): void {
    const count = this.#number(slot, COUNT);
    const room = this.#number(slot, ROOM);
    if (count === room) this.#resize(slot, Math.min(count * 2, limit));
    else if (room > FEWEST_TIMES && count * 4 <= room) this.#resize(slot, Math.max(FEWEST_TIMES, count * 2));
  }

  #resize(slot: number, room: number): void {
    const start = this.#makeRing(room);
    this.#count(0, room - this.#number(slot, ROOM));
    this.#copyRing(this, slot, start);
    this.#set(slot, FIRST, 0);
    this.#set(slot, START, start);
    this.#set(slot, ROOM, room);
  }

  /** Copies what counts, in its order, to where another ring starts. */
  #copyRing(from: SlidingWindows, slot: number, start: number): void {
    const count = from.#number(slot, COUNT);
    for (let index = 0; index < count; index += 1) this.#times[start + index] = from.#timeOf(slot, index);
  }

  /** @returns where a ring starts that nobody has yet */
  #makeRing(room: number): number {
    if (this.#timesEnd + room > this.#times.length) this.#tidyUp(room);
    const start = this.#timesEnd;
    this.#timesEnd += room;
    return start;
  }

  /** Moves the rings to a list of their own, with room for more. */
  #tidyUp(more: number): void {
    const old = this.#times;
    this.#times = new Float64Array(Math.ceil((this.#own.timestamps + more) * GROWTH));
    this.#timesEnd = 0;
    for (let slot = 1; slot <= this.#own.buckets; slot += 1) {
      const [start, room] = [this.#number(slot, START), this.#number(slot, ROOM)];
      for (let place = 0; place < room; place += 1) this.#times[this.#timesEnd + place] = old[start + place] as number;
      this.#set(slot, START, this.#timesEnd);
      this.#timesEnd += room;
    }
  }

  #grow(): void {
    const rows = this.#rows;
    this.#rows = new Float64Array(rows.length * 2);
    this.#rows.set(rows);
  }

  #count(buckets: number, timestamps: number): void {
    for (const usage of [this.#usage, this.#own]) {
      usage.buckets += buckets;
      usage.timestamps += timestamps;
    }
  }
}
