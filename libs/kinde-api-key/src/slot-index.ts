/** No slot: what is not found, and the end of every list. */
export const NONE = 0;

/** Finds slots by a hash: for each hash a list of the slots that have it, eight bytes for a slot and four for a list. */
export class SlotIndex {
  readonly #heads: Uint32Array;
  readonly #next: Uint32Array;
  readonly #mask: number;

  /** @param slots the largest slot number; {@link NONE} is none */
  constructor(slots: number) {
    const lists = 2 ** Math.ceil(Math.log2(slots + 1));
    this.#heads = new Uint32Array(lists);
    this.#next = new Uint32Array(slots + 1);
    this.#mask = lists - 1;
  }

  /** @returns the first slot that may be the one, or {@link NONE} */
  first(hash: number): number {
    return this.#heads[hash & this.#mask] as number;
  }

  /** @returns the slot that may be the one if this is not, or {@link NONE} */
  next(slot: number): number {
    return this.#next[slot] as number;
  }

  add(slot: number, hash: number): void {
    const list = hash & this.#mask;
    this.#next[slot] = this.#heads[list] as number;
    this.#heads[list] = slot;
  }

  /** @param slot one that was added with this hash */
  remove(slot: number, hash: number): void {
    const list = hash & this.#mask;
    if (this.#heads[list] === slot) {
      this.#heads[list] = this.next(slot);
      return;
    }
    let before = this.#heads[list] as number;
    while (this.next(before) !== slot) before = this.next(before);
    this.#next[before] = this.next(slot);
  }
}

/** @returns the hash of a SHA-256 in 32 one-byte characters: a part of it, for all of its bits are equally random */
export function hashOfDigest(digest: string): number {
  return (
    digest.charCodeAt(0) | (digest.charCodeAt(1) << 8) | (digest.charCodeAt(2) << 16) | (digest.charCodeAt(3) << 24)
  );
}

/** @returns a hash of any text (FNV-1a, draft-eastlake-fnv) */
export function hashOfText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  // The low bits alone choose the list: mix the others in.
  return hash ^ (hash >>> 15);
}
