import { isPromiseLike } from '../and-then.js';
import type { ApiKeyDecision, ApiKeyRefusalCode } from '../api-key/decision.js';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import type { Log } from '../log.js';

/** Hands decisions to the app's `onDecision`, which can neither delay nor break a request. */
export class DecisionReporter {
  readonly #listener: ((decision: ApiKeyDecision) => unknown) | null;
  readonly #log: Pick<Log, 'error'>;

  constructor(listener: ((decision: ApiKeyDecision) => unknown) | null, log: Pick<Log, 'error'>) {
    this.#listener = listener;
    this.#log = log;
  }

  /** Whether the app listens. Without a listener the guard does not describe its decisions. */
  get hasListener(): boolean {
    return this.#listener !== null;
  }

  /** @param describe builds the decision; called only with a listener */
  report(describe: () => ApiKeyDecision): void {
    if (!this.#listener) return;
    try {
      const result = this.#listener(describe());
      if (isPromiseLike(result)) Promise.resolve(result).catch((error: unknown) => this.#logFailure(error));
    } catch (error) {
      this.#logFailure(error);
    }
  }

  #logFailure(error: unknown): void {
    const reason = error instanceof Error ? error.message : `it threw a value of type ${typeof error}`;
    this.#log.error(`onDecision failed; the request is not affected: ${reason}`);
  }
}

/**
 * @param route of the handler, `null` if the handler is unknown
 * @param code of the refusal, `null` for a request that is let through
 * @param apiKey once it is known
 * @param cached whether the verdict came from the cache, once there is one
 */
export function decisionOf(
  route: string | null,
  code: ApiKeyRefusalCode | null,
  apiKey?: VerifiedApiKey,
  cached?: boolean,
): ApiKeyDecision {
  return {
    outcome: code === null ? 'accepted' : 'refused',
    code,
    route,
    keyId: apiKey?.keyId ?? null,
    orgCode: apiKey?.orgCode ?? null,
    userId: apiKey?.userId ?? null,
    cached: cached ?? null,
  };
}
