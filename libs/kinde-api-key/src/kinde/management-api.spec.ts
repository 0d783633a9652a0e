import { TestClock } from '../testing/index.js';
import { AccessToken } from './token/access-token.js';
import { Circuit } from './limits/circuit.js';
import { Deadline } from './limits/deadline.js';
import type { KindeHttp } from './http.js';
import { ManagementApi } from './management-api.js';
import { KindeCaller } from './kinde-caller.js';
import { Admission } from './limits/admission.js';

/** What a socket cannot do to the millisecond: a call whose time runs out before it is sent. */
function newApi() {
  const send = jest.fn<ReturnType<KindeHttp['send']>, Parameters<KindeHttp['send']>>(() =>
    Promise.resolve({ status: 404, headers: {}, body: '' }),
  );
  const clock = new TestClock();
  const breaker = new Circuit(clock, () => {});
  const caller = new KindeCaller({
    http: { send, close: () => {} },
    breaker,
    clock,
    timeoutMs: 1_000,
    onHold: () => {},
  });
  const budget = new Admission({ maxConcurrent: 1, maxPerSecond: 1_000, maxQueued: 1 });
  const api = new ManagementApi(caller, budget, { origin: 'https://acme.kinde.com', retries: 3 });
  const deadline = new Deadline(1_000);
  const context = { lane: 'new' as const, token: new AccessToken('t', 0, 1_000), deadline };
  const verify = () => api.verify('k', context).catch((error: unknown) => error);
  const membership = (keyId: string) => api.membership(keyId, 'api_a', context).catch((error: unknown) => error);
  const sent = () => send.mock.calls.map(([request]) => request);
  return { send, sent, budget, deadline, verify, membership };
}

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

describe('ManagementApi', () => {
  it('asks about a key, and about its details, with the token', async () => {
    const { sent, deadline, verify, membership } = newApi();
    await verify();
    expect(await membership('api_key_1')).toBe('unknown');
    const authorization = 'Bearer t';
    expect(sent()).toEqual([
      {
        method: 'POST',
        url: 'https://acme.kinde.com/api/v1/api_keys/verify',
        headers: { authorization, 'content-type': 'application/json' },
        body: '{"api_key":"k"}',
      },
      { method: 'GET', url: 'https://acme.kinde.com/api/v1/api_keys/api_key_1', headers: { authorization } },
    ]);
    deadline.clear();
  });

  it('asks for no details under an id that would name something else: Kinde cannot be believed', async () => {
    const { sent, deadline, membership } = newApi();
    expect(await membership('..')).toMatchObject({ kind: 'kinde', message: "'key_id' is not an id" });
    expect(sent()).toEqual([]);
    deadline.clear();
  });

  it('sends a call with a tenth of the time left', async () => {
    const { send, deadline, verify } = newApi();
    await jest.advanceTimersByTimeAsync(900);
    expect(await verify()).toMatchObject({ answer: { kind: 'verdict' } });
    expect(send).toHaveBeenCalledTimes(1);
    deadline.clear();
  });

  it('does not send a call with less, and does not blame its own queue for what Kinde took', async () => {
    const { send, deadline, verify } = newApi();
    await jest.advanceTimersByTimeAsync(901);
    expect(await verify()).toMatchObject({ kind: 'deadline', countsForBreaker: false });
    expect(send).not.toHaveBeenCalled();
    deadline.clear();
  });

  it('does not send a call that gets its turn with less, and gives the place back', async () => {
    const { send, budget, deadline, verify } = newApi();
    const leave = await budget.enter('new', deadline.signal);
    const waiting = verify();
    await jest.advanceTimersByTimeAsync(901);
    leave();
    expect(await waiting).toMatchObject({ kind: 'busy' });
    expect(send).not.toHaveBeenCalled();
    expect(budget.active).toBe(0);
    deadline.clear();
  });
});
