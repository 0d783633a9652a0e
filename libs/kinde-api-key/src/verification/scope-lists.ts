import { LRUCache } from 'lru-cache';

/** Maximum number of lists in memory. An API has a few dozen. */
const MAX_LISTS = 1_000;

/** Replaces equal lists of scopes by one list. Most keys have one of a few lists, which then takes memory once and not for every key. */
export class ScopeLists {
  /** By their JSON. Joined by a character, two different lists could be equal. */
  readonly #lists = new LRUCache<string, readonly string[]>({ max: MAX_LISTS });

  /** Returns a frozen list that equals the given one. It is the same object for equal lists. */
  share(scopes: readonly string[]): readonly string[] {
    const json = JSON.stringify(scopes);
    let list = this.#lists.get(json);
    if (!list) this.#lists.set(json, (list = Object.freeze([...scopes])));
    return list;
  }
}
