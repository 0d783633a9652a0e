import { inspect } from 'node:util';
import fc from 'fast-check';
import { AccessToken } from '../kinde/token/access-token.js';
import { SharedSecrets } from './shared-secrets.js';
import { openToken, sealToken } from './sealed-token.js';

const IDENTITY = {
  origin: 'https://acme.kinde.com',
  clientId: 'id',
  clientSecret: 'secret',
  audience: 'a',
  apiId: null,
};
const keys = new SharedSecrets(IDENTITY);
const TOKEN = { token: new AccessToken('the.token.itself', 1_000, 60_000), isForced: true };

describe('a sealed token', () => {
  it('is the token with its times', () => {
    const opened = openToken(keys, sealToken(keys, TOKEN));
    expect(opened).toMatchObject({ isForced: true, token: { sentAtMs: 1_000, lifeMs: 60_000, renewAtMs: 49_000 } });
    expect(opened?.token.reveal()).toBe('the.token.itself');
  });

  it('is never the same text twice, and shows nothing', () => {
    const sealed = sealToken(keys, TOKEN);
    expect(sealed).not.toBe(sealToken(keys, TOKEN));
    expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toContain('token');
    expect(inspect(keys, { showHidden: true, depth: 9 })).not.toContain('secret');
  });

  it('is nothing for another secret, client, domain or audience', () => {
    const sealed = sealToken(keys, TOKEN);
    for (const other of [
      { clientSecret: 'x' },
      { clientId: 'x' },
      { origin: 'https://x.kinde.com' },
      { audience: 'x' },
    ])
      expect(openToken(new SharedSecrets({ ...IDENTITY, ...other }), sealed)).toBeUndefined();
  });

  it('is nothing once a bit was changed, or it was cut off or continued', () => {
    const bytes = Buffer.from(sealToken(keys, TOKEN), 'base64url');
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, bits) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ bits;
        expect(openToken(keys, changed.toString('base64url'))).toBeUndefined();
        expect(openToken(keys, bytes.subarray(0, at).toString('base64url'))).toBeUndefined();
        expect(openToken(keys, Buffer.concat([bytes, Buffer.of(bits)]).toString('base64url'))).toBeUndefined();
      }),
    );
  });

  it('is nothing when it is any text at all, however long', () => {
    expect(openToken(keys, 'x'.repeat(100_000))).toBeUndefined();
    fc.assert(fc.property(fc.string(), (text) => expect(openToken(keys, text)).toBeUndefined()));
  });
});
