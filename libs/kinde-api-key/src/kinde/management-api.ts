import type { RawKey } from '../api-key/raw-key.js';
import { Wait, type Clock } from '../clock.js';
import type { ResolvedOptions } from '../config/resolved-options.js';
import { apiKeyUrl, parseMembership, type MembershipAnswer } from './answers/api-key-details.js';
import { parseRetryAfterSeconds } from './answers/retry-after.js';
import { parseTokenCheck, type TokenCheckAnswer } from './answers/token-check.js';
import { parseVerifyAnswer, type VerifyAnswer } from './answers/verify-answer.js';
import { bringsNothing, type NoAnswer } from './answers/wire.js';
import { KindeTransportError, type KindeHttp, type KindeRequest, type KindeResponse } from './http.js';
import { Circuit } from './limits/circuit.js';
import type { AccessToken } from './token/access-token.js';
import { VerificationFailure } from './verification-failure.js';

/** Time without calls after a 429 that names no time, in seconds. */
const SHORT_HOLD_SECONDS = 1;

/** One call, and how to parse its answer. */
export interface ApiCall<A> {
  /** Kinde throttles the two apart: a 429 from one does not hold back calls to the other. */
  readonly endpoint: 'api' | 'token';
  readonly request: KindeRequest;
  readonly parse: (response: KindeResponse) => A | NoAnswer;
  /** `true` for a call whose failures say nothing about verifications: an open circuit stops it, and it neither opens nor closes one. */
  readonly isApart?: boolean;
}

/** A usable answer. */
export interface ApiResult<A> {
  readonly answer: A;
  readonly response: KindeResponse;
  /** When the call was sent, by the injected clock. */
  readonly sentAtMs: number;
}

type Endpoint = ApiCall<unknown>['endpoint'];
type UsableAnswer = Exclude<VerifyAnswer, NoAnswer>;

/**
 * The calls to Kinde that a verification needs. All share one circuit breaker, and nothing is sent for as long as a 429 asks. Everything
 * that is not a usable answer becomes a {@link VerificationFailure}.
 */
export class ManagementApi {
  readonly #circuit: Circuit;
  /** No calls are sent for a while after a 429. */
  readonly #holds: Readonly<Record<Endpoint, Wait>>;

  /**
   * @param options Kinde's origin, and the usual time of a call. If a call is aborted before half of it, the circuit does not count it
   * @param onPause called when calls to the API stop for a while, with the failure that callers get from then on
   */
  constructor(
    private readonly http: KindeHttp,
    private readonly options: Pick<ResolvedOptions['kinde'], 'origin' | 'timeoutMs'>,
    private readonly clock: Clock,
    private readonly onPause: (refusal: VerificationFailure) => void,
  ) {
    this.#circuit = new Circuit(clock, onPause);
    this.#holds = { api: new Wait(clock), token: new Wait(clock) };
  }

  /** Returns the failure of a call to the API that would be sent now, or `undefined` if it may be sent. */
  refusal(): VerificationFailure | undefined {
    return this.#held('api') ?? this.#circuit.refusal();
  }

  /** `POST /api/v1/api_keys/verify`. Throws like {@link send}. */
  verify(key: RawKey, token: AccessToken, signal: AbortSignal): Promise<ApiResult<UsableAnswer>> {
    const request: KindeRequest = {
      method: 'POST',
      url: `${this.options.origin}/api/v1/api_keys/verify`,
      headers: { authorization: `Bearer ${token.reveal()}`, 'content-type': 'application/json' },
      body: JSON.stringify({ api_key: key.reveal() }),
    };
    return this.send({ endpoint: 'api', request, parse: parseVerifyAnswer }, signal);
  }

  /** `GET /api/v1/api_keys/{key_id}`: whether the key belongs to the API. Throws like {@link send}. */
  async membership(
    keyId: string,
    apiId: string,
    token: AccessToken,
    signal: AbortSignal,
  ): Promise<MembershipAnswer['result']> {
    const url = apiKeyUrl(this.options.origin, keyId);
    if (url === undefined)
      throw new VerificationFailure('unusable', "Kinde's answer is not usable ('key_id' is not an id)");
    const request: KindeRequest = { method: 'GET', url, headers: { authorization: `Bearer ${token.reveal()}` } };
    const parse = (response: KindeResponse) => parseMembership(response, keyId, apiId);
    const { answer } = await this.send<MembershipAnswer>({ endpoint: 'api', request, parse }, signal);
    return answer.result;
  }

