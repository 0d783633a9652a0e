import type { Clock } from '../clock.js';
import { KindeApiKeyMisconfiguredError, KindeApiKeyUnavailableError } from '../kinde-api-key.errors.js';
import type { AccessToken } from './token/access-token.js';
import { Circuit } from './limits/circuit.js';
import { Deadline } from './limits/deadline.js';
import type { KindeHttp } from './http.js';
import { ManagementApi, type CallContext } from './management-api.js';
import { KindeCaller, type Exchanged } from './kinde-caller.js';
import type { Log } from '../log.js';
import { missingPermission, saysScopeIsMissing } from './token/m2m-claims.js';
import { M2mToken, type Mint } from './token/m2m-token.js';
import { misconfigured } from './misconfigured.js';
import { Outage } from './outage.js';
import { Admission, type Lane } from './limits/admission.js';
import { closed, TokenEndpoint } from './token/token-endpoint.js';
import { HealthLog } from './health-log.js';
import type { RawKey } from '../api-key/raw-key.js';
import type { Verdict } from '../api-key/verdict.js';
import type { TokenRejectedAnswer, VerdictAnswer } from './answers/verify-answer.js';
import { WaitingRoom } from './limits/waiting-room.js';

export type { Lane } from './limits/admission.js';

/** How often a verification calls verify at most: with its token, with one that came meanwhile, with one that was fetched for it. */
const MAX_TOKENS_TRIED = 3;
/** A permission that is missing in Kinde is seen, once granted, with the next forced renewal, in seconds. */
const PERMISSION_RETRY_SECONDS = 60;

/** Kinde's keys have less than 100. What is longer is refused without a call: it would not fit the request's limit. */
const MAX_KEY_CHARACTERS = 2_048;
const UNKNOWN: Verdict = Object.freeze({ accepted: false, reason: 'unknown' });

/** What {@link KeyVerifier} goes by. All of it was checked before. */
export interface KeyVerifierOptions {
  /** `https://acme.kinde.com`, no trailing slash. */
  readonly origin: string;
  /** Client id of the M2M application. */
  readonly clientId: string;
  /** Client secret of the M2M application. */
  readonly clientSecret: string;
  /** Audience of the M2M token, e.g. `https://acme.kinde.com/api`. */
  readonly audience: string;
  /** Accept only keys of this registered API; `null`: of any. */
  readonly apiId: string | null;
  /** Deadline of one whole verification in milliseconds, from 100. */
  readonly timeoutMs: number;
  /** How often a call is sent again after a failure that may pass, from 0. */
  readonly retries: number;
  /** How many calls may be under way at once, from 1. */
  readonly maxConcurrent: number;
  /** How many calls may be sent within any second, from 1. */
  readonly maxPerSecond: number;
  /** How many verifications may wait for their turn, in each lane, from 0. */
  readonly maxQueued: number;
}

/** What Kinde says about a key, and how old the news is. */
export interface KeyAnswer {
  readonly verdict: Verdict;
  /** When the verify call that gave this answer was sent, by the injected clock: ages count from then. */
  readonly sentAtMs: number;
}

/** Asks Kinde about keys. Nothing is remembered here but the M2M token and how Kinde has been doing lately. */
export class KeyVerifier {
  readonly #http: KindeHttp;
  readonly #options: Pick<KeyVerifierOptions, 'audience' | 'apiId' | 'timeoutMs'>;
  readonly #clock: Clock;
  readonly #trouble: HealthLog;
  readonly #waitingRoom: WaitingRoom;
  readonly #budget: Admission;
  readonly #apiCaller: KindeCaller;
  readonly #api: ManagementApi;
  readonly #tokenEndpoint: TokenEndpoint;
  readonly #token: M2mToken;
  readonly #deadlines = new Set<Deadline>();
  #closed = false;

  /**
   * @param http carries the calls; closed together with the client
   * @param options see {@link KeyVerifierOptions}
   * @param clock for ages, the token's life and pauses. Deadlines and the budget's seconds are real time
   * @param log trouble is written here, once and not per request
   * @param shareToken puts something before the token endpoint, so that a fleet fetches one token; default nothing
   */
  constructor(
    http: KindeHttp,
    options: KeyVerifierOptions,
    clock: Clock,
    log: Log,
    shareToken: (endpoint: Mint) => Mint = (endpoint) => endpoint,
  ) {
    this.#http = http;
    this.#options = { audience: options.audience, apiId: options.apiId, timeoutMs: options.timeoutMs };
    this.#clock = clock;
    this.#trouble = new HealthLog(log, clock);
    this.#waitingRoom = new WaitingRoom(options);
    this.#budget = new Admission(options);
    const sendWaitingAway = (reason: Outage): void => this.#budget.refuseWaiting(reason);
    const breaker = new Circuit(clock, sendWaitingAway);
    const parts = { http, breaker, clock, timeoutMs: options.timeoutMs };
    this.#apiCaller = new KindeCaller({ ...parts, onHold: sendWaitingAway });
    this.#api = new ManagementApi(this.#apiCaller, this.#budget, options);
    this.#tokenEndpoint = new TokenEndpoint(new KindeCaller({ ...parts, onHold: () => {} }), options, clock);
    this.#token = new M2mToken(shareToken(this.#tokenEndpoint), clock, (error) => this.#renewalFailed(error));
  }

