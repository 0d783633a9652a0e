import { hashOfDigest, hashOfText, NONE, SlotIndex } from '../slot-index.js';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';

/** One verify call, and its place among the others. */
export interface Call {
  /** When it was sent. */
  readonly sentAtMs: number;
  /** Which one of the service's it was: calls of one millisecond still have an order. */
  readonly callNo: number;
}

/** What is known of a slot's key in numbers, side by side: a request that looks at one of them looks at all of them. */
const SENT_AT = 0;
const SERVED_UNTIL = 1;
const CALL_NO = 2;
const LAST_USE = 3;
const NUMBERS = 4;

/** The texts and objects of a slot, side by side for the same reason. */
const API_KEY = 0;
const DIGEST = 1;
const CELLS = 2;

/** Among so many keys the one that was used least recently is looked for. */
const SAMPLE = 64;

/** A key's secret, and the call by which Kinde accepted it. */
export interface Secret extends Call {
  readonly digest: string;
}

/**
 * Accepted keys, found by the digest of their secret and by their id, and bounded: where it is full, the one of 64 that was used least
 * recently makes room; the next 64 are looked at the next time.
 *
 * There may be a million of them, so it is built for little memory: what is known of a key has a slot, the same in every column, and both
 * indexes are made of slot numbers. It is also built for a look-up that touches little memory, most of which is in none of the processor's
 * caches by then: so there is no list in the order of use, which every use would change at three places.
 */
export class KeyTable {
  readonly #maxKeys: number;
  readonly #cells: (VerifiedApiKey | string | undefined)[];
  readonly #numbers: Float64Array;
  readonly #byDigest: SlotIndex;
  readonly #byId: SlotIndex;
  readonly #onRemoved: (apiKey: VerifiedApiKey, secret: Secret) => void;
  #freed: number[] = [];
  #taken = 0;
  #uses = 0;
  /** The slot where the last sample ended. */
  #sampled = 0;

  /**
   * @param maxKeys from 1; the columns have their full length from the start
   * @param onRemoved called for each key that is taken out or makes room
   */
  constructor(maxKeys: number, onRemoved: (apiKey: VerifiedApiKey, secret: Secret) => void) {
    const slots = maxKeys + 1;
    this.#onRemoved = onRemoved;
    this.#maxKeys = maxKeys;
    this.#cells = Array.from({ length: slots * CELLS });
    this.#numbers = new Float64Array(slots * NUMBERS);
    this.#byDigest = new SlotIndex(maxKeys);
    this.#byId = new SlotIndex(maxKeys);
  }

  /** @returns the slot of the key with this digest, or {@link NONE}; does not count as a use */
  find(digest: string): number {
    let slot = this.#byDigest.first(hashOfDigest(digest));
    while (slot !== NONE && this.digest(slot) !== digest) slot = this.#byDigest.next(slot);
    return slot;
  }

  /** @returns the slot of the key with this id, or {@link NONE}; does not count as a use */
  findById(keyId: string): number {
    let slot = this.#byId.first(hashOfText(keyId));
    while (slot !== NONE && this.apiKey(slot).keyId !== keyId) slot = this.#byId.next(slot);
    return slot;
  }

  /** Notes that a key was used. */
  use(slot: number): void {
    this.#uses += 1;
    this.#numbers[slot * NUMBERS + LAST_USE] = this.#uses;
  }

  /** Puts a key in; what was known by the same digest goes, and so does what was known by the same id. */
  put(digest: string, apiKey: VerifiedApiKey, { sentAtMs, callNo }: Call, servedUntilMs: number): void {
    const slot = this.#slotFor(digest, apiKey.keyId);
    this.#cells[slot * CELLS + API_KEY] = apiKey;
    this.#numbers[slot * NUMBERS + SENT_AT] = sentAtMs;
    this.#numbers[slot * NUMBERS + CALL_NO] = callNo;
    this.serveUntil(slot, servedUntilMs);
    this.use(slot);
  }

  /** Takes a key out; nothing for {@link NONE}. */
  remove(slot: number): void {
    if (slot === NONE) return;
    const [apiKey, secret] = [this.apiKey(slot), this.secret(slot)];
    this.#byDigest.remove(slot, hashOfDigest(secret.digest));
    this.#byId.remove(slot, hashOfText(apiKey.keyId));
    this.#cells[slot * CELLS + API_KEY] = undefined;
    this.#cells[slot * CELLS + DIGEST] = undefined;
    this.#freed.push(slot);
    this.#onRemoved(apiKey, secret);
  }

  /** @returns the slots of all keys; they may be removed meanwhile */
  slots(): number[] {
    const slots: number[] = [];
    for (let slot = 1; slot <= this.#taken; slot += 1) if (this.#cells[slot * CELLS + API_KEY]) slots.push(slot);
    return slots;
  }

  apiKey(slot: number): VerifiedApiKey {
    return this.#cells[slot * CELLS + API_KEY] as VerifiedApiKey;
  }

  digest(slot: number): string {
    return this.#cells[slot * CELLS + DIGEST] as string;
  }

  sentAtMs(slot: number): number {
    return this.#numbers[slot * NUMBERS + SENT_AT] as number;
  }

  secret(slot: number): Secret {
    return {
      digest: this.digest(slot),
      sentAtMs: this.sentAtMs(slot),
      callNo: this.#numbers[slot * NUMBERS + CALL_NO] as number,
    };
  }

  /** Until then the key is served without a thought; after it, it depends on its age and on how Kinde is. */
  servedUntilMs(slot: number): number {
    return this.#numbers[slot * NUMBERS + SERVED_UNTIL] as number;
  }

  serveUntil(slot: number, atMs: number): void {
    this.#numbers[slot * NUMBERS + SERVED_UNTIL] = atMs;
  }

  #slotFor(digest: string, keyId: string): number {
    const known = this.find(digest);
    if (known !== NONE && this.apiKey(known).keyId === keyId) return known;
    this.remove(known);
    this.remove(this.findById(keyId));
    const slot = this.#takeSlot();
    this.#cells[slot * CELLS + DIGEST] = digest;
    this.#byDigest.add(slot, hashOfDigest(digest));
    this.#byId.add(slot, hashOfText(keyId));
    return slot;
  }

  #takeSlot(): number {
    const freed = this.#freed.pop();
    if (freed !== undefined) return freed;
    if (this.#taken < this.#maxKeys) return (this.#taken += 1);
    this.remove(this.#leastRecentlyUsed());
    return this.#freed.pop() as number;
  }

  /** @returns a slot of a sample; all slots are taken */
  #leastRecentlyUsed(): number {
    let oldest = NONE;
    let oldestUse = Infinity;
    for (let looked = 0; looked < Math.min(SAMPLE, this.#maxKeys); looked += 1) {
      this.#sampled = (this.#sampled % this.#maxKeys) + 1;
      const lastUse = this.#numbers[this.#sampled * NUMBERS + LAST_USE] as number;
      if (lastUse < oldestUse) [oldest, oldestUse] = [this.#sampled, lastUse];
    }
    return oldest;
  }
}
