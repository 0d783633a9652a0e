import type { ApiKeyDecision, ApiKeyRefusalCode } from '../api-key/decision.js';
import type { Log } from '../log.js';
import type { RequestState } from './request-state.js';

/** Hands decisions to the app's `onDecision`, which can neither delay nor break a request. */
export class DecisionReporter {
  readonly #listener: (decision: ApiKeyDecision) => unknown;

  constructor(
    listener: (decision: ApiKeyDecision) => unknown,
    private readonly log: Pick<Log, 'error'>,
  ) {
    this.#listener = listener;
  }

  /** Calls the listener, without waiting for it. What it throws or rejects with is logged. */
  report(decision: ApiKeyDecision): void {
    try {
      Promise.resolve(this.#listener(decision)).catch((error: unknown) => this.#logFailure(error));
    } catch (error) {
      this.#logFailure(error);
    }
  }

  #logFailure(error: unknown): void {
    const reason = error instanceof Error ? error.message : `it threw a value of type ${typeof error}`;
    this.log.error(`onDecision failed; the request is not affected: ${reason}`);
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
