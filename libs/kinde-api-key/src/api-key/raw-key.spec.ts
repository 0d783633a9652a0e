import { createHash } from 'node:crypto';
import { couldBeKey, digestOf } from './raw-key.js';

describe('raw keys', () => {
  it.each([
    ['16 characters', 'k'.repeat(16), true],
    ['15 characters', 'k'.repeat(15), false],
    ['512 characters', 'k'.repeat(512), true],
    ['513 characters', 'k'.repeat(513), false],
    ['every character of a b64token', 'azAZ09-._~+/azAZ==', true],
    ['a sign of equality that is not at the end', 'k_live_0123=456789', false],
    ['nothing but signs of equality', '='.repeat(16), false],
    ['a space before it', ' k_live_0123456789', false],
    ['a line feed after it', 'k_live_0123456789\n', false],
    ['a letter that is not ASCII', 'k_live_0123456789\u00e4', false],
    ['no text, from a caller without a compiler', undefined, false],
    ['a list of letters, which a regular expression would take for a text', Array.from('k'.repeat(16)), false],
    ['an object that passes for a text', { length: 16, toString: () => 'k'.repeat(16) }, false],
  ])('have the form of one or not: %s', (_what, text, isOne) => {
    expect(couldBeKey(text as string)).toBe(isOne);
  });

  it('are remembered by their SHA-256, a character for each of its bytes', () => {
    const digest = digestOf('k_live_0123456789abcdef');
    expect(digest).toHaveLength(32);
    expect(Buffer.from(digest, 'latin1')).toEqual(createHash('sha256').update('k_live_0123456789abcdef').digest());
  });
});
