import type { ApiKeyDecision, ApiKeyRefusalCode } from '../api-key/decision.js';
import type { Clock } from '../clock.js';
import { LogThrottle, type Log } from '../log.js';
import type { RequestState } from './request-state.js';

/** A listener that keeps failing is logged once in this time, in milliseconds. */
const LOG_EVERY_MS = 60_000;

/** Hands decisions to the app's `onDecision`, which can neither delay nor break a request. */
export class DecisionReporter {
  readonly #listener: (decision: ApiKeyDecision) => unknown;
  readonly #throttle: LogThrottle;
  #unlogged = 0;

  constructor(
    listener: (decision: ApiKeyDecision) => unknown,
    private readonly log: Pick<Log, 'error'>,
    clock: Clock,
  ) {
    this.#listener = listener;
    this.#throttle = new LogThrottle(clock, LOG_EVERY_MS);
  }

  /** Calls the listener, without waiting for it. What it throws or rejects with is logged once a minute, with a count. */
  report(decision: ApiKeyDecision): void {
    try {
      Promise.resolve(this.#listener(decision)).catch((error: unknown) => this.#logFailure(error));
    } catch (error) {
      this.#logFailure(error);
    }
  }

  #logFailure(error: unknown): void {
    if (!this.#throttle.isDue('onDecision')) {
      this.#unlogged += 1;
      return;
    }
    const reason = error instanceof Error ? error.message : `it threw a value of type ${typeof error}`;
    const others = this.#unlogged === 0 ? '' : ` (and ${this.#unlogged} more failures since the last line)`;
    this.#unlogged = 0;
    this.log.error(`onDecision failed; the request is not affected: ${reason}${others}`);
  }
}

/**
 * Describes a decision.
 *
 * @param state of the request, `null` if the handler is unknown
 * @param code of the refusal, `null` for a request that is let through
 */
export function decisionOf(
  state: Pick<RequestState, 'rule' | 'apiKey' | 'wasCached'> | null,
  code: ApiKeyRefusalCode | null,
): ApiKeyDecision {
  return {
    outcome: code === null ? 'accepted' : 'refused',
    code,
    route: state?.rule.route ?? null,
    keyId: state?.apiKey?.keyId ?? null,
    orgCode: state?.apiKey?.orgCode ?? null,
    userId: state?.apiKey?.userId ?? null,
    cached: state?.wasCached ?? null,
  };
}
