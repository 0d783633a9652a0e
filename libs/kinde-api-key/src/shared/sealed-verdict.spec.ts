import fc from 'fast-check';
import type { AcceptedVerdict } from '../api-key/verdict.js';
import { SharedSecrets } from './shared-secrets.js';
import { openVerdict, sealVerdict } from './sealed-verdict.js';

const IDENTITY = {
  origin: 'https://acme.kinde.com',
  clientId: 'id',
  clientSecret: 'secret',
  audience: 'a',
  apiId: null,
};
const secrets = new SharedSecrets(IDENTITY);
const NAME = secrets.verdictName('digest');

const verdicts: fc.Arbitrary<AcceptedVerdict> = fc
  .record({
    keyId: fc.string({ minLength: 1, unit: 'binary' }),
    scopes: fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 }),
    orgCode: fc.option(fc.string({ minLength: 1, unit: 'binary' })),
    userId: fc.option(fc.string({ minLength: 1 })),
    lastVerifiedOn: fc.option(fc.string()),
    verificationCount: fc.option(fc.nat()),
  })
  .map((fields) => ({
    accepted: true,
    apiKey: { ...fields, ownerType: fields.userId ? 'user' : fields.orgCode ? 'organization' : 'environment' },
  }));
const times = fc.nat({ max: 8.64e15 });

describe('sealVerdict and openVerdict', () => {
  it('return the verdict that was sealed, whatever the names in it', () => {
    fc.assert(
      fc.property(verdicts, times, (verdict, sentAtMs) => {
        const sealed = sealVerdict(secrets, NAME, { verdict, sentAtMs }) ?? '';
        expect(openVerdict(secrets, NAME, sealed)).toEqual({ verdict, sentAtMs });
      }),
    );
  });

  it('reject a verdict sealed under another name, or for another client secret, client, domain or API', () => {
    const sealed =
      sealVerdict(secrets, NAME, { verdict: fc.sample(verdicts, 1)[0] as AcceptedVerdict, sentAtMs: 1 }) ?? '';
    expect(openVerdict(secrets, secrets.verdictName('other'), sealed)).toBeUndefined();
    for (const other of [{ clientSecret: 'x' }, { clientId: 'x' }, { origin: 'https://x.kinde.com' }]) {
      expect(openVerdict(new SharedSecrets({ ...IDENTITY, ...other }), NAME, sealed)).toBeUndefined();
      expect(new SharedSecrets({ ...IDENTITY, ...other }).verdictName('digest')).not.toBe(NAME);
    }
    expect(new SharedSecrets({ ...IDENTITY, apiId: 'any' }).verdictName('digest')).not.toBe(NAME);
  });

  it('reject a verdict with one character changed, removed or added', () => {
    fc.assert(
      fc.property(verdicts, times, fc.nat(), fc.string({ maxLength: 1 }), (verdict, sentAtMs, at, character) => {
        const sealed = sealVerdict(secrets, NAME, { verdict, sentAtMs }) ?? '';
        const index = at % (sealed.length + 1);
        const changed = sealed.slice(0, index) + character + sealed.slice(index + 1);
        fc.pre(changed !== sealed);
        expect(openVerdict(secrets, NAME, changed)).toBeUndefined();
      }),
    );
  });

  it('reject any other text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(openVerdict(secrets, NAME, text)).toBeUndefined();
      }),
    );
  });

  it('parse the verdict as strictly as an answer of Kinde, even if its HMAC is right', () => {
    for (const answer of [
      '{"is_valid":"true","status":"active","key_id":"a","scopes":[]}',
      '{"is_valid":false}',
      '{}',
    ]) {
      const text = `1.5.${secrets.macOf(NAME, `1.5.${answer}`)}.${answer}`;
      expect(openVerdict(secrets, NAME, text)).toBeUndefined();
    }
  });

  it('do not seal a verdict that is longer than a value may be', () => {
    const verdict = fc.sample(verdicts, 1)[0] as AcceptedVerdict;
    const large = { ...verdict, apiKey: { ...verdict.apiKey, scopes: Array(7_000).fill('read:users') as string[] } };
    expect(sealVerdict(secrets, NAME, { verdict: large, sentAtMs: 1 })).toBeUndefined();
  });
});
