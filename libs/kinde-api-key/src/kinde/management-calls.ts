import type { Clock } from '../clock.js';
import type { ResolvedOptions } from '../config/resolved-options.js';
import { parseManagementAnswer, type CallRefusal, type Result } from './answers/management-answer.js';
import { missingPermission } from './answers/m2m-claims.js';
import type { KindeRequest, KindeResponse } from './http.js';
import { Admission } from './limits/admission.js';
import { Backoff } from './limits/backoff.js';
import { untilAborted, type Deadline, type Deadlines } from './limits/deadline.js';
import { withRetries } from './limits/retry.js';
import type { ManagementApi } from './management-api.js';
import { ManagementOutcome, type ManagementCall } from './management-call.js';
import type { AccessToken } from './token/access-token.js';
import type { M2mToken } from './token/m2m-token.js';
import type { TokenRejections } from './token/token-rejections.js';

/** Limits of these calls, besides those of `kinde` in the options: a list of all keys must not use up what verifications need. */
const MAX_CONCURRENT = 4;
const MAX_PER_SECOND = 20;
const MAX_QUEUED = 100;
/** Time between two renewals of the token because it lacks a scope, in milliseconds. It doubles up to an hour: Kinde bills mints. */
const RENEWAL_FIRST_MS = 60_000;
const RENEWAL_LONGEST_MS = 3_600_000;

/** What these calls share with verifications. */
export interface SharedParts {
  readonly api: ManagementApi;
  readonly admission: Admission;
  readonly deadlines: Deadlines;
  readonly token: M2mToken;
  readonly rejections: TokenRejections;
}

interface Sending<T> {
  readonly call: ManagementCall<T>;
  readonly outcome: ManagementOutcome;
  readonly deadline: Deadline;
}

/**
 * The calls of the Management API besides verifications, with the same M2M token, circuit breaker and limits. A few are sent at a time: those
 * that read with the priority of new keys, those that change something with that of known keys. So they cannot delay good keys, and their failures do not open the
 * circuit breaker.
 */
export class ManagementCalls {
  readonly #ownLimits: Admission;
  readonly #renewalPause: Backoff;
  #renewal: Promise<AccessToken> | undefined;

  constructor(
    private readonly parts: SharedParts,
    private readonly options: Omit<ResolvedOptions['kinde'], 'clientSecret'>,
    clock: Clock,
  ) {
    const limits = {
      maxConcurrent: Math.min(MAX_CONCURRENT, options.maxConcurrent),
      maxPerSecond: Math.min(MAX_PER_SECOND, options.maxPerSecond),
      maxQueued: Math.min(MAX_QUEUED, options.maxQueued),
    };
    this.#ownLimits = new Admission(limits, () => parts.api.refusal(), clock);
    this.#renewalPause = new Backoff(clock, RENEWAL_FIRST_MS, RENEWAL_LONGEST_MS);
  }

  /** The option `apiId`. */
  get apiId(): string | null {
    return this.options.apiId;
  }

  /**
   * Sends a call within one deadline, and returns what it asked for. A POST or PUT is not sent again after Kinde may have carried it out. Other
   * calls are retried like verifications.
   *
   * @throws {KindeApiKeyManagementError} and nothing else
   */
  async send<T>(call: ManagementCall<T>): Promise<T> {
    const outcome = new ManagementOutcome(call);
    try {
      return await this.parts.deadlines.run(async (deadline) => {
        const end = this.#ownLimits.begin(priorityOf(call));
        try {
          return await this.#sendWithGoodToken({ call, outcome, deadline });
        } finally {
          end();
        }
      });
    } catch (error) {
      throw outcome.errorOf(error);
    }
  }

  async #sendWithGoodToken<T>(sending: Sending<T>): Promise<T> {
    const { call, outcome, deadline } = sending;
    const { token: current, rejections } = this.parts;
    const token = await current.current(deadline.signal);
    const first = await this.#sendInTurn(sending, token);
    if (first.kind !== 'rejected') return this.#resultOf(first, sending);
    const lacksScope = this.#lacksScope(first.isScopeMissing, token, call);
    const other = lacksScope
      ? await this.#tokenWithScope(token, deadline.signal)
      : await rejections.renewIfRejected(token, deadline.signal);
    const second = other && (await this.#sendInTurn(sending, other));
    if (second && second.kind !== 'rejected') {
      if (lacksScope) this.#renewalPause.reset();
      else current.renewalHelped();
      return this.#resultOf(second, sending);
    }
    if (second ? this.#lacksScope(second.isScopeMissing, other, call) : lacksScope)
      throw outcome.permissionMissing(this.#renewalPause.remainingMs);
    throw outcome.rejected();
  }

  #resultOf<T>(answer: Result<T> | Exclude<CallRefusal, { kind: 'rejected' }>, { outcome }: Sending<T>): T {
    this.parts.token.renewAhead();
    if (answer.kind !== 'result') throw outcome.refusal(answer.kind);
    return answer.result;
  }

  /** Whether a rejected token lacks the scope of the call, as the answer or its own claims say. */
  #lacksScope(saysSo: boolean, token: AccessToken, { scope }: ManagementCall<unknown>): boolean {
    return saysSo || missingPermission(token.reveal(), this.options.audience, scope) === 'scope';
  }

  /** Finds another token: the scope may have been granted after this one was minted. */
  async #tokenWithScope(token: AccessToken, signal: AbortSignal): Promise<AccessToken | undefined> {
    const { token: current } = this.parts;
    if (!current.isInUse(token)) return current.current(signal);
    if (!this.#renewal) {
      if (this.#renewalPause.remainingMs > 0) return undefined;
      this.#renewalPause.start();
      this.#renewal = current.renew().finally(() => (this.#renewal = undefined));
    }
    return untilAborted(this.#renewal, signal);
  }

  /** Sends the call when it is its turn, with retries where it may be sent again. */
  #sendInTurn<T>({ call, outcome, deadline }: Sending<T>, token: AccessToken): Promise<Result<T> | CallRefusal> {
    const request = this.#requestOf(call, token);
    const parse = (response: KindeResponse) => parseManagementAnswer(response, call.read);
    const priority = priorityOf(call);
    return withRetries(request.once ? 0 : this.options.retries, deadline, async () => {
      const releases = [await this.#ownLimits.enter(priority, deadline)];
      try {
        releases.push(await this.parts.admission.enter(priority, deadline));
        const apiCall = { endpoint: 'api', request, parse, isApart: true } as const;
        const send = () => this.parts.api.send<Result<T> | CallRefusal>(apiCall, deadline.signal);
        return (await outcome.watch(send)).answer;
      } finally {
        for (const release of releases) release();
      }
    });
  }

  #requestOf({ method, path, body, maxAnswerBytes }: ManagementCall<unknown>, token: AccessToken): KindeRequest {
    const authorization = `Bearer ${token.reveal()}`;
    return {
      method,
      url: `${this.options.origin}/api/v1${path}`,
      headers: body ? { authorization, 'content-type': 'application/json' } : { authorization },
      body: body && JSON.stringify(body),
      once: method === 'POST' || method === 'PUT',
      maxAnswerBytes,
    };
  }
}

function priorityOf({ method }: ManagementCall<unknown>) {
  return method === 'GET' ? 'new' : 'known';
}
