import { channel } from 'node:diagnostics_channel';
import type { ApiKeyDecision, ApiKeyRefusalCode } from '../api-key/decision.js';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import type { Clock } from '../clock.js';
import { Listeners } from '../listeners.js';
import { LogThrottle, type Log } from '../log.js';
import type { RequestState } from './request-state.js';

const ONCE_PER_MS = 60_000;

/** Gets every decision of every registration in the process. */
export const DECISIONS = channel('nestjs-kinde-api-key:decision');

type DecidedState = Pick<RequestState, 'rule' | 'apiKey' | 'principal' | 'wasCached' | 'source' | 'startedAtMs'>;

/** Hands decisions to the app's `onDecision`, which can neither delay nor break a request, and to {@link DECISIONS}. */
export class DecisionReporter {
  /** Listeners of this registration, `onDecision` among them. */
  readonly listeners = new Listeners<ApiKeyDecision>();
  readonly #throttle: LogThrottle;
  #failures = 0;

  /** @param isStale whether a verified key is in memory beyond its time to live */
  constructor(
    onDecision: ((decision: ApiKeyDecision) => unknown) | null,
    private readonly log: Pick<Log, 'error'>,
    clock: Clock,
    private readonly isStale: (apiKey: VerifiedApiKey) => boolean = () => false,
  ) {
    this.#throttle = new LogThrottle(clock, ONCE_PER_MS);
    if (onDecision) this.listeners.add((decision) => this.#call(onDecision, decision));
  }

  /**
   * Describes a decision as it is now. It costs nothing if it is not heard.
   *
   * @param state of the request, `null` if the handler is unknown
   * @param code of the refusal, `null` for a request that is let through
   * @returns reports the decision; `undefined` if nothing listens
   */
  prepare(state: DecidedState | null, code: ApiKeyRefusalCode | null): (() => void) | undefined {
    if (!this.listeners.isHeard && !DECISIONS.hasSubscribers) return undefined;
    const decision = decisionOf(state, code, this.isStale);
    return () => this.report(decision);
  }

  /** Hands a decision to everything that listens, without waiting for it. What `onDecision` throws is logged, at most once a minute. */
  report(decision: ApiKeyDecision): void {
    this.listeners.notify(decision);
    if (DECISIONS.hasSubscribers) DECISIONS.publish(decision);
  }

  #call(onDecision: (decision: ApiKeyDecision) => unknown, decision: ApiKeyDecision): void {
    try {
      Promise.resolve(onDecision(decision)).catch((error: unknown) => this.#logFailure(error));
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

/** Describes a decision. Frozen, because several listeners get one object. */
export function decisionOf(
  state: DecidedState | null,
  code: ApiKeyRefusalCode | null,
  isStale: (apiKey: VerifiedApiKey) => boolean,
): ApiKeyDecision {
  const { apiKey, principal, startedAtMs } = state ?? {};
  const caller = apiKey ?? principal;
  // A guard that ran before on this request may have met a key.
  const verified = principal && !apiKey ? undefined : state;
  const isStaleHit = apiKey !== undefined && state?.source === 'memory' && isStale(apiKey);
  return Object.freeze({
    outcome: code === null ? 'accepted' : 'refused',
    code,
    route: state?.rule.route ?? null,
    keyId: apiKey?.keyId ?? null,
    orgCode: caller?.orgCode ?? null,
    userId: caller?.userId ?? null,
    cached: verified?.wasCached ?? null,
    principal: nameOf(apiKey, principal),
    required: state?.rule.required ?? null,
    source: isStaleHit ? 'stale' : (verified?.source ?? null),
    latencyMs: startedAtMs === undefined ? null : performance.now() - startedAtMs,
  });
}

function nameOf(apiKey: DecidedState['apiKey'], principal: DecidedState['principal']): ApiKeyDecision['principal'] {
  if (apiKey) return Object.freeze({ kind: 'api_key', id: apiKey.keyId });
  return principal ? Object.freeze({ kind: principal.kind, id: principal.id ?? '' }) : null;
}
