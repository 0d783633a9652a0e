import { TestClock } from '../testing/index.js';
import { Circuit } from './limits/circuit.js';
import { Deadline } from './limits/deadline.js';
import { KindeTransportError, type KindeHttp } from './http.js';
import { KindeCaller } from './kinde-caller.js';
import { Outage } from './outage.js';

const REQUEST = { method: 'GET', url: 'https://acme.kinde.com/', headers: {} } as const;
const EXCHANGE = { request: REQUEST, parse: () => ({ kind: 'parsed' }) as const };

/** An HTTP that never answers, and gives up when it is told to: what a socket cannot do without real time. */
const hanging: KindeHttp = {
  send: (_request, signal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new KindeTransportError('aborted')));
    }),
  close: () => {},
};

function newCaller(timeoutMs: number) {
  const clock = new TestClock();
  const breaker = new Circuit(clock, () => {});
  return { clock, caller: new KindeCaller({ http: hanging, breaker, clock, timeoutMs, onHold: () => {} }) };
}

/** Sends a call and lets its time be up after `afterMs`. */
async function timeOut(caller: KindeCaller, afterMs: number): Promise<unknown> {
  const deadline = new Deadline(afterMs);
  const outage = caller.send(EXCHANGE, deadline.signal).catch((error: unknown) => error);
  await jest.advanceTimersByTimeAsync(afterMs);
  return outage;
}

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

describe('KindeCaller', () => {
  it('does not hold it against Kinde if it had less than half of the time to answer', async () => {
    const { caller } = newCaller(1_000);
    for (let index = 0; index < 20; index += 1) expect(await timeOut(caller, 499)).toMatchObject({ kind: 'deadline' });
    expect(caller.refusal()).toBeUndefined();
  });

  it('holds it against Kinde if it had half of the time or more', async () => {
    const { caller } = newCaller(1_000);
    for (let index = 0; index < 10; index += 1) expect(await timeOut(caller, 500)).toMatchObject({ kind: 'kinde' });
    expect(caller.refusal()).toMatchObject({ kind: 'breaker_open' });
  });

  it('holds it against Kinde if a probe is not answered, however little time it had', async () => {
    const { caller, clock } = newCaller(1_000);
    for (let index = 0; index < 10; index += 1) await timeOut(caller, 500);
    clock.advance(1_000);
    expect(await timeOut(caller, 1)).toMatchObject({ kind: 'kinde' });
    expect(caller.refusal()).toMatchObject({ kind: 'breaker_open', retryAfterSeconds: 2 });
  });

  it('gives the reason of whoever cancelled it, and counts that for nothing', async () => {
    const { caller } = newCaller(1_000);
    const closed = new Outage('closed', 'over');
    for (let index = 0; index < 20; index += 1) {
      const deadline = new Deadline(1_000);
      const outage = caller.send(EXCHANGE, deadline.signal).catch((error: unknown) => error);
      deadline.cancel(closed);
      expect(await outage).toBe(closed);
    }
    expect(caller.refusal()).toBeUndefined();
  });
});
