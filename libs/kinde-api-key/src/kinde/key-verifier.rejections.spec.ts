import fc from 'fast-check';
import { newVerifier, unknownKey } from '../../../../test/support/key-verifier.js';
import { TestClock } from '../testing/index.js';
import type { KindeHttp, KindeRequest, KindeResponse } from './http.js';

const GOOD_KEY = 'k_live_good_good_good_good';
const BAD_KEY = unknownKey();
const MINUTE_MS = 60_000;

/** A Kinde that answers 401 to bad keys and to bad tokens alike, in one process: the spec decides what it knows. */
class RejectingKinde implements KindeHttp {
  mints = 0;
  isTokenEndpointDown = false;
  areDetailsDown = false;
  /** A token is not known to Kinde for this time after its mint. */
  delayMs = 0;
  readonly #knownFromMs = new Map<string, number>();

  constructor(private readonly clock: TestClock) {}

  dropTokens(): void {
    this.#knownFromMs.clear();
  }

  send({ url, headers, body }: KindeRequest): Promise<KindeResponse> {
    return Promise.resolve(this.#answer(url, headers['authorization'], body));
  }

  close(): void {}

  #answer(url: string, authorization: string | undefined, body: string | undefined): KindeResponse {
    if (url.endsWith('/oauth2/token')) return this.#mint();
    const isVerify = url.endsWith('/verify');
    if (!isVerify && this.areDetailsDown) return answer(500, {});
    const knownFromMs = this.#knownFromMs.get(authorization ?? '');
    if (knownFromMs === undefined || this.clock.now() < knownFromMs) return rejected();
    if (!isVerify) return answer(200, { api_key: {} });
    if (!body?.includes(GOOD_KEY)) return rejected();
    return answer(200, { is_valid: true, status: 'active', key_id: 'api_key_1', scopes: [] });
  }

  #mint(): KindeResponse {
    if (this.isTokenEndpointDown) return answer(500, {});
    this.mints += 1;
    this.#knownFromMs.set(`Bearer token-${this.mints}`, this.clock.now() + this.delayMs);
    return answer(200, { access_token: `token-${this.mints}`, expires_in: 86_400 });
  }
}

function answer(status: number, body: object): KindeResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

function rejected(): KindeResponse {
  return answer(401, { errors: [{ code: 'UNAUTHORIZED', message: 'no' }] });
}

function start() {
  const clock = new TestClock(0);
  const kinde = new RejectingKinde(clock);
  const origin = { domain: 'https://acme.kinde.com', credentials: { clientId: 'id', clientSecret: 'secret' } };
  const { verify, verifier } = newVerifier(origin, clock, { http: kinde, timeoutMs: 600_000 });
  const outcomeOf = async (key: string): Promise<string> => {
    const outcome = verify(key).then(
      ({ verdict }) => (verdict.accepted ? 'accepted' : verdict.reason),
      (error: { code?: string }) => String(error.code),
    );
    // The pause between two checks of the token.
    await jest.advanceTimersByTimeAsync(50);
    return outcome;
  };
  return { clock, kinde, outcomeOf, close: () => verifier.close() };
}

describe('KeyVerifier, when Kinde answers bad keys and bad tokens alike', () => {
  beforeEach(() => void jest.useFakeTimers({ doNotFake: ['Date', 'performance', 'nextTick', 'setImmediate'] }));
  afterEach(() => void jest.useRealTimers());

  it('never refuses a good key, never accepts a bad one, and mints at most once a minute', async () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.constant('good' as const) },
      { weight: 3, arbitrary: fc.constant('bad' as const) },
      fc.constantFrom('drop' as const, 'token down' as const, 'details down' as const, 'all up' as const),
      fc.integer({ min: 0, max: 90_000 }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(0, 2_000),
        fc.array(step, { minLength: 10, maxLength: 60 }),
        async (delayMs, steps) => {
          const { clock, kinde, outcomeOf, close } = start();
          kinde.delayMs = delayMs;
          for (const op of steps) {
            if (typeof op === 'number') clock.advance(op);
            if (op === 'drop') kinde.dropTokens();
            if (op === 'token down') kinde.isTokenEndpointDown = true;
            if (op === 'details down') kinde.areDetailsDown = true;
            if (op === 'all up') kinde.isTokenEndpointDown = kinde.areDetailsDown = false;
            if (op === 'good') expect(await outcomeOf(GOOD_KEY)).toMatch(/^(accepted|VERIFICATION_UNAVAILABLE)$/);
            if (op === 'bad') expect(await outcomeOf(BAD_KEY)).toMatch(/^(unknown|VERIFICATION_UNAVAILABLE)$/);
          }
          expect(kinde.mints).toBeLessThanOrEqual(2 + clock.now() / MINUTE_MS);
          // Whatever happened, the service recovers within an hour, and then tells bad keys from good ones.
          kinde.isTokenEndpointDown = kinde.areDetailsDown = false;
          clock.advance(60 * MINUTE_MS);
          await outcomeOf(GOOD_KEY);
          clock.advance(2_000);
          expect([await outcomeOf(GOOD_KEY), await outcomeOf(BAD_KEY)]).toEqual(['accepted', 'unknown']);
          close();
        },
      ),
      { numRuns: 200 },
    );
  });

  it('accepts a good key as soon as verify knows the new token, and refuses no good key until then', async () => {
    const { clock, kinde, outcomeOf, close } = start();
    kinde.delayMs = 2_000;
    const outcomes = [await outcomeOf(GOOD_KEY)];
    for (let step = 0; step < 4; step += 1) {
      clock.advance(500);
      outcomes.push(await outcomeOf(GOOD_KEY));
    }
    expect(outcomes).toEqual([...Array<string>(4).fill('VERIFICATION_UNAVAILABLE'), 'accepted']);
    expect(kinde.mints).toBe(2);
    close();
  });
});
