import { RawKey } from '../api-key/raw-key.js';
import type { Verdict } from '../api-key/verdict.js';
import { KindeApiKeyUnavailableError } from '../kinde-api-key.errors.js';
import { buildGuard, RAW_KEY } from '../../../../test/support/guard.js';
import { verifiedKey } from '../../../../test/support/verified-key.js';
import { isVerificationError, keyVerificationOf } from './key-verification.js';

const KEY = RawKey.parse(RAW_KEY) as RawKey;
const ACCEPTED: Verdict = { accepted: true, apiKey: verifiedKey() };

describe('keyVerificationOf()', () => {
  it('asks the service with the parsed key, and finds the answer in its cache', async () => {
    const { verification, asked } = buildGuard();
    const adapted = keyVerificationOf(verification);
    expect(adapted.lookup(KEY)).toBeUndefined();
    expect(adapted.wasAccepted(KEY)).toBe(false);
    expect(await adapted.ask(KEY)).toMatchObject({ accepted: true });
    expect(adapted.lookup(KEY)).toMatchObject({ accepted: true });
    expect(adapted.wasAccepted(KEY)).toBe(true);
    expect(asked).toEqual([RAW_KEY]);
  });

  it('takes an object with verify() alone, and gives it the text of the key', async () => {
    const verify = jest.fn(async () => ACCEPTED);
    const adapted = keyVerificationOf({ verify });
    expect(adapted.lookup(KEY)).toBeUndefined();
    expect(adapted.wasAccepted(KEY)).toBe(false);
    expect(await adapted.ask(KEY)).toBe(ACCEPTED);
    expect(verify).toHaveBeenCalledWith(RAW_KEY);
  });

  it('takes an object with verifyCached()', () => {
    const verifyCached = jest.fn(() => ACCEPTED);
    expect(keyVerificationOf({ verify: jest.fn(), verifyCached }).lookup(KEY)).toBe(ACCEPTED);
    expect(verifyCached).toHaveBeenCalledWith(RAW_KEY);
  });

  it('calls a verify() that was replaced on the service', async () => {
    const { verification, asked } = buildGuard();
    const spy = jest.spyOn(verification, 'verify').mockResolvedValue({ accepted: false, reason: 'revoked' });
    expect(await keyVerificationOf(verification).ask(KEY)).toEqual({ accepted: false, reason: 'revoked' });
    expect(spy).toHaveBeenCalledWith(RAW_KEY);
    expect(asked).toEqual([]);
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
