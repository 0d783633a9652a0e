/** Somebody in a {@link WaitQueue}. It is in one queue at most, once. */
export interface Waiter {
  /** It is their turn. */
  proceed(): void;
  /** Their turn will not come. */
  refuse(reason: Error): void;
}

interface Place {
  readonly waiter: Waiter;
  before: Place | undefined;
  after: Place | undefined;
}

/** First in, first out, and whoever gives up leaves from the middle in O(1): a linked list with an index. */
export class WaitQueue {
  readonly #places = new Map<Waiter, Place>();
  #first: Place | undefined;
  #last: Place | undefined;

  /** How many wait. */
  get size(): number {
    return this.#places.size;
  }

  /** Joins at the end. */
  push(waiter: Waiter): void {
    const place: Place = { waiter, before: this.#last, after: undefined };
    if (this.#last) this.#last.after = place;
    else this.#first = place;
    this.#last = place;
    this.#places.set(waiter, place);
  }

  /** @returns the first in the queue, who has left it now, or `undefined` if nobody waits */
  shift(): Waiter | undefined {
    const waiter = this.#first?.waiter;
    if (waiter) this.remove(waiter);
    return waiter;
  }

  /** Leaves, from wherever; does nothing for somebody who is not in the queue. */
  remove(waiter: Waiter): void {
    const place = this.#places.get(waiter);
    if (!place) return;
    this.#places.delete(waiter);
    if (place.before) place.before.after = place.after;
    else this.#first = place.after;
    if (place.after) place.after.before = place.before;
    else this.#last = place.before;
  }
}
