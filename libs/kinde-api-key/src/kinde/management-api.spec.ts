import { rawKey } from '../../../../test/support/key-verifier.js';
import { TestClock } from '../testing/index.js';
import { KindeTransportError, type KindeHttp, type KindeResponse } from './http.js';
import { Deadline } from './limits/deadline.js';
import { ManagementApi } from './management-api.js';
import { AccessToken } from './token/access-token.js';
import { VerificationFailure } from './verification-failure.js';

const KEY = 'k_live_0123456789abcdef';
const TOKEN = new AccessToken('t', 0, 1_000);
const NOT_FOUND: KindeResponse = {
  status: 404,
  headers: { 'content-type': 'application/json' },
  body: '{"errors":{"code":"API_KEY_NOT_FOUND"}}',
};
const never = () => new AbortController().signal;

/** An HTTP that never answers, and gives up when its signal aborts: a socket would need real time for that. */
const hanging: KindeHttp['send'] = (_request, signal) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new KindeTransportError('aborted')));
  });

function newApi(send: KindeHttp['send'], timeoutMs = 1_000) {
  const clock = new TestClock();
  const pauses: VerificationFailure[] = [];
  const options = { origin: 'https://acme.kinde.com', timeoutMs };
  const sending = jest.fn(send);
  const api = new ManagementApi({ send: sending, close: () => {} }, options, clock, (refusal) => pauses.push(refusal));
  const requests = () => sending.mock.calls.map(([request]) => request);
  return { api, clock, pauses, requests };
}

/** Sends a call whose deadline comes after `afterMs`. */
async function timeOut(api: ManagementApi, afterMs: number): Promise<unknown> {
  const deadline = new Deadline(afterMs);
  const failure = api.verify(rawKey(KEY), TOKEN, deadline.signal).catch((error: unknown) => error);
  await jest.advanceTimersByTimeAsync(afterMs);
  return failure;
}

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

describe('ManagementApi', () => {
  it('sends the calls for a key and for its details, with the token', async () => {
    const { api, requests } = newApi(() => Promise.resolve(NOT_FOUND));
    await api.verify(rawKey(KEY), TOKEN, never());
    expect(await api.membership('api_key_1', 'api_a', TOKEN, never())).toBe('unknown');
    const authorization = 'Bearer t';
    expect(requests()).toEqual([
      {
        method: 'POST',
        url: 'https://acme.kinde.com/api/v1/api_keys/verify',
        headers: { authorization, 'content-type': 'application/json' },
        body: `{"api_key":"${KEY}"}`,
      },
      { method: 'GET', url: 'https://acme.kinde.com/api/v1/api_keys/api_key_1', headers: { authorization } },
    ]);
  });

  it('does not send a call for a key id that would lead to another resource', async () => {
    const { api, requests } = newApi(hanging);
    await expect(api.membership('..', 'api_a', TOKEN, never())).rejects.toMatchObject({
      kind: 'unusable',
      message: "Kinde's answer is not usable ('key_id' is not an id)",
    });
    expect(requests()).toEqual([]);
  });

  it('returns when the call was sent, and the whole response', async () => {
    const response: KindeResponse = { ...NOT_FOUND, status: 401 };
    const { api, clock } = newApi(async () => {
      clock.advance(5_000);
      return response;
    });
    const sentAtMs = clock.now();
    await expect(api.verify(rawKey(KEY), TOKEN, never())).resolves.toEqual({
      answer: { kind: 'token_rejected' },
      response,
      sentAtMs,
    });
  });

  it.each([
    ['network', 'kinde', true],
    ['cut_short', 'kinde', true],
    ['too_large', 'unusable', false],
    ['invalid_utf8', 'unusable', false],
  ] as const)(
    'fails with the transport error as its cause after %s (%s, retryable: %j)',
    async (reason, kind, retryable) => {
      const cause = new KindeTransportError(reason);
      const { api } = newApi(() => Promise.reject(cause));
      await expect(api.verify(rawKey(KEY), TOKEN, never())).rejects.toMatchObject({ kind, retryable, cause });
    },
  );
});

describe('ManagementApi after 429', () => {
  const throttledFor = (seconds: string) => () =>
    Promise.resolve({ status: 429, headers: { 'retry-after': seconds }, body: '' });

  it('calls onPause, and refuses calls to the API until the time is over', async () => {
    const { api, clock, pauses, requests } = newApi(throttledFor('7'));
    await expect(api.verify(rawKey(KEY), TOKEN, never())).rejects.toMatchObject({ kind: 'throttled' });
    expect(pauses).toMatchObject([{ kind: 'throttled', retryAfterSeconds: 7 }]);
    clock.advance(6_999);
    expect(api.refusal()).toMatchObject({ kind: 'throttled', retryAfterSeconds: 1 });
    await expect(api.verify(rawKey(KEY), TOKEN, never())).rejects.toMatchObject({ kind: 'throttled' });
    expect(requests()).toHaveLength(1);
    clock.advance(1);
    expect(api.refusal()).toBeUndefined();
  });

  it('from the token endpoint refuses mints alone, and does not call onPause', async () => {
    const { api, pauses, requests } = newApi(throttledFor('7'));
    const request = { method: 'POST', url: 'https://acme.kinde.com/oauth2/token', headers: {} } as const;
    const mint = () => api.send({ endpoint: 'token', request, parse: () => ({ kind: 'throttled' }) as const }, never());
    await expect(mint()).rejects.toMatchObject({ kind: 'throttled', retryAfterSeconds: 7 });
    await expect(mint()).rejects.toMatchObject({ kind: 'throttled', retryAfterSeconds: 7 });
    expect(requests()).toHaveLength(1);
    expect(pauses).toEqual([]);
    expect(api.refusal()).toBeUndefined();
  });
});

describe('ManagementApi at a deadline', () => {
  it('does not count a call for the circuit that had less than half of the usual time', async () => {
    const { api } = newApi(hanging);
    for (let index = 0; index < 20; index += 1) expect(await timeOut(api, 499)).toMatchObject({ kind: 'deadline' });
    expect(api.refusal()).toBeUndefined();
  });

  it('counts a call for the circuit that had half of the usual time or more', async () => {
    const { api, pauses } = newApi(hanging);
    for (let index = 0; index < 10; index += 1) expect(await timeOut(api, 500)).toMatchObject({ kind: 'kinde' });
    expect(api.refusal()).toMatchObject({ kind: 'circuit_open' });
    expect(pauses).toMatchObject([{ kind: 'circuit_open', retryAfterSeconds: 1 }]);
  });

  it('counts a probe that was not answered, however little time it had', async () => {
    const { api, clock } = newApi(hanging);
    for (let index = 0; index < 10; index += 1) await timeOut(api, 500);
    clock.advance(1_000);
    expect(await timeOut(api, 1)).toMatchObject({ kind: 'kinde' });
    expect(api.refusal()).toMatchObject({ kind: 'circuit_open', retryAfterSeconds: 2 });
  });

  it('rejects with the reason of a cancelled deadline, and does not count it', async () => {
    const { api } = newApi(hanging);
    const closed = new VerificationFailure('closed', 'over');
    for (let index = 0; index < 20; index += 1) {
      const deadline = new Deadline(1_000);
      const failure = api.verify(rawKey(KEY), TOKEN, deadline.signal).catch((error: unknown) => error);
      deadline.cancel(closed);
      expect(await failure).toBe(closed);
    }
    expect(api.refusal()).toBeUndefined();
  });
});
