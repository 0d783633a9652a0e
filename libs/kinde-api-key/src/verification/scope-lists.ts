import { LRUCache } from 'lru-cache';

/** How many lists are remembered. An API has a few dozen; where there are more, those that are used least are not shared. */
const MAX_LISTS = 1_000;

/**
 * Gives equal lists of scopes the same list: keys are made from a few patterns, so that their scopes need memory once and not for every key,
 * and the list that a request looks at is in the processor's cache already.
 */
export class ScopeLists {
  /** By their JSON: joined by any character, two lists could look the same. */
  readonly #lists = new LRUCache<string, readonly string[]>({ max: MAX_LISTS });

  /** @returns a frozen list that equals the given one, the same for equal ones */
  share(scopes: readonly string[]): readonly string[] {
    const json = JSON.stringify(scopes);
    let list = this.#lists.get(json);
    if (!list) this.#lists.set(json, (list = Object.freeze([...scopes])));
    return list;
  }
}
