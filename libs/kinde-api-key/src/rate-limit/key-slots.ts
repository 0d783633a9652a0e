import { hashOfText, NONE, SlotIndex } from '../slot-index.js';

/** How many keys there is room for at first: a power of two, as it doubles and hints are cut to fit. */
const FIRST_ROOM = 16;

/** Numbers keys from 1, in the order in which they come, and finds their numbers again: what is known of a key has that slot. */
export class KeySlots {
  /** By slot; {@link NONE} is the slot of nobody. */
  readonly #keyIds: (string | undefined)[] = [undefined];
  #room = FIRST_ROOM;
  #hashes = new Int32Array(FIRST_ROOM + 1);
  #index = new SlotIndex(FIRST_ROOM);
  /** The slot that was found last for a hint. */
  #hinted = new Uint32Array(FIRST_ROOM);

  get size(): number {
    return this.#keyIds.length - 1;
  }

  get keyIds(): readonly string[] {
    return this.#keyIds.slice(1) as string[];
  }

  /**
   * @param hint a whole number from 0: where it is always the same for a key, and another one for most others, the slot is found without
   * reading the key's id, which is a text of its own somewhere in memory
   * @returns the slot of a key, or {@link NONE}
   */
  find(keyId: string, hint: number): number {
    const place = hint & (this.#room - 1);
    const hinted = this.#hinted[place] as number;
    // Equal at a glance where both are one and the same text.
    if (this.#keyIds[hinted] === keyId) return hinted;
    return (this.#hinted[place] = this.#look(keyId));
  }

  /** Adds a key that has no slot. @returns its slot */
  add(keyId: string): number {
    const slot = this.#keyIds.length;
    if (slot > this.#room) this.#grow();
    const hash = hashOfText(keyId);
    this.#keyIds.push(keyId);
    this.#hashes[slot] = hash;
    this.#index.add(slot, hash);
    return slot;
  }

  #look(keyId: string): number {
    const hash = hashOfText(keyId);
    let slot = this.#index.first(hash);
    while (slot !== NONE && (this.#hashes[slot] !== hash || this.#keyIds[slot] !== keyId))
      slot = this.#index.next(slot);
    return slot;
  }

  #grow(): void {
    const hashes = this.#hashes;
    this.#room *= 2;
    this.#hashes = new Int32Array(this.#room + 1);
    this.#hashes.set(hashes);
    this.#hinted = new Uint32Array(this.#room);
    this.#index = new SlotIndex(this.#room);
    for (let slot = 1; slot <= this.size; slot += 1) this.#index.add(slot, hashes[slot] as number);
  }
}
