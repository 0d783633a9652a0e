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
const keys = new SharedSecrets(IDENTITY);
const NAME = keys.verdictName('digest');

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

describe('a sealed verdict', () => {
  it('is what was sealed, whatever the names in it', () => {
    fc.assert(
      fc.property(verdicts, times, (verdict, sentAtMs) => {
        const sealed = sealVerdict(keys, NAME, { verdict, sentAtMs }) ?? '';
        expect(openVerdict(keys, NAME, sealed)).toEqual({ verdict, sentAtMs });
      }),
    );
  });

  it('is nothing at another place, with another secret, client, domain or API', () => {
    const sealed =
      sealVerdict(keys, NAME, { verdict: fc.sample(verdicts, 1)[0] as AcceptedVerdict, sentAtMs: 1 }) ?? '';
    expect(openVerdict(keys, keys.verdictName('other'), sealed)).toBeUndefined();
    for (const other of [{ clientSecret: 'x' }, { clientId: 'x' }, { origin: 'https://x.kinde.com' }]) {
      expect(openVerdict(new SharedSecrets({ ...IDENTITY, ...other }), NAME, sealed)).toBeUndefined();
      expect(new SharedSecrets({ ...IDENTITY, ...other }).verdictName('digest')).not.toBe(NAME);
    }
    expect(new SharedSecrets({ ...IDENTITY, apiId: 'any' }).verdictName('digest')).not.toBe(NAME);
  });

  it('is nothing once a single character was changed, taken or added', () => {
    fc.assert(
      fc.property(verdicts, times, fc.nat(), fc.string({ maxLength: 1 }), (verdict, sentAtMs, at, character) => {
        const sealed = sealVerdict(keys, NAME, { verdict, sentAtMs }) ?? '';
        const place = at % (sealed.length + 1);
        const changed = sealed.slice(0, place) + character + sealed.slice(place + 1);
        fc.pre(changed !== sealed);
        expect(openVerdict(keys, NAME, changed)).toBeUndefined();
      }),
    );
  });

  it('is nothing when it is any text at all', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(openVerdict(keys, NAME, text)).toBeUndefined();
      }),
    );
  });

  it('goes through the parser for answers of Kinde even with a right tag', () => {
    for (const answer of [
      '{"is_valid":"true","status":"active","key_id":"a","scopes":[]}',
      '{"is_valid":false}',
      '{}',
    ]) {
      const text = `1.5.${keys.macOf(NAME, `1.5.${answer}`)}.${answer}`;
      expect(openVerdict(keys, NAME, text)).toBeUndefined();
    }
  });

  it('is not made where it would be longer than anybody reads', () => {
    const verdict = fc.sample(verdicts, 1)[0] as AcceptedVerdict;
    const large = { ...verdict, apiKey: { ...verdict.apiKey, scopes: Array(7_000).fill('read:users') as string[] } };
    expect(sealVerdict(keys, NAME, { verdict: large, sentAtMs: 1 })).toBeUndefined();
  });
});
