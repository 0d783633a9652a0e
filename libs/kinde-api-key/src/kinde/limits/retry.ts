import { pause, type Deadline } from './deadline.js';
import { Outage } from '../outage.js';

const FIRST_PAUSE_MS = 50;

/**
 * Sends a call again where that may help, after a pause with jitter that doubles each time, and never beyond the deadline.
 *
 * @param retries how often at most, from 0
 * @param deadline of the whole thing
 * @param attempt the call; only an {@link Outage} that is `retryable` is tried again
 * @throws whatever the last attempt threw
 */
export async function withRetries<T>(retries: number, deadline: Deadline, attempt: () => Promise<T>): Promise<T> {
  for (let attemptNo = 0; attemptNo < retries; attemptNo += 1) {
    try {
      return await attempt();
    } catch (error) {
      const pauseMs = FIRST_PAUSE_MS * 2 ** attemptNo * (0.5 + Math.random());
      const helps = error instanceof Outage && error.retryable && deadline.hasTimeToAsk(pauseMs);
      if (!helps) throw error;
      await pause(pauseMs, deadline.signal);
    }
  }
  return attempt();
}
