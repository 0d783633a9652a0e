import type { ApiKeyDecision } from '../decision.js';

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

  /** @param describe builds the decision; not called where nobody listens */
  report(describe: () => ApiKeyDecision): void {
    if (!this.#listener) return;
    try {
      const result = this.#listener(describe());
      if (result instanceof Promise) result.catch((error: unknown) => this.#logFailure(error));
    } catch (error) {
      this.#logFailure(error);
    }
  }

  #logFailure(error: unknown): void {
    this.#log.error(
      `onDecision failed; the request is not affected: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
