import type { RawKey } from '../api-key/raw-key.js';
import type { Verdict } from '../api-key/verdict.js';
import type { Clock } from '../clock.js';
import type { ResolvedOptions } from '../config/resolved-options.js';
import { KindeApiKeyMisconfiguredError, KindeApiKeyUnavailableError } from '../kinde-api-key.errors.js';
import type { Log } from '../log.js';
import { refused, type VerdictAnswer } from './answers/verify-answer.js';
import { HealthLog, type KindeHealth } from './health-log.js';
import type { KindeHttp } from './http.js';
import { Admission, type Priority } from './limits/admission.js';
import { Deadlines, type Deadline } from './limits/deadline.js';
import { HeldKeys } from './limits/held-keys.js';
import { withRetries } from './limits/retry.js';
import { ManagementApi } from './management-api.js';
import { ManagementCalls } from './management-calls.js';
import type { AccessToken } from './token/access-token.js';
import { M2mToken, type Mint } from './token/m2m-token.js';
import { TokenEndpoint } from './token/token-endpoint.js';
import { TokenRejections } from './token/token-rejections.js';
import { VerificationFailure } from './verification-failure.js';

/** Maximum number of verify calls per verification: with the current token, its replacement, and a token that was minted for it. */
const MAX_TOKENS_TRIED = 3;

/** Kinde's verdict on a key, and its age. */
export interface KeyAnswer {
  readonly verdict: Verdict;
  /** When the verify call was sent, by the injected clock. Ages count from then. */
  readonly sentAtMs: number;
}

interface Verification {
  readonly key: RawKey;
  readonly priority: Priority;
  readonly deadline: Deadline;
}

/** Verifies keys with Kinde. Caches nothing but the M2M token. */
export class KeyVerifier {
  /** The other calls of the Management API, with the same M2M token and limits. */
  readonly management: Pick<ManagementCalls, 'apiId' | 'send'>;
  readonly #options: Omit<ResolvedOptions['kinde'], 'clientSecret'>;
  readonly #health: HealthLog;
  readonly #deadlines: Deadlines;
  readonly #heldKeys: HeldKeys;
  readonly #admission: Admission;
  readonly #api: ManagementApi;
  readonly #token: M2mToken;
  readonly #rejections: TokenRejections;

  /**
   * @param http carries the calls; closed together with the verifier
   * @param clock for ages, the token's life and pauses. Deadlines and the calls per second are real time
   * @param log problems are logged once and not per request
   * @param shareToken wraps the token endpoint, so that all instances share one token. Default: this instance mints its own
   */
  constructor(
    private readonly http: KindeHttp,
    { clientSecret, ...options }: ResolvedOptions['kinde'],
    clock: Clock,
    log: Log,
    shareToken: (endpoint: Mint) => Mint = (endpoint) => endpoint,
  ) {
    this.#options = options;
    this.#health = new HealthLog(log, clock);
    this.#deadlines = new Deadlines(options.timeoutMs);
    this.#heldKeys = new HeldKeys(clock);
    this.#api = new ManagementApi(http, options, clock, (refusal) => this.#admission.refuseWaiting(refusal));
    this.#admission = new Admission(options, () => this.#api.refusal(), clock);
    const endpoint = new TokenEndpoint(this.#api, this.#deadlines, clock, { ...options, clientSecret });
    this.#token = new M2mToken(shareToken(endpoint), clock, (error) => {
      if (!this.#deadlines.isClosed) this.#health.renewalFailed(error);
    });
    this.#rejections = new TokenRejections(this.#token, clock, options.audience, (token) => this.#checkToken(token));
    const shared = { api: this.#api, admission: this.#admission, deadlines: this.#deadlines };
    this.management = new ManagementCalls(
      { ...shared, token: this.#token, rejections: this.#rejections },
      options,
      clock,
    );
  }

  /** Whether the last verification ended without an answer of Kinde. Then a key that may be served meanwhile need not wait for the next. */
  get isDown(): boolean {
    return this.#health.isDown;
  }

  /** What is known about Kinde without a call. */
  get health(): KindeHealth {
    return this.#health.seen(this.#api.refusal()?.kind === 'circuit_open');
  }

  /**
   * Asks Kinde about one key, within the deadline. A refused key is a verdict like any other.
   *
   * @param priority `known` for a key that was accepted before: it does not wait behind new keys
   * @param spentMs how much of the deadline has passed before, in milliseconds. Default 0
   * @throws {KindeApiKeyUnavailableError} VERIFICATION_UNAVAILABLE if nothing can be learned about the key now
   * @throws {KindeApiKeyMisconfiguredError} VERIFICATION_MISCONFIGURED if Kinde rejects our own credentials
   */
  async verify(key: RawKey, priority: Priority, spentMs = 0): Promise<KeyAnswer> {
    try {
      return await this.#heldKeys.run(key.digest, () =>
        this.#deadlines.run((deadline) => this.#verify({ key, priority, deadline }), spentMs),
      );
    } catch (error) {
      throw this.#publicError(error);
    }
  }

  /** Returns the M2M token, for the doctor's calls. Throws like {@link M2mToken.current}. */
  token(signal: AbortSignal): Promise<AccessToken> {
    return this.#token.current(signal);
  }

  /** Aborts verifications in flight, with a {@link KindeApiKeyUnavailableError}, and drops the connections. Idempotent. */
  close(): void {
    this.#deadlines.close();
    this.http.close();
  }

  async #verify(verification: Verification): Promise<KeyAnswer> {
    const release = this.#admission.begin(verification.priority);
    try {
      const answer = await this.#askWithGoodToken(verification);
      this.#health.answered();
      this.#token.renewAhead();
      return answer;
    } finally {
      release();
    }
  }