  /**
   * Asks Kinde about one key, within the deadline.
   *
   * @param rawKey what the request carried
   * @param lane `proven` for a key that was accepted before: it does not wait behind those of which nothing is known
   * @returns a verdict; a refused key is a value like any other
   * @throws {KindeApiKeyUnavailableError} VERIFICATION_UNAVAILABLE if nothing can be learned about the key now
   * @throws {KindeApiKeyMisconfiguredError} VERIFICATION_MISCONFIGURED if Kinde refuses our own credentials
   */
  async verifyKey(rawKey: string, lane: Lane): Promise<KeyAnswer> {
    if (rawKey.length > MAX_KEY_CHARACTERS) return { verdict: UNKNOWN, sentAtMs: this.#clock.now() };
    const deadline = new Deadline(this.#options.timeoutMs);
    this.#deadlines.add(deadline);
    try {
      return await this.#waitingRoom.run(lane, () => this.#ask(rawKey, lane, deadline));
    } catch (error) {
      throw this.#publicError(error);
    } finally {
      deadline.clear();
      this.#deadlines.delete(deadline);
    }
  }

  /** Asks Kinde about one key, see {@link verifyKey}. `known`: the key was accepted before and does not wait behind new ones. */
  verify(key: RawKey, priority: 'known' | 'new'): Promise<KeyAnswer> {
    return this.verifyKey(key.reveal(), priority === 'known' ? 'proven' : 'new');
  }

  /** Gives up what is under way (its callers get a {@link KindeApiKeyUnavailableError}) and drops the connections. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const deadline of this.#deadlines) deadline.cancel(closed());
    this.#tokenEndpoint.close();
    this.#http.close();
  }

  async #ask(rawKey: string, lane: Lane, deadline: Deadline): Promise<KeyAnswer> {
    const refusal = this.#closed ? closed() : this.#apiCaller.refusal();
    if (refusal) throw refusal;
    const answer = await this.#askWithGoodToken(rawKey, lane, deadline);
    this.#trouble.answered();
    this.#token.renewAhead();
    return answer;
  }

  async #askWithGoodToken(rawKey: string, lane: Lane, deadline: Deadline): Promise<KeyAnswer> {
    let token = await this.#token.current(deadline.signal);
    for (let tried = 0; tried < MAX_TOKENS_TRIED; tried += 1) {
      const context = { lane, token, deadline };
      const exchanged = await this.#api.verify(rawKey, context);
      const { answer, sentAtMs } = exchanged;
      if (answer.kind === 'verdict') return { verdict: await this.#finalVerdict(answer, context), sentAtMs };
      const another = await this.#token.renewAfterRejection(token, deadline.signal);
      if (!another) return { verdict: this.#blameKeyOrToken(exchanged, token, rawKey), sentAtMs };
      token = another;
    }
    throw new Outage('kinde', 'Kinde takes no M2M token for long');
  }

  async #finalVerdict({ verdict, unknownStatus }: VerdictAnswer, context: CallContext): Promise<Verdict> {
    if (unknownStatus) this.#trouble.unknownStatus();
    const { apiId } = this.#options;
    if (!verdict.accepted || apiId === null) return verdict;
    const membership = await this.#api.membership(verdict.apiKey.keyId, apiId, context);
    return membership === 'member' ? verdict : { accepted: false, reason: membership };
  }

  /** 401 or 403 with a token that is as good as Kinde gives. */
  #blameKeyOrToken(
    exchanged: Exchanged<VerdictAnswer | TokenRejectedAnswer>,
    token: AccessToken,
    rawKey: string,
  ): Verdict {
    const missing = missingPermission(token.reveal(), this.#options.audience);
    if (missing) throw misconfigured(missing, PERMISSION_RETRY_SECONDS);
    if (saysScopeIsMissing(exchanged.response.body, rawKey)) throw misconfigured('scope', PERMISSION_RETRY_SECONDS);
    return UNKNOWN;
  }

  #renewalFailed(error: Error): void {
    if (!this.#closed) this.#trouble.renewalFailed(error);
  }

  #publicError(error: unknown): KindeApiKeyUnavailableError | KindeApiKeyMisconfiguredError {
    if (error instanceof KindeApiKeyMisconfiguredError) {
      this.#trouble.misconfigured(error);
      // Callers may share what was remembered; an object of its own for each of them.
      return new KindeApiKeyMisconfiguredError(error.message, { retryAfterSeconds: error.retryAfterSeconds });
    }
    if (error instanceof Outage) {
      this.#trouble.failed(error);
      return error.toUnavailable();
    }
    this.#trouble.unexpected(error);
    return new Outage('kinde', 'the verification failed').toUnavailable();
  }
}
