import { VerificationFailure } from '../verification-failure.js';
import { Deadline } from './deadline.js';
import { withRetries } from './retry.js';

const passing = new VerificationFailure('kinde', 'passing', { retryable: true });

/** What a promise is rejected with; taken at once, so that it never counts as unhandled. */
const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

beforeEach(() => void jest.useFakeTimers());
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

describe('withRetries', () => {
  it('retries up to the limit, and then rejects with the last failure', async () => {
    const deadline = new Deadline(10_000);
    const attempt = jest.fn(() => Promise.reject<string>(passing));
    const done = caught(withRetries(3, deadline, attempt));
    await jest.advanceTimersByTimeAsync(5_000);
    expect(await done).toBe(passing);
    expect(attempt).toHaveBeenCalledTimes(4);
    deadline.clear();
  });

  it('pauses for 50 ms, then 100 ms, each with jitter', async () => {
    const deadline = new Deadline(10_000);
    const attempt = jest.fn(() => Promise.reject<string>(passing));
    jest.spyOn(Math, 'random').mockReturnValueOnce(0).mockReturnValueOnce(0.5);
    const done = caught(withRetries(2, deadline, attempt));
    await jest.advanceTimersByTimeAsync(24);
    expect(attempt).toHaveBeenCalledTimes(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(attempt).toHaveBeenCalledTimes(2);
    await jest.advanceTimersByTimeAsync(99);
    expect(attempt).toHaveBeenCalledTimes(2);
    await jest.advanceTimersByTimeAsync(1);
    expect(attempt).toHaveBeenCalledTimes(3);
    expect(await done).toBe(passing);
    deadline.clear();
  });

  it.each([
    ['a failure that is not retryable', new VerificationFailure('kinde', 'HTML', { retryable: false })],
    ['an error of another class', new TypeError('bug')],
  ])('does not retry after %s', async (_what, error) => {
    const deadline = new Deadline(10_000);
    const attempt = jest.fn(() => Promise.reject<string>(error));
    await expect(withRetries(3, deadline, attempt)).rejects.toBe(error);
    expect(attempt).toHaveBeenCalledTimes(1);
    deadline.clear();
  });

  it('does not pause for a retry that would come after the deadline', async () => {
    const deadline = new Deadline(20);
    const attempt = jest.fn(() => Promise.reject<string>(passing));
    await expect(withRetries(3, deadline, attempt)).rejects.toBe(passing);
    expect(attempt).toHaveBeenCalledTimes(1);
    deadline.clear();
  });

  it('ends the pause when the deadline is cancelled', async () => {
    const deadline = new Deadline(10_000);
    const attempt = jest.fn(() => Promise.reject<string>(passing));
    const done = caught(withRetries(3, deadline, attempt));
    await jest.advanceTimersByTimeAsync(1);
    deadline.cancel(new VerificationFailure('closed', 'over'));
    expect(await done).toMatchObject({ kind: 'closed' });
    expect(attempt).toHaveBeenCalledTimes(1);
    expect(jest.getTimerCount()).toBe(0);
  });
});
