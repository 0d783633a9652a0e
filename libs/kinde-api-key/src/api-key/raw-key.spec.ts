import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { RawKey } from './raw-key.js';

const KEY = 'k_live_0123456789abcdef';

describe('RawKey', () => {
  it.each([
    ['16 characters', 'k'.repeat(16)],
    ['512 characters', 'k'.repeat(512)],
    ['every character of a b64token', 'azAZ09-._~+/azAZ=='],
  ])('parses a text with %s', (_what, text) => {
    expect(RawKey.parse(text)?.reveal()).toBe(text);
  });

  it.each([
    ['a text of 15 characters', 'k'.repeat(15)],
    ['a text of 513 characters', 'k'.repeat(513)],
    ['an equals sign before the end', 'k_live_0123=456789'],
    ['nothing but equals signs', '='.repeat(16)],
    ['a leading space', ' k_live_0123456789'],
    ['a trailing line feed', 'k_live_0123456789\n'],
    ['a letter outside ASCII', 'k_live_0123456789\u00e4'],
    ['undefined', undefined],
    ['an array of letters, which a regular expression would convert to a text', Array.from('k'.repeat(16))],
    ['an object with a length and a toString', { length: 16, toString: () => 'k'.repeat(16) }],
  ])('does not parse %s', (_what, value) => {
    expect(RawKey.parse(value)).toBeUndefined();
  });

  it('has the SHA-256 of its text as digest, one character for each byte', () => {
    const digest = RawKey.parse(KEY)?.digest ?? '';
    expect(digest).toHaveLength(32);
    expect(Buffer.from(digest, 'latin1')).toEqual(createHash('sha256').update(KEY).digest());
  });

  it('does not show its text when it is printed or serialized', () => {
    const key = RawKey.parse(KEY);
    for (const shown of [inspect(key, { depth: null, showHidden: true }), JSON.stringify(key)]) {
      expect(shown).not.toContain(KEY);
    }
  });
});
