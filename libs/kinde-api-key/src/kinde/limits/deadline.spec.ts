import { getEventListeners } from 'node:events';
import { Deadline, pause, untilAborted } from './deadline.js';
import { Outage } from '../outage.js';

const over = new Outage('closed', 'over');

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
  it('aborts when the time is up, and says so', () => {
    const deadline = new Deadline(2_000);
    jest.advanceTimersByTime(1_999);
    expect(deadline.signal.aborted).toBe(false);
    jest.advanceTimersByTime(1);
    expect(deadline.signal.reason).toMatchObject({ kind: 'deadline', message: 'Kinde gave no verdict within 2000 ms' });
  });

  it('has time to ask until a tenth of it is left', () => {
    const deadline = new Deadline(2_000);
    expect([deadline.hasTimeToAsk(1_800), deadline.hasTimeToAsk(1_801)]).toEqual([true, false]);
    jest.advanceTimersByTime(1_800);
    expect([deadline.hasTimeToAsk(), deadline.hasTimeToAsk(1)]).toEqual([true, false]);
    jest.advanceTimersByTime(1);
    expect(deadline.hasTimeToAsk()).toBe(false);
    deadline.clear();
  });

  it('aborts at once when it is cancelled, with the reason that was given', () => {
    const deadline = new Deadline(2_000);
    deadline.cancel(over);
    expect(deadline.signal.reason).toBe(over);
  });

  it('never aborts once it is cleared', () => {
    const deadline = new Deadline(2_000);
    deadline.clear();
    jest.advanceTimersByTime(10_000);
    expect(deadline.signal.aborted).toBe(false);
  });

  it('does not keep the process alive', () => {
    const timers = jest.spyOn(globalThis, 'setTimeout');
    const deadline = new Deadline(2_000);
    const timer = timers.mock.results[0]?.value as NodeJS.Timeout | undefined;
    expect(timer?.hasRef()).toBe(false);
    deadline.clear();
    timers.mockRestore();
  });
});

describe('untilAborted', () => {
  it('gives what was waited for', async () => {
    await expect(untilAborted(Promise.resolve(7), new AbortController().signal)).resolves.toBe(7);
    await expect(untilAborted(Promise.reject(over), new AbortController().signal)).rejects.toBe(over);
  });

  it('gives up with the reason of the signal, and cancels nothing', async () => {
    const deadline = new Deadline(100);
    let finish = (_value: number): void => {};
    const shared = new Promise<number>((resolve) => (finish = resolve));
    const waiting = caught(untilAborted(shared, deadline.signal));
    await jest.advanceTimersByTimeAsync(100);
    expect(await waiting).toMatchObject({ kind: 'deadline' });
    finish(7);
    await expect(shared).resolves.toBe(7);
  });

  it('gives up at once if the time is over already', async () => {
    const deadline = new Deadline(100);
    deadline.cancel(over);
    await expect(untilAborted(new Promise(() => {}), deadline.signal)).rejects.toBe(over);
  });

  it.each([
    ['done', Promise.resolve(7)],
    ['lost', Promise.reject(over)],
  ])('leaves nothing on the signal when what was waited for is %s', async (_how, promise) => {
    const { signal } = new AbortController();
    const waiting = caught(untilAborted(promise, signal));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await waiting;
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('leaves nothing unhandled when what was waited for fails after all', async () => {
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
  it('ends after its time', async () => {
    const done = pause(50, new AbortController().signal);
    await jest.advanceTimersByTimeAsync(50);
    await expect(done).resolves.toBeUndefined();
  });

  it('leaves nothing on the signal', async () => {
    const { signal } = new AbortController();
    const done = pause(50, signal);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(50);
    await done;
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('ends with the reason of the signal', async () => {
    const deadline = new Deadline(20);
    const done = caught(pause(50, deadline.signal));
    await jest.advanceTimersByTimeAsync(20);
    expect(await done).toMatchObject({ kind: 'deadline' });
  });

  it('does not begin when the time is over already', async () => {
    const deadline = new Deadline(20);
    deadline.cancel(over);
    await expect(pause(50, deadline.signal)).rejects.toBe(over);
  });
});
