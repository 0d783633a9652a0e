import { hash } from 'node:crypto';
import { hashOfDigest, hashOfText, NONE, SlotIndex } from './slot-index.js';

/** The slots that an index has for a hash, in its order. */
function slotsOf(index: SlotIndex, hash: number): number[] {
  const slots: number[] = [];
  for (let slot = index.first(hash); slot !== NONE; slot = index.next(slot)) slots.push(slot);
  return slots;
}

const byNumber = (one: number, other: number): number => one - other;

describe('SlotIndex', () => {
  it.each([1, 2, 3, 4])('takes slot %i of four with one hash out, and leaves the others in', (taken) => {
    const index = new SlotIndex(4);
    for (const slot of [1, 2, 3, 4]) index.add(slot, 12_345);
    index.remove(taken, 12_345);
    expect(slotsOf(index, 12_345).toSorted(byNumber)).toEqual([1, 2, 3, 4].filter((slot) => slot !== taken));
    index.add(taken, 12_345);
    expect(slotsOf(index, 12_345).toSorted(byNumber)).toEqual([1, 2, 3, 4]);
  });

  it.each([1, 2, 3, 4, 5, 8])('finds each of %i slots by its hash, negative ones too', (slots) => {
    const index = new SlotIndex(slots);
    const hashes = Array.from({ length: slots }, (_, slot) => hashOfText(`text ${slot}`) * (slot % 2 ? 1 : -1));
    for (const [before, hash] of hashes.entries()) index.add(before + 1, hash);
    for (const [before, hash] of hashes.entries()) expect(slotsOf(index, hash)).toContain(before + 1);
  });

  it.each([
    ['digests', (n: number) => hashOfDigest(hash('sha256', `secret ${n}`, 'binary'))],
    ['texts that differ in their last characters', (n: number) => hashOfText(`api_key_${n}`)],
    ['texts that differ in their first characters', (n: number) => hashOfText(`${n}_api_key`)],
  ])('spreads %s over its lists', (_what, hashOf) => {
    const slots = 1_000;
    const index = new SlotIndex(slots);
    for (let slot = 1; slot <= slots; slot += 1) index.add(slot, hashOf(slot));
    const lengths = Array.from({ length: slots }, (_, before) => slotsOf(index, hashOf(before + 1)).length);
    // With about as many lists as slots, a list of ten happens once in a million.
    expect(Math.max(...lengths)).toBeLessThan(10);
  });

  it('uses all 32 bits of a digest that a list can be chosen by', () => {
    expect(hashOfDigest('\x01\x02\x04\x08'.padEnd(32, '\xff'))).toBe(0x08040201);
    expect(hashOfDigest('\xff'.repeat(32))).toBe(-1);
  });
});
