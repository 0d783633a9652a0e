import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import { tagsOf } from './invalidation.js';

/** What is open for verified keys, by what these keys can be invalidated by. An invalidation costs as much as what it ends. */
export class TagIndex<T> {
  readonly #byTag = new Map<string, Set<T>>();

  add(apiKey: VerifiedApiKey, item: T): void {
    for (const tag of tagsOf(apiKey)) this.#byTag.set(tag, (this.#byTag.get(tag) ?? new Set()).add(item));
  }

  delete(apiKey: VerifiedApiKey, item: T): void {
    for (const tag of tagsOf(apiKey)) {
      const items = this.#byTag.get(tag);
      items?.delete(item);
      if (items?.size === 0) this.#byTag.delete(tag);
    }
  }

  /** Returns what the tag matches. Items may be deleted while it is walked. */
  of(tag: string): Iterable<T> {
    return this.#byTag.get(tag) ?? [];
  }
}
