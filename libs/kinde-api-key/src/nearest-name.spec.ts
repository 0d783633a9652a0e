import { nearestName } from './nearest-name.js';

const NAMES = ['read:users', 'write:users', 'read:reports'];

describe('nearestName', () => {
  it.each([
    ['reed:users', 'read:users'],
    ['READ:USERS', 'read:users'],
    ['read:user', 'read:users'],
    ['wrte:users', 'write:users'],
    ['read:rports', 'read:reports'],
  ])('takes %s for a mistake in %s', (wanted, name) => {
    expect(nearestName(wanted, NAMES)).toBe(name);
  });

  it.each(['', 'x', 'admin', 'k_live_0123456789abcdef', 'x'.repeat(10_000)])('knows none like %s', (wanted) => {
    expect(nearestName(wanted, NAMES)).toBeUndefined();
  });

  it('knows none in an empty list, and skips names of great length', () => {
    expect(nearestName('read:users', [])).toBeUndefined();
    expect(nearestName('read:users', ['read:users'.repeat(1_000)])).toBeUndefined();
  });
});
