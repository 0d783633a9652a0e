import type { ApiKeyDecision, ApiKeyRefusalCode } from '../api-key/decision.js';
import type { Clock } from '../clock.js';
import { LogThrottle, type Log } from '../log.js';
import type { RequestState } from './request-state.js';

const ONCE_PER_MS = 60_000;

/** Hands decisions to the app's `onDecision`, which can neither delay nor break a request. */
export class DecisionReporter {
  readonly #listener: (decision: ApiKeyDecision) => unknown;
  readonly #throttle: LogThrottle;
  #failures = 0;

  constructor(
    listener: (decision: ApiKeyDecision) => unknown,
    private readonly log: Pick<Log, 'error'>,
    clock: Clock,
  ) {
    this.#listener = listener;
    this.#throttle = new LogThrottle(clock, ONCE_PER_MS);
  }

  /** Calls the listener, without waiting for it. What it throws or rejects with is logged, at most once a minute. */
  report(decision: ApiKeyDecision): void {
    try {
      Promise.resolve(this.#listener(decision)).catch((error: unknown) => this.#logFailure(error));
    } catch (error) {
      this.#logFailure(error);
    }
  }

  #logFailure(error: unknown): void {
    this.#failures += 1;
    if (!this.#throttle.isDue('failed')) return;
    const reason = error instanceof Error ? error.message : `it threw a value of type ${typeof error}`;
    const what =
      this.#failures === 1
        ? 'onDecision failed; the request is not affected'
        : `onDecision failed, ${this.#failures} times since it was last logged; the requests are not affected`;
    this.#failures = 0;
    this.log.error(`${what}: ${reason}`);
  }
}

/**
 * Describes a decision.
 *
 * @param state of the request, `null` if the handler is unknown
 * @param code of the refusal, `null` for a request that is let through
 */
export function decisionOf(
  state: Pick<RequestState, 'rule' | 'apiKey' | 'principal' | 'wasCached'> | null,
  code: ApiKeyRefusalCode | null,
): ApiKeyDecision {
  const { apiKey, principal } = state ?? {};
  const caller = apiKey ?? principal;
  return {
    outcome: code === null ? 'accepted' : 'refused',
    code,
    route: state?.rule.route ?? null,
    keyId: apiKey?.keyId ?? null,
    orgCode: caller?.orgCode ?? null,
    userId: caller?.userId ?? null,
    cached: state?.wasCached ?? null,
    ...(principal && { principal: { kind: principal.kind, id: principal.id } }),
  };
}
