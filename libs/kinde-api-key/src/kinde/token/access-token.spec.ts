import { inspect } from 'node:util';
import fc from 'fast-check';
import { AccessToken } from './access-token.js';

describe('AccessToken', () => {
  it.each([
    ['a day', 86_400_000, 86_370_000, 69_120_000],
    ['an hour', 3_600_000, 3_570_000, 2_880_000],
    ['five minutes', 300_000, 270_000, 240_000],
    ['a minute', 60_000, 54_000, 48_000],
    ['a second', 1_000, 900, 800],
  ])('with a life of %s (%d ms) is used for %d ms, and renewed after %d ms', (_life, lifeMs, usableMs, renewMs) => {
    const token = new AccessToken('secret', 1_000_000, lifeMs);
    expect(token).toMatchObject({ usableUntilMs: 1_000_000 + usableMs, renewAtMs: 1_000_000 + renewMs });
  });

  it('is renewed while it is usable, and unusable before it expires, for any life', () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 1e15, noNaN: true }), (lifeMs) => {
        const { renewAtMs, usableUntilMs } = new AccessToken('secret', 0, lifeMs);
        expect(0 < renewAtMs && renewAtMs < usableUntilMs && usableUntilMs < lifeMs).toBe(true);
        expect(lifeMs - usableUntilMs).toBeCloseTo(Math.min(30_000, lifeMs / 10), 0);
      }),
    );
  });

  it('shows its secret through reveal() alone', () => {
    const token = new AccessToken('secret', 0, 1_000);
    expect(token.reveal()).toBe('secret');
    expect(inspect(token, { depth: Infinity, showHidden: true, getters: true })).not.toContain('secret');
    expect(JSON.stringify(token)).not.toContain('secret');
  });
});
