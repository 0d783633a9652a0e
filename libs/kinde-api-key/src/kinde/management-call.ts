import {
  KindeApiKeyManagementError,
  KindeApiKeyMisconfiguredError,
  type KindeApiKeyManagementErrorCode,
} from '../kinde-api-key.errors.js';
import type { ReadResult } from './answers/management-answer.js';
import type { KindeRequest } from './http.js';
import { grantingOf } from './misconfigured.js';
import { VerificationFailure, type FailureKind } from './verification-failure.js';

/** A scope of Kinde's Management API. */
export type ManagementScope = `${'read' | 'create' | 'update' | 'delete'}:api_keys` | 'read:apis' | 'read:api_scopes';

/** A call of the Management API, and how to parse its answer. */
export interface ManagementCall<T> {
  readonly method: KindeRequest['method'];
  /** Path and query behind `/api/v1`. */
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly maxAnswerBytes?: number;
  /** The scope that it needs. */
  readonly scope: ManagementScope;
  readonly read: ReadResult<T>;
  /** What to do about a 400. */
  readonly ifInvalid?: string;
  /** What may have happened if the answer is lost, and what to do then. */
  readonly ifLost?: string;
}

/** Words for failures whose own message is about verifications. */
const PROBLEMS: Partial<Record<FailureKind, string>> = {
  busy: 'Too many calls of the Management API wait in this process',
  deadline: 'The call took longer than kinde.timeoutMs',
};
/** A call that fails like this was refused or not sent: it changed nothing. */
const WITHOUT_EFFECT: readonly FailureKind[] = ['throttled', 'circuit_open'];

/** Notes whether a call may have had an effect, and says so in the error that its caller gets. */
export class ManagementOutcome {
  #isUnknown = false;

  constructor(private readonly call: Omit<ManagementCall<unknown>, 'read'>) {}

  /** Sends the call, and notes if its answer is lost. */
  async watch<A>(send: () => Promise<A>): Promise<A> {
    try {
      return await send();
    } catch (error) {
      const isRefused = error instanceof VerificationFailure && WITHOUT_EFFECT.includes(error.kind);
      if (this.call.method !== 'GET' && !isRefused) this.#isUnknown = true;
      throw error;
    }
  }

  /** Returns the error of a call that Kinde refused for its content. */
  refusal(kind: 'not_found' | 'invalid_input'): KindeApiKeyManagementError {
    if (kind === 'not_found') return this.#error('NOT_FOUND', 'Kinde has no API key with this id');
    const hint = this.call.ifInvalid ? `. ${this.call.ifInvalid}` : '';
    return this.#error('INVALID_INPUT', `Kinde refused the request as not valid (400)${hint}`);
  }

  /** Returns the error of a call for which the M2M token lacks a scope. `pauseMs`: until another token is minted because of that. */
  permissionMissing(pauseMs: number): KindeApiKeyManagementError {
    const { scope } = this.call;
    const seconds = Math.max(1, Math.ceil(pauseMs / 1_000));
    const message = `The M2M application lacks the scope ${scope}. ${grantingOf(scope)}. It counts from the next M2M token on, which is requested by a call after ${seconds} s`;
    return this.#error('PERMISSION_MISSING', message, seconds);
  }

  /** Returns the error of a call with a token that Kinde rejects, for a reason that another token does not change. */
  rejected(): KindeApiKeyManagementError {
    return this.#error('UNAVAILABLE', 'Kinde rejects the M2M token for this call');
  }

  /** Returns the error for whatever a call failed with. */
  errorOf(error: unknown): KindeApiKeyManagementError {
    if (error instanceof KindeApiKeyManagementError) return error;
    if (error instanceof KindeApiKeyMisconfiguredError)
      return this.#error('UNAVAILABLE', error.message, error.retryAfterSeconds);
    // The message of any other error could contain anything.
    if (!(error instanceof VerificationFailure)) return this.#error('UNAVAILABLE', 'The call failed');
    const code = error.kind === 'throttled' && !this.#isUnknown ? 'THROTTLED' : 'UNAVAILABLE';
    return this.#error(code, PROBLEMS[error.kind] ?? error.message, error.retryAfterSeconds);
  }

  #error(code: KindeApiKeyManagementErrorCode, problem: string, retryAfterSeconds: number | null = null) {
    const isOutcomeUnknown = this.#isUnknown;
    const message = isOutcomeUnknown && this.call.ifLost ? `${problem}. ${this.call.ifLost}` : problem;
    return new KindeApiKeyManagementError(code, message, { retryAfterSeconds, isOutcomeUnknown });
  }
}
