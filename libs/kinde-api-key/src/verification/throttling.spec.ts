import { newLog } from '../../../../test/support/key-verifier.js';
import type { KindeHttp, KindeRequest, KindeResponse } from '../kinde/http.js';
import { KeyVerifier } from '../kinde/key-verifier.js';
import { CallLimit } from '../testing/emulator/call-limit.js';
import { ApiKeyVerificationService } from './api-key-verification.service.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const TOKEN = { status: 200, headers: JSON_TYPE, body: '{"access_token":"a","expires_in":86400}' };
const DEFAULTS = { timeoutMs: 2_000, retries: 1, maxConcurrent: 64, maxPerSecond: 200, maxQueued: 1_000 };
const ORIGIN = { origin: 'https://acme.kinde.com', clientId: 'id', clientSecret: 's', audience: 'a', apiId: null };
const CACHE = { ttlMs: 60_000, staleIfErrorMs: 240_000, negativeTtlMs: 10_000, maxKeys: 50_000, maxRefusals: 5_000 };
const TEN_MINUTES_MS = 600_000;
const TICK_MS = 50;

const keyOf = (kind: 'good' | 'bad', index: number): string => `k_live_${kind}_${String(index).padStart(12, '0')}`;

/** Kinde with a limit, without sockets: ten minutes of a flood would take minutes over them. */
class LimitedKinde implements KindeHttp {
  readonly counters = { accepted: 0, refused: 0, throttled: 0 };
  readonly #limit: CallLimit;

  constructor(calls: number, windowMs: number) {
    this.#limit = new CallLimit({ calls, windowMs }, { now: () => Date.now() });
  }

  async send({ url, body = '' }: KindeRequest): Promise<KindeResponse> {
    if (url.endsWith('/oauth2/token')) return TOKEN;
    const throttled = this.#limit.take();
    const isGood = body.includes('good');
    this.counters[throttled ? 'throttled' : isGood ? 'accepted' : 'refused'] += 1;
    if (throttled) return { ...throttled, body: String(throttled.body) };
    const verification = isGood
      ? { is_valid: true, status: 'active', key_id: body, scopes: [] }
      : { is_valid: false, status: null };
    return { status: 200, headers: JSON_TYPE, body: JSON.stringify(verification) };
  }

  close(): void {}
}

function start(kinde: KindeHttp) {
  const clock = { now: () => Date.now() };
  const { log, lines } = newLog();
  const verifier = new KeyVerifier(kinde, { ...ORIGIN, ...DEFAULTS }, clock, log);
  return { service: new ApiKeyVerificationService(verifier, CACHE, clock), verifier, lines };
}

// Deadlines, the calls per second and every age advance with the spec.
beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] }));
afterEach(() => void jest.useRealTimers());

interface Traffic {
  readonly calls: number;
  readonly windowMs: number;
  /** Each known key is used once in this time. */
  readonly everyMs: number;
  readonly keys: number;
}

describe('Known keys during a flood of ten times the calls that Kinde takes, for ten minutes', () => {
  it.each<Traffic>([
    { calls: 20, windowMs: 5_000, keys: 20, everyMs: 1_200 },
    { calls: 100, windowMs: 60_000, keys: 20, everyMs: 1_200 },
    { calls: 100, windowMs: 60_000, keys: 50, everyMs: 20_000 },
    { calls: 30, windowMs: 5_000, keys: 100, everyMs: 55_000 },
    { calls: 5, windowMs: 1_000, keys: 50, everyMs: 10_000 },
  ])('are all accepted at %j, while new keys are verified, too', async ({ calls, windowMs, keys, everyMs }) => {
    const kinde = new LimitedKinde(calls, windowMs);
    const { service, verifier } = start(kinde);
    const nextUses: { key: string; atMs: number }[] = [];
    for (let index = 0; index < keys; index += 1) {
      const key = keyOf('good', index);
      await service.verify(key);
      await jest.advanceTimersByTimeAsync(Math.ceil((1.1 * windowMs) / calls));
      nextUses.push({ key, atMs: Date.now() + (everyMs * index) / keys });
    }
    const answers: Record<string, number> = {};
    const count = (answer: string) => void (answers[answer] = (answers[answer] ?? 0) + 1);
    let bad = 0;
    for (let atMs = 0; atMs < TEN_MINUTES_MS; atMs += TICK_MS) {
      for (; bad < ((atMs + TICK_MS) * 10 * calls) / windowMs; bad += 1)
        service.verify(keyOf('bad', bad)).catch(() => undefined);
      for (const use of nextUses) {
        if (Date.now() < use.atMs) continue;
        use.atMs += everyMs;
        service.verify(use.key).then(
          ({ accepted }) => count(accepted ? '200' : '401'),
          () => count('503'),
        );
      }
      await jest.advanceTimersByTimeAsync(TICK_MS);
    }
    await jest.advanceTimersByTimeAsync(DEFAULTS.timeoutMs);
    verifier.close();
    expect(answers).toEqual({ 200: expect.any(Number) as number });
    expect(answers['200']).toBeGreaterThanOrEqual(Math.floor(TEN_MINUTES_MS / everyMs) * keys);
    const { accepted, refused, throttled } = kinde.counters;
    const most = (TEN_MINUTES_MS / windowMs) * calls;
    expect(accepted + refused).toBeGreaterThan(most / 3);
    expect(refused).toBeGreaterThan(most / 10);
    expect(throttled).toBeLessThan(most / 20);
  });
});

describe('New keys after a 429', () => {
  it('are verified at the usual pace again some minutes after the last 429', async () => {
    const kinde = new LimitedKinde(100, 5_000);
    const { service, verifier } = start(kinde);
    for (let index = 0; index < 300; index += 1) service.verify(keyOf('bad', index)).catch(() => undefined);
    await jest.advanceTimersByTimeAsync(600_000);
    const answers = Array.from({ length: 10 }, (_, index) => service.verify(keyOf('good', index)));
    await jest.advanceTimersByTimeAsync(100);
    expect((await Promise.all(answers)).every(({ accepted }) => accepted)).toBe(true);
    verifier.close();
  });
});
