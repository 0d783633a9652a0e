import { VerificationFailure } from '../verification-failure.js';
import { pause, type Deadline } from './deadline.js';

const FIRST_PAUSE_MS = 50;

/**
 * Retries a call at most `retries` times, after a pause with jitter that doubles each time, and never beyond the deadline. Only a
 * {@link VerificationFailure} that is `retryable` is retried.
 *
 * @throws whatever the last attempt threw
 */
export async function withRetries<T>(retries: number, deadline: Deadline, attempt: () => Promise<T>): Promise<T> {
  for (let attemptNo = 0; attemptNo < retries; attemptNo += 1) {
    try {
      return await attempt();
    } catch (error) {
      const pauseMs = FIRST_PAUSE_MS * 2 ** attemptNo * (0.5 + Math.random());
      const helps = error instanceof VerificationFailure && error.retryable && deadline.hasTimeToAsk(pauseMs);
      if (!helps) throw error;
      await pause(pauseMs, deadline.signal);
    }
  }
  return attempt();
}