  async #askWithGoodToken(verification: Verification): Promise<KeyAnswer> {
    const { key, deadline } = verification;
    let token = await this.#token.current(deadline.signal);
    for (let tried = 0; tried < MAX_TOKENS_TRIED; tried += 1) {
      const sent = token;
      const wasKnown = this.#rejections.isKnown(sent);
      const { answer, response, sentAtMs } = await this.#call(verification, () =>
        this.#api.verify(key, sent, deadline.signal),
      );
      if (answer.kind === 'verdict') {
        this.#rejections.answered(token, key);
        return { verdict: await this.#checkApi(answer, token, verification), sentAtMs };
      }
      const renewed = await this.#rejections.resolve({ token, key, body: response.body, wasKnown }, deadline.signal);
      if (!renewed) return { verdict: refused('unknown'), sentAtMs };
      token = renewed;
    }
    throw new VerificationFailure('kinde', 'Kinde rejected every M2M token it issued');
  }

  /** Sends a call when it is its turn, with retries where they help, within the deadline. */
  #call<T>({ priority, deadline }: Pick<Verification, 'priority' | 'deadline'>, send: () => Promise<T>): Promise<T> {
    return withRetries(this.#options.retries, deadline, async () => {
      const release = await this.#admission.enter(priority, deadline);
      try {
        return await send();
      } finally {
        release();
      }
    });
  }

  /** The verdict, once the key belongs to the API that the options name. */
  async #checkApi(answer: VerdictAnswer, token: AccessToken, verification: Verification): Promise<Verdict> {
    const { verdict, unknownStatus } = answer;
    if (unknownStatus) this.#health.unknownStatus();
    const { apiId } = this.#options;
    if (!verdict.accepted || apiId === null) return verdict;
    const { keyId } = verdict.apiKey;
    const { signal } = verification.deadline;
    const result = await this.#call(verification, () => this.#api.membership(keyId, apiId, token, signal));
    if (result === 'other_api') this.#health.otherApi();
    return result === 'member' ? verdict : refused(result);
  }

  /** Whether Kinde accepts the token. The check has a deadline of its own, because several verifications may wait for it. */
  #checkToken(token: AccessToken): Promise<boolean> {
    return this.#deadlines.run((deadline) =>
      this.#call({ priority: 'known', deadline }, () => this.#api.acceptsToken(token, deadline.signal)),
    );
  }

  #publicError(error: unknown): KindeApiKeyUnavailableError | KindeApiKeyMisconfiguredError {
    if (error instanceof KindeApiKeyMisconfiguredError) {
      this.#health.misconfigured(error);
      // Callers may share one cached error: each gets an object of its own.
      const { message, retryAfterSeconds, reason } = error;
      return new KindeApiKeyMisconfiguredError(message, { retryAfterSeconds, ...(reason && { reason }) });
    }
    if (error instanceof VerificationFailure) {
      this.#health.failed(error);
      return error.toUnavailable();
    }
    this.#health.unexpected(error);
    return new VerificationFailure('kinde', 'the verification failed').toUnavailable();
  }
}
