import { getEventListeners } from 'node:events';
import { VerificationFailure } from '../verification-failure.js';
import { Deadline, Deadlines, pause, untilAborted } from './deadline.js';

const over = new VerificationFailure('closed', 'over');

/** What a promise is rejected with; taken at once, so that it never counts as unhandled. */
const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

beforeEach(() => void jest.useFakeTimers());
afterEach(() => {
  const timersLeft = jest.getTimerCount();
  jest.useRealTimers();
  if (timersLeft > 0) throw new Error(`${timersLeft} timers were left behind`);
});

describe('Deadline', () => {
  it('aborts with a reason of kind deadline when the time is up', () => {
    const deadline = new Deadline(2_000);
    jest.advanceTimersByTime(1_999);
    expect(deadline.signal.aborted).toBe(false);
    jest.advanceTimersByTime(1);
    expect(deadline.signal.reason).toMatchObject({
      kind: 'deadline',
      message: 'the verification took longer than 2000 ms (kinde.timeoutMs)',
    });
  });

  it('gives an answer one more turn of the event loop when its timer fires late, and does not blame Kinde', () => {
    const deadline = new Deadline(2_000);
    const late = performance.now() + 2_050;
    const now = jest.spyOn(performance, 'now').mockReturnValue(late);
    jest.advanceTimersToNextTimer();
    now.mockRestore();
    expect(deadline.signal.aborted).toBe(false);
    jest.runAllTimers();
    expect(deadline.signal.reason).toMatchObject({ kind: 'stalled', countsForCircuit: false });
  });

  it('does not abort a work that is done in that turn', () => {
    const deadline = new Deadline(2_000);
    const late = performance.now() + 2_050;
    const now = jest.spyOn(performance, 'now').mockReturnValue(late);
    jest.advanceTimersToNextTimer();
    now.mockRestore();
    deadline.clear();
    jest.runAllTimers();
    expect(deadline.signal.aborted).toBe(false);
  });

  it('has time to ask until a tenth of the time is left', () => {
    const deadline = new Deadline(2_000);
    expect([deadline.hasTimeToAsk(1_800), deadline.hasTimeToAsk(1_801)]).toEqual([true, false]);
    jest.advanceTimersByTime(1_800);
    expect([deadline.hasTimeToAsk(), deadline.hasTimeToAsk(1)]).toEqual([true, false]);
    jest.advanceTimersByTime(1);
    expect(deadline.hasTimeToAsk()).toBe(false);
    deadline.clear();
  });

  it('aborts at once with the given reason when it is cancelled', () => {
    const deadline = new Deadline(2_000);
    deadline.cancel(over);
    expect(deadline.signal.reason).toBe(over);
  });

  it('does not abort after it is cleared', () => {
    const deadline = new Deadline(2_000);
    deadline.clear();
    jest.advanceTimersByTime(10_000);
    expect(deadline.signal.aborted).toBe(false);
  });

  it('keeps the process alive until it is cleared', () => {
    const timers = jest.spyOn(globalThis, 'setTimeout');
    const deadline = new Deadline(2_000);
    const timer = timers.mock.results[0]?.value as NodeJS.Timeout | undefined;
    expect(timer?.hasRef()).toBe(true);
    deadline.clear();
    expect(jest.getTimerCount()).toBe(0);
    timers.mockRestore();
  });
});

