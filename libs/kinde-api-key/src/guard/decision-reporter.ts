import type { ApiKeyDecision, ApiKeyRefusalCode } from '../api-key/decision.js';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';

/** Where the reporter says that a listener failed. */
interface ReporterLog {
  error(message: string): void;
}

/** Hands decisions to the app's `onDecision`, which can neither delay nor break a request. */
export class DecisionReporter {
  readonly #listener: ((decision: ApiKeyDecision) => unknown) | null;
  readonly #log: ReporterLog;

  constructor(listener: ((decision: ApiKeyDecision) => unknown) | null, log: ReporterLog) {
    this.#listener = listener;
    this.#log = log;
  }

  /** Whether anybody listens: the hot path does not even make a function to describe with where nobody does. */
  get hasListener(): boolean {
    return this.#listener !== null;
  }

  /** @param describe builds the decision; not called where nobody listens */
  report(describe: () => ApiKeyDecision): void {
    if (!this.#listener) return;
    try {
      const result = this.#listener(describe());
      if (isThenable(result)) Promise.resolve(result).catch((error: unknown) => this.#logFailure(error));
    } catch (error) {
      this.#logFailure(error);
    }
  }

  #logFailure(error: unknown): void {
    const reason = error instanceof Error ? error.message : `it threw a value of type ${typeof error}`;
    this.#log.error(`onDecision failed; the request is not affected: ${reason}`);
  }
}

/** By its shape: a promise of another realm or of another library is no instance of `Promise`. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}

/**
 * @param route of the handler, `null` where that is unknown
 * @param code of the refusal, `null` for a request that is let through
 * @param apiKey once it is known
 * @param cached whether the verdict was remembered, once there is one
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
