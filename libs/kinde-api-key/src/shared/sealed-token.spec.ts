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
const secrets = new SharedSecrets(IDENTITY);
const TOKEN = { token: new AccessToken('the.token.itself', 1_000, 60_000), isForced: true };

describe('sealToken and openToken', () => {
  it('return the token with its times', () => {
    const opened = openToken(secrets, sealToken(secrets, TOKEN));
    expect(opened).toMatchObject({ isForced: true, token: { sentAtMs: 1_000, lifeMs: 60_000, renewAtMs: 49_000 } });
    expect(opened?.token.reveal()).toBe('the.token.itself');
  });

  it('never write the same text twice, and show neither the token nor the client secret', () => {
    const sealed = sealToken(secrets, TOKEN);
    expect(sealed).not.toBe(sealToken(secrets, TOKEN));
    expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toContain('token');
    expect(inspect(secrets, { showHidden: true, depth: 9 })).not.toContain('secret');
  });

  it('reject a token sealed for another client secret, client, domain or audience', () => {
    const sealed = sealToken(secrets, TOKEN);
    for (const other of [
      { clientSecret: 'x' },
      { clientId: 'x' },
      { origin: 'https://x.kinde.com' },
      { audience: 'x' },
    ])
      expect(openToken(new SharedSecrets({ ...IDENTITY, ...other }), sealed)).toBeUndefined();
  });

  it('reject a token with a changed bit, cut off or extended', () => {
    const bytes = Buffer.from(sealToken(secrets, TOKEN), 'base64url');
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, bits) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ bits;
        expect(openToken(secrets, changed.toString('base64url'))).toBeUndefined();
        expect(openToken(secrets, bytes.subarray(0, at).toString('base64url'))).toBeUndefined();
        expect(openToken(secrets, Buffer.concat([bytes, Buffer.of(bits)]).toString('base64url'))).toBeUndefined();
      }),
    );
  });

  it('reject any other text, however long', () => {
    expect(openToken(secrets, 'x'.repeat(100_000))).toBeUndefined();
    fc.assert(fc.property(fc.string(), (text) => expect(openToken(secrets, text)).toBeUndefined()));
  });
});
