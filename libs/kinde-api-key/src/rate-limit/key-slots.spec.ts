import { hashOfText, NONE } from '../slot-index.js';
import { KeySlots } from './key-slots.js';

const KEYS = Array.from({ length: 1_000 }, (_, key) => `key ${key}`);

describe('KeySlots', () => {
  it('numbers keys in the order in which they come', () => {
    const slots = new KeySlots();
    expect(KEYS.map((keyId) => slots.add(keyId))).toEqual(KEYS.map((_keyId, before) => before + 1));
    expect(slots.keyIds).toEqual(KEYS);
  });

  it.each([
    ['every key has its own hint', (key: number) => key + 1],
    ['all keys have one', () => 0],
    ['hints are shared by some', (key: number) => key % 37],
    ['hints are larger than the table', (key: number) => key * 1_048_577],
  ])('finds all of them where %s', (_case, hintOf) => {
    const slots = new KeySlots();
    const added = KEYS.map((keyId) => slots.add(keyId));
    for (let times = 0; times < 2; times += 1) {
      expect(KEYS.map((keyId, key) => slots.find(keyId, hintOf(key)))).toEqual(added);
    }
    expect(slots.find('nobody', 1)).toBe(NONE);
  });

  it('finds an id that is an equal text, and not the same one', () => {
    const slots = new KeySlots();
    const slot = slots.add('api_key_1');
    expect(slots.find('api_key_1', 5)).toBe(slot);
    expect(slots.find(['api', 'key', '1'].join('_'), 5)).toBe(slot);
  });

  it('tells ids with one hash apart', () => {
    const [one, other] = ['api_key_ef963f95', 'api_key_86a8f059'];
    expect(hashOfText(one)).toBe(hashOfText(other));
    const slots = new KeySlots();
    const slot = slots.add(one);
    expect(slots.find(other, 1)).toBe(NONE);
    expect([slots.add(other), slots.find(one, 1), slots.find(other, 2)]).toEqual([slot + 1, slot, slot + 1]);
  });

  it('finds an empty id like any other', () => {
    const slots = new KeySlots();
    expect(slots.find('', 1)).toBe(NONE);
    const slot = slots.add('');
    expect([slots.find('', 1), slots.find('', 2)]).toEqual([slot, slot]);
  });

  it('finds a key after it was added, by the hint that had not found it', () => {
    const slots = new KeySlots();
    expect(slots.find('a', 3)).toBe(NONE);
    const slot = slots.add('a');
    expect(slots.find('a', 3)).toBe(slot);
  });

  it('remembers by a hint, and looks by the id where the hint is wrong', () => {
    const slots = new KeySlots();
    const [a, b] = [slots.add('a'), slots.add('b')];
    expect([slots.find('a', 1), slots.find('b', 1), slots.find('a', 1), slots.find('a', 2)]).toEqual([a, b, a, a]);
  });
});
