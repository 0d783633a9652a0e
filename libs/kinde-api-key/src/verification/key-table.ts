import type { VerifiedApiKey } from '../verified-api-key.js';
import { hashOfDigest, hashOfText, NONE, SlotIndex } from './slot-index.js';

/** One verify call, and its place among the others. */
export interface Call {
  /** When it was sent. */
  readonly sentAtMs: number;
  /** Which one of the service's it was: calls of one millisecond still have an order. */
  readonly callNo: number;
}

/** Where the times of a slot stand, and how many there are. */
const SENT_AT = 0;
const SERVED_UNTIL = 1;
const CALL_NO = 2;
const TIMES = 3;

/** A key's secret, and the call by which Kinde accepted it. */
export interface Secret extends Call {
  readonly digest: string;
}

/**
 * Accepted keys, found by the digest of their secret and by their id, and bounded: the one that was used least recently makes room.
 *
 * There may be a million of them, so it is built for little memory: what is known of a key has a slot, the same in every column, and both
 * indexes and the order of use are made of slot numbers. Two maps, a list and an object for each key need twice as much.
 */
export class KeyTable {
  readonly #maxKeys: number;
  readonly #apiKeys: (VerifiedApiKey | undefined)[];
  readonly #digests: string[];
  /** Three for each slot, side by side, because they are looked at together. */
  readonly #times: Float64Array;
  readonly #byDigest: SlotIndex;
  readonly #byId: SlotIndex;
  /** The next older and the next newer slot in the order of use: a ring through `NONE`, whose newer slot was used least recently. */
  readonly #order: Uint32Array;
  readonly #onRemoved: (apiKey: VerifiedApiKey, secret: Secret) => void;
  #freed: number[] = [];
  #taken = 0;

  /**
   * @param maxKeys from 1; the columns have their full length from the start
   * @param onRemoved called for each key that is taken out or makes room
   */
  constructor(maxKeys: number, onRemoved: (apiKey: VerifiedApiKey, secret: Secret) => void) {
    const slots = maxKeys + 1;
    this.#onRemoved = onRemoved;
    this.#maxKeys = maxKeys;
    this.#apiKeys = Array.from({ length: slots });
    this.#digests = Array.from({ length: slots }, () => '');
    this.#times = new Float64Array(slots * TIMES);
    this.#byDigest = new SlotIndex(maxKeys);
    this.#byId = new SlotIndex(maxKeys);
    this.#order = new Uint32Array(slots * 2);
  }

  /** @returns the slot of the key with this digest, or {@link NONE}; does not count as a use */
  find(digest: string): number {
    let slot = this.#byDigest.first(hashOfDigest(digest));
    while (slot !== NONE && this.#digests[slot] !== digest) slot = this.#byDigest.next(slot);
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
    if (this.#older(NONE) === slot) return;
    this.#unlink(slot);
    this.#linkAsNewest(slot);
  }

  /** Puts a key in; what was known by the same digest goes, and so does what was known by the same id. */
  put(digest: string, apiKey: VerifiedApiKey, { sentAtMs, callNo }: Call, servedUntilMs: number): void {
    const slot = this.#slotFor(digest, apiKey.keyId);
    this.#apiKeys[slot] = apiKey;
    this.#times[slot * TIMES + SENT_AT] = sentAtMs;
    this.#times[slot * TIMES + CALL_NO] = callNo;
    this.#times[slot * TIMES + SERVED_UNTIL] = servedUntilMs;
    this.use(slot);
  }

  /** Takes a key out; nothing for {@link NONE}. */
  remove(slot: number): void {
    if (slot === NONE) return;
    const [apiKey, secret] = [this.apiKey(slot), this.secret(slot)];
    this.#byDigest.remove(slot, hashOfDigest(secret.digest));
    this.#byId.remove(slot, hashOfText(apiKey.keyId));
    this.#unlink(slot);
    this.#apiKeys[slot] = undefined;
    this.#digests[slot] = '';
    this.#freed.push(slot);
    this.#onRemoved(apiKey, secret);
  }

  clear(): void {
    this.#apiKeys.fill(undefined);
    this.#digests.fill('');
    this.#byDigest.clear();
    this.#byId.clear();
    this.#link(NONE, NONE);
    this.#freed = [];
    this.#taken = 0;
  }

  /** @returns the slots of all keys; they may be removed meanwhile */
  slots(): number[] {
    const slots: number[] = [];
    for (let slot = this.#newer(NONE); slot !== NONE; slot = this.#newer(slot)) slots.push(slot);
    return slots;
  }

  apiKey(slot: number): VerifiedApiKey {
    return this.#apiKeys[slot] as VerifiedApiKey;
  }

  digest(slot: number): string {
    return this.#digests[slot] as string;
  }

  sentAtMs(slot: number): number {
    return this.#times[slot * TIMES + SENT_AT] as number;
  }

  secret(slot: number): Secret {
    return {
      digest: this.digest(slot),
      sentAtMs: this.sentAtMs(slot),
      callNo: this.#times[slot * TIMES + CALL_NO] as number,
    };
  }

  /** Until then the key is served without a thought; after it, it depends on its age and on how Kinde is. */
  servedUntilMs(slot: number): number {
    return this.#times[slot * TIMES + SERVED_UNTIL] as number;
  }

  serveUntil(slot: number, atMs: number): void {
    this.#times[slot * TIMES + SERVED_UNTIL] = atMs;
  }

  #slotFor(digest: string, keyId: string): number {
    const known = this.find(digest);
    if (known !== NONE && this.apiKey(known).keyId === keyId) return known;
    this.remove(known);
    this.remove(this.findById(keyId));
    const slot = this.#takeSlot();
    this.#digests[slot] = digest;
    this.#byDigest.add(slot, hashOfDigest(digest));
    this.#byId.add(slot, hashOfText(keyId));
    this.#linkAsNewest(slot);
    return slot;
  }

  #takeSlot(): number {
    const freed = this.#freed.pop();
    if (freed !== undefined) return freed;
    if (this.#taken < this.#maxKeys) return (this.#taken += 1);
    this.remove(this.#newer(NONE));
    return this.#freed.pop() as number;
  }

  #linkAsNewest(slot: number): void {
    this.#link(this.#older(NONE), slot);
    this.#link(slot, NONE);
  }

  #unlink(slot: number): void {
    this.#link(this.#older(slot), this.#newer(slot));
  }

  #link(older: number, newer: number): void {
    this.#order[older * 2 + 1] = newer;
    this.#order[newer * 2] = older;
  }

  #older(slot: number): number {
    return this.#order[slot * 2] as number;
  }

  #newer(slot: number): number {
    return this.#order[slot * 2 + 1] as number;
  }
}
