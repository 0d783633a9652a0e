import { RawKey } from '../api-key/raw-key.js';
import type { Verdict } from '../api-key/verdict.js';
import { KindeApiKeyUnavailableError } from '../kinde-api-key.errors.js';
import { buildGuard, RAW_KEY, requestTo } from '../../../../test/support/guard.js';
import { verifiedKey } from '../../../../test/support/verified-key.js';
import { ApiKeyGuard } from './api-key.guard.js';
import { askKinde, isVerificationError } from './key-verification.js';

const KEY = RawKey.parse(RAW_KEY) as RawKey;
const ACCEPTED: Verdict = { accepted: true, apiKey: verifiedKey() };

class Users {
  find(): void {}
}

describe('askKinde()', () => {
  it('asks the service with the parsed key', async () => {
    const { verification, asked } = buildGuard();
    const ask = jest.spyOn(verification, 'ask');
    expect(await askKinde(verification, KEY, false)).toMatchObject({ verdict: { accepted: true }, source: 'kinde' });
    expect(ask).toHaveBeenCalledWith(KEY, false);
    expect(asked).toEqual([RAW_KEY]);
  });

  it('calls a verify() that was replaced on the service, with the text of the key', async () => {
    const { verification, asked } = buildGuard();
    const spy = jest.spyOn(verification, 'verify').mockResolvedValue({ accepted: false, reason: 'revoked' });
    expect(await askKinde(verification, KEY, false)).toEqual({
      verdict: { accepted: false, reason: 'revoked' },
      source: null,
    });
    expect(spy).toHaveBeenCalledWith(RAW_KEY);
    expect(asked).toEqual([]);
  });
});

describe('ApiKeyGuard, with an object that has verify() alone as the service', () => {
  it('asks it for every request', async () => {
    const verify = jest.fn(async () => ACCEPTED);
    const { registration } = buildGuard({ options: { failedAttempts: { limit: 1, windowMs: 60_000 } } });
    const guard = new ApiKeyGuard({ ...registration, verification: { verify } });
    for (let times = 0; times < 2; times += 1)
      expect(await guard.canActivate(requestTo(Users, 'find').context)).toBe(true);
    expect(verify.mock.calls).toEqual([[RAW_KEY], [RAW_KEY]]);
  });
});

describe('isVerificationError()', () => {
  it.each([
    ['an error of this copy', new KindeApiKeyUnavailableError('down', { retryAfterSeconds: 5 }), true],
    ['an error of another copy', { code: 'VERIFICATION_MISCONFIGURED', retryAfterSeconds: 5 }, true],
    ['an error without a wait', { code: 'VERIFICATION_UNAVAILABLE' }, false],
    ['another code', { code: 'ECONNREFUSED', retryAfterSeconds: 5 }, false],
    ['null', null, false],
    ['undefined', undefined, false],
    ['a text', 'VERIFICATION_UNAVAILABLE', false],
  ])('judges %s by its code', (_case, error, expected) => {
    expect(isVerificationError(error)).toBe(expected);
  });
});
