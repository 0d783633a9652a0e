import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { RawKey } from './raw-key.js';

describe('RawKey', () => {
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
  ])('accepts or rejects %s', (_what, text, isAccepted) => {
    expect(RawKey.parse(text)?.reveal()).toBe(isAccepted ? text : undefined);
  });

  it('has its SHA-256 as digest, one character for each byte', () => {
    const { digest } = RawKey.parse('k_live_0123456789abcdef') as RawKey;
    expect(digest).toHaveLength(32);
    expect(Buffer.from(digest, 'latin1')).toEqual(createHash('sha256').update('k_live_0123456789abcdef').digest());
  });

  it('does not show its text when it is inspected or serialized', () => {
    const key = RawKey.parse('k_live_0123456789abcdef');
    expect(inspect(key, { showHidden: true, depth: 9 })).not.toContain('k_live');
    expect(JSON.stringify({ key })).not.toContain('k_live');
  });
});