describe('Deadlines', () => {
  it('gives each work a deadline of its own', async () => {
    const deadlines = new Deadlines(100);
    const hang = () => caught(deadlines.run(({ signal }) => untilAborted(new Promise(() => {}), signal)));
    const first = hang();
    await jest.advanceTimersByTimeAsync(50);
    const second = hang();
    await jest.advanceTimersByTimeAsync(50);
    expect(await first).toMatchObject({ kind: 'deadline' });
    expect(jest.getTimerCount()).toBe(1);
    await jest.advanceTimersByTimeAsync(50);
    expect(await second).toMatchObject({ kind: 'deadline' });
  });

  it('clears the deadline of work that is done, whether it succeeds or fails', async () => {
    const deadlines = new Deadlines(100);
    await expect(deadlines.run(() => Promise.resolve(7))).resolves.toBe(7);
    await expect(deadlines.run(() => Promise.reject(over))).rejects.toBe(over);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('aborts the work in flight on close(), and rejects all later work', async () => {
    const deadlines = new Deadlines(100);
    const inFlight = caught(deadlines.run(({ signal }) => untilAborted(new Promise(() => {}), signal)));
    expect(deadlines.isClosed).toBe(false);
    deadlines.close();
    expect(await inFlight).toMatchObject({ kind: 'closed', message: 'the app is shutting down' });
    const work = jest.fn(() => Promise.resolve(7));
    await expect(deadlines.run(work)).rejects.toMatchObject({ kind: 'closed' });
    expect(work).not.toHaveBeenCalled();
    expect(deadlines.isClosed).toBe(true);
  });
});

describe('untilAborted', () => {
  it('settles like the promise', async () => {
    await expect(untilAborted(Promise.resolve(7), new AbortController().signal)).resolves.toBe(7);
    await expect(untilAborted(Promise.reject(over), new AbortController().signal)).rejects.toBe(over);
  });

  it('rejects with the reason of the signal, and leaves the promise alone', async () => {
    const deadline = new Deadline(100);
    let finish = (_value: number): void => {};
    const shared = new Promise<number>((resolve) => (finish = resolve));
    const waiting = caught(untilAborted(shared, deadline.signal));
    await jest.advanceTimersByTimeAsync(100);
    expect(await waiting).toMatchObject({ kind: 'deadline' });
    finish(7);
    await expect(shared).resolves.toBe(7);
  });

  it('rejects at once if the signal is aborted already', async () => {
    const deadline = new Deadline(100);
    deadline.cancel(over);
    await expect(untilAborted(new Promise(() => {}), deadline.signal)).rejects.toBe(over);
  });

  it.each([
    ['resolved', Promise.resolve(7)],
    ['rejected', Promise.reject(over)],
  ])('removes its listener from the signal when the promise is %s', async (_how, promise) => {
    const { signal } = new AbortController();
    const waiting = caught(untilAborted(promise, signal));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await waiting;
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('handles a rejection of the promise after the abort', async () => {
    const unhandled = jest.fn();
    process.on('unhandledRejection', unhandled);
    try {
      const deadline = new Deadline(100);
      deadline.cancel(over);
      let fail = (_error: Error): void => {};
      const shared = new Promise((_resolve, reject) => (fail = reject));
      await expect(untilAborted(shared, deadline.signal)).rejects.toBe(over);
      fail(new Error('late'));
      jest.useRealTimers();
      await new Promise((resolve) => setImmediate(resolve));
      jest.useFakeTimers();
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      process.off('unhandledRejection', unhandled);
    }
  });
});

describe('pause', () => {
  it('resolves after its time', async () => {
    const done = pause(50, new AbortController().signal);
    await jest.advanceTimersByTimeAsync(50);
    await expect(done).resolves.toBeUndefined();
  });

  it('removes its listener from the signal', async () => {
    const { signal } = new AbortController();
    const done = pause(50, signal);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(50);
    await done;
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('rejects with the reason of the signal', async () => {
    const deadline = new Deadline(20);
    const done = caught(pause(50, deadline.signal));
    await jest.advanceTimersByTimeAsync(20);
    expect(await done).toMatchObject({ kind: 'deadline' });
  });

  it('rejects at once if the signal is aborted already, without a timer', async () => {
    const deadline = new Deadline(20);
    deadline.cancel(over);
    await expect(pause(50, deadline.signal)).rejects.toBe(over);
  });

  it('needs no signal, and does not keep the process alive', async () => {
    const timers = jest.spyOn(globalThis, 'setTimeout');
    const done = pause(50);
    const timer = timers.mock.results[0]?.value as NodeJS.Timeout | undefined;
    expect(timer?.hasRef()).toBe(false);
    timers.mockRestore();
    await jest.advanceTimersByTimeAsync(50);
    await expect(done).resolves.toBeUndefined();
  });
});
