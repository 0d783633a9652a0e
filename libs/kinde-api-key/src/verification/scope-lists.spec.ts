import { ScopeLists } from './scope-lists.js';

describe('ScopeLists', () => {
  it('replaces equal lists by the same frozen list', () => {
    const lists = new ScopeLists();
    const shared = lists.share(['read:users', 'write:users']);
    expect(shared).toEqual(['read:users', 'write:users']);
    expect(Object.isFrozen(shared)).toBe(true);
    expect(lists.share(['read:users', 'write:users'])).toBe(shared);
  });

  it('does not confuse two lists that are equal when joined', () => {
    const lists = new ScopeLists();
    const pairs: [string[], string[]][] = [
      [['a b'], ['a', 'b']],
      [['a,b'], ['a', 'b']],
      [['a","b'], ['a', 'b']],
      [
        ['a', 'b'],
        ['b', 'a'],
      ],
      [[''], []],
    ];
    for (const [one, other] of pairs) {
      expect(lists.share(one)).toEqual(one);
      expect(lists.share(other)).toEqual(other);
    }
  });

  it('returns equal lists beyond the number of lists in memory', () => {
    const lists = new ScopeLists();
    for (let round = 0; round < 2; round += 1) {
      for (let index = 0; index < 1_500; index += 1)
        expect(lists.share([`scope:${index}`])).toEqual([`scope:${index}`]);
    }
  });
});
