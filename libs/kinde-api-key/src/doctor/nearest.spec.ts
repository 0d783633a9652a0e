import { nearestOf } from './nearest.js';

describe('nearestOf', () => {
  it.each([
    ['read:user', ['read:users', 'write:users'], 'read:users'],
    ['raed:users', ['read:users', 'write:users'], 'read:users'],
    ['Read:Users', ['read:users'], 'read:users'],
    ['delete:everything', ['read:users'], undefined],
    ['ab', ['xy'], undefined],
    ['read:users', [], undefined],
  ])('finds for %s among %j: %s', (misspelt, names, nearest) => {
    expect(nearestOf(misspelt, names)).toBe(nearest);
  });
});