  /** `GET /api/v1/api_keys`: whether Kinde accepts the token, whatever the key. Throws like {@link send}. */
  async acceptsToken(token: AccessToken, signal: AbortSignal): Promise<boolean> {
    const url = `${this.options.origin}/api/v1/api_keys?page_size=1`;
    const request: KindeRequest = { method: 'GET', url, headers: { authorization: `Bearer ${token.reveal()}` } };
    const { answer } = await this.send<TokenCheckAnswer>({ endpoint: 'api', request, parse: parseTokenCheck }, signal);
    return answer.isAccepted;
  }

  /**
   * Sends one call, once. The signal's reason is a {@link VerificationFailure}.
   *
   * @throws {VerificationFailure} if there is no usable answer
   */
  async send<A extends { readonly kind: string }>(call: ApiCall<A>, signal: AbortSignal): Promise<ApiResult<A>> {
    const refusal = this.#held(call.endpoint) ?? (call.isApart ? this.#circuit.refusal() : undefined);
    if (refusal) throw refusal;
    const attempt = async (isProbe: boolean): Promise<ApiResult<A>> => {
      const sentAtMs = this.clock.now();
      const response = await this.#exchange(call, signal, isProbe);
      const answer = call.parse(response);
      if (!bringsNothing(answer)) return { answer, response, sentAtMs };
      const retryAfterSeconds = parseRetryAfterSeconds(response.headers, this.clock.now());
      if (answer.kind === 'throttled') throw this.#hold(call.endpoint, retryAfterSeconds);
      const { problem, retryable, mayBeTheKey } = answer;
      if (mayBeTheKey && call.endpoint === 'api') throw new VerificationFailure('unusable', problem);
      // A retry within the deadline would come before the time that Kinde asks for.
      throw retryAfterSeconds === undefined
        ? new VerificationFailure('kinde', problem, { retryable })
        : new VerificationFailure('kinde', problem, { retryAfterSeconds });
    };
    return call.isApart ? attempt(false) : this.#circuit.run(attempt);
  }

  async #exchange(
    { request, endpoint }: ApiCall<unknown>,
    signal: AbortSignal,
    isProbe: boolean,
  ): Promise<KindeResponse> {
    const startedAtMs = performance.now();
    try {
      return await this.http.send(request, signal);
    } catch (error) {
      if (endpoint === 'api' && error instanceof KindeTransportError && error.isAnswer)
        throw new VerificationFailure('unusable', error.message, { cause: error });
      const hadItsTime = isProbe || performance.now() - startedAtMs >= this.options.timeoutMs / 2;
      throw failureOf(error, signal, hadItsTime);
    }
  }

  #hold(endpoint: Endpoint, seconds = SHORT_HOLD_SECONDS): VerificationFailure {
    this.#holds[endpoint].start(seconds * 1_000);
    const failure = throttled(seconds);
    if (endpoint === 'api') this.onPause(failure);
    return failure;
  }

  #held(endpoint: Endpoint): VerificationFailure | undefined {
    const { remainingMs } = this.#holds[endpoint];
    return remainingMs > 0 ? throttled(Math.ceil(remainingMs / 1_000)) : undefined;
  }
}

function throttled(retryAfterSeconds: number): VerificationFailure {
  return new VerificationFailure('throttled', 'Kinde asks this service to slow down (429)', { retryAfterSeconds });
}

function failureOf(error: unknown, signal: AbortSignal, hadItsTime: boolean): VerificationFailure {
  const reason: unknown = signal.reason;
  if (reason instanceof VerificationFailure) {
    const isKindesFault = reason.kind === 'deadline' && hadItsTime;
    return isKindesFault ? new VerificationFailure('kinde', 'Kinde did not answer in time') : reason;
  }
  if (!(error instanceof KindeTransportError)) return new VerificationFailure('kinde', 'the call to Kinde failed');
  const retryable = error.reason === 'network' || error.reason === 'cut_short';
  return new VerificationFailure('kinde', error.message, { retryable, cause: error });
}
