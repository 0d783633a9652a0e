import fc from 'fast-check';
import { rawKey } from '../../../../../test/support/key-verifier.js';
import { TestClock } from '../../testing/index.js';
import { VerificationFailure } from '../verification-failure.js';
import { AccessToken } from './access-token.js';
import { M2mToken } from './m2m-token.js';
import { TokenRejections } from './token-rejections.js';

const signal = new AbortController().signal;
const LIFE_MS = 86_400_000;
const GOOD_KEY = rawKey('k_live_good_0000000000');
const BAD_KEY = rawKey('k_live_bad_00000000000');

/** Kinde, which answers 401 for bad keys and for tokens that it dropped or that verify does not know yet. */
function newKinde() {
  const clock = new TestClock(1_000_000_000);
  const kinde = { mints: 0, checks: 0, lagMs: 0, isTokenEndpointDown: false, isCheckDown: false };
  const valid = new Set<string>();
  const mintedAtMs = new Map<string, number>();
  const endpoint = {
    mint: async () => {
      if (kinde.isTokenEndpointDown) throw new VerificationFailure('kinde', 'down');
      kinde.mints += 1;
      const token = new AccessToken(`token-${kinde.mints}`, clock.now(), LIFE_MS);
      valid.add(token.reveal());
      mintedAtMs.set(token.reveal(), clock.now());
      return token;
    },
  };
  const isValid = (token: AccessToken) => valid.has(token.reveal());
  const isKnownToVerify = (token: AccessToken) =>
    isValid(token) && clock.now() - (mintedAtMs.get(token.reveal()) ?? 0) >= kinde.lagMs;
  const check = async (token: AccessToken) => {
    kinde.checks += 1;
    if (kinde.isCheckDown) throw new VerificationFailure('kinde', 'down');
    return isValid(token);
  };
  const current = new M2mToken(endpoint, clock, () => undefined);
  const rejections = new TokenRejections(current, clock, 'https://acme.kinde.com/api', check);

  /** Verifies as `KeyVerifier` does. */
  async function ask(
    key: typeof GOOD_KEY,
    afterVerify: () => unknown = () => {},
  ): Promise<'accepted' | 'refused' | 'unavailable'> {
    try {
      let token = await current.current(signal);
      for (let tried = 0; tried < 3; tried += 1) {
        const wasKnown = rejections.isKnown(token);
        const isKnown = isKnownToVerify(token);
        await afterVerify();
        if (isKnown && key === GOOD_KEY) {
          rejections.answered(token, key);
          return 'accepted';
        }
        const next = await rejections.resolve({ token, key, body: '{}', wasKnown }, signal);
        if (!next) return 'refused';
        token = next;
      }
      return 'unavailable';
    } catch (error) {
      if (error instanceof VerificationFailure) return 'unavailable';
      throw error;
    }
  }
  return { clock, kinde, ask, drop: () => valid.clear() };
}

describe('TokenRejections, under any order of events', () => {
  const event = fc.oneof(
    fc.record({ op: fc.constantFrom('good' as const, 'bad' as const, 'both' as const), ms: fc.constant(0) }),
    fc.record({ op: fc.constant('drop' as const), ms: fc.constant(0) }),
    fc.record({ op: fc.constantFrom('token down' as const, 'check down' as const), ms: fc.constant(0) }),
    fc.record({ op: fc.constant('up' as const), ms: fc.constant(0) }),
    fc.record({ op: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 90_000 }) }),
  );
  const events = fc.array(event, { minLength: 5, maxLength: 60 });
  const lags = fc.constantFrom(0, 2_000, 8_000);

  it('never refuses a good key, never accepts a bad one, and mints at most once a minute', async () => {
    await fc.assert(
      fc.asyncProperty(events, lags, async (steps, lagMs) => {
        const { clock, kinde, ask, drop } = newKinde();
        kinde.lagMs = lagMs;
        const mintedAtMs: number[] = [];
        for (const { op, ms } of steps) {
          const before = kinde.mints;
          if (op === 'good') expect(await ask(GOOD_KEY)).not.toBe('refused');
          if (op === 'bad') expect(await ask(BAD_KEY)).not.toBe('accepted');
          if (op === 'both') {
            const outcomes = await Promise.all([ask(GOOD_KEY), ask(BAD_KEY, drop), ask(GOOD_KEY), ask(BAD_KEY)]);
            expect([outcomes[0], outcomes[2]]).not.toContain('refused');
          }
          if (op === 'drop') drop();
          if (op === 'token down') kinde.isTokenEndpointDown = true;
          if (op === 'check down') kinde.isCheckDown = true;
          if (op === 'up') Object.assign(kinde, { isTokenEndpointDown: false, isCheckDown: false });
          if (op === 'wait') clock.advance(ms);
          for (let minted = before; minted < kinde.mints; minted += 1) mintedAtMs.push(clock.now());
        }
        // The first mint is not a renewal.
        const renewals = mintedAtMs.slice(1);
        expect(renewals.filter((atMs, index) => atMs - (renewals[index - 1] ?? -Infinity) < 60_000)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('refuses a bad key with at most one check if the token was accepted before and is still good', async () => {
    await fc.assert(
      fc.asyncProperty(events, lags, async (steps, lagMs) => {
        const { clock, kinde, ask, drop } = newKinde();
        kinde.lagMs = lagMs;
        for (const { op, ms } of steps) {
          if (op === 'good') await ask(GOOD_KEY);
          if (op === 'bad') await ask(BAD_KEY);
          if (op === 'drop') drop();
          if (op === 'wait') clock.advance(ms);
          if (op === 'good' && (await ask(GOOD_KEY)) === 'accepted') {
            const { mints, checks } = kinde;
            expect(await ask(BAD_KEY)).toBe('refused');
            expect(kinde).toMatchObject({ mints, checks: checks + 1 });
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('accepts good keys again at most an hour and the lag after the last trouble', async () => {
    await fc.assert(
      fc.asyncProperty(events, lags, async (steps, lagMs) => {
        const { clock, kinde, ask, drop } = newKinde();
        kinde.lagMs = lagMs;
        for (const { op, ms } of steps) {
          if (op === 'good' || op === 'both') await ask(GOOD_KEY);
          if (op === 'bad') await ask(BAD_KEY);
          if (op === 'drop') drop();
          if (op === 'token down') kinde.isTokenEndpointDown = true;
          if (op === 'wait') clock.advance(ms);
        }
        kinde.isTokenEndpointDown = false;
        clock.advance(3_600_000);
        await ask(GOOD_KEY);
        clock.advance(lagMs);
        expect(await ask(GOOD_KEY)).toBe('accepted');
      }),
      { numRuns: 300 },
    );
  });
});

describe('TokenRejections', () => {
  it('does not refuse a good key that was rejected before verify knew the token', async () => {
    const { clock, kinde, ask } = newKinde();
    kinde.lagMs = 2_000;
    const whileItIsOnItsWay = async () => {
      clock.advance(2_000);
      expect(await ask(GOOD_KEY)).toBe('accepted');
    };
    expect(await ask(GOOD_KEY, whileItIsOnItsWay)).toBe('unavailable');
  });

  it('does not take a check that was sent before the rejection as proof', async () => {
    const { kinde, ask, drop } = newKinde();
    await ask(GOOD_KEY);
    const first = ask(BAD_KEY);
    await Promise.resolve();
    drop();
    const second = ask(GOOD_KEY);
    expect(await first).not.toBe('accepted');
    expect(await second).toBe('accepted');
    expect(kinde.mints).toBe(2);
  });
});
