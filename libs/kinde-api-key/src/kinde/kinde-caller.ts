import type { Clock } from '../clock.js';
import type { Circuit } from './limits/circuit.js';
import { KindeTransportError, type KindeHttp, type KindeRequest, type KindeResponse } from './http.js';
import { DEFAULT_RETRY_AFTER_SECONDS, Outage } from './outage.js';
import { parseRetryAfterSeconds } from './answers/retry-after.js';
import type { UnusableAnswer, ThrottledAnswer } from './answers/wire.js';

/** However long Kinde asks us to wait, after this the next call asks again, in milliseconds. */
const LONGEST_HOLD_MS = 60_000;
/** The hold after a 429 that does not say how long. */
const SHORT_HOLD_MS = 1_000;

/** One call, and how to understand its answer. */
export interface Exchange<A> {
  readonly request: KindeRequest;
  readonly parse: (response: KindeResponse) => A | ThrottledAnswer | UnusableAnswer;
}

/** An answer that can be believed. */
export interface Exchanged<A> {
  readonly answer: A;
  readonly response: KindeResponse;
  /** When the call was sent, by the injected clock. */
  readonly sentAtMs: number;
}

/** See {@link KindeCaller}. */
export interface CallerParts {
  readonly http: KindeHttp;
  readonly breaker: Circuit;
  readonly clock: Clock;
  /** The time that a call normally has: one that was given up long before says nothing about Kinde. */
  readonly timeoutMs: number;
  /** Called with what callers get from now on when Kinde asks us to slow down. */
  readonly onHold: (refusal: Outage) => void;
}

/**
 * Sends calls to one of Kinde's endpoints, through the circuit breaker, and turns everything that is not an answer into an
 * {@link Outage}. After a 429 nothing is sent for as long as Kinde asks.
 */
export class KindeCaller {
  readonly #parts: CallerParts;
  #sentAgainAtMs = Number.NEGATIVE_INFINITY;
  #wantedAgainAtMs = 0;

  /** @param parts see {@link CallerParts} */
  constructor(parts: CallerParts) {
    this.#parts = parts;
  }

  /** @returns what a caller gets at once while no call is sent, or `undefined` */
  refusal(): Outage | undefined {
    const nowMs = this.#parts.clock.now();
    if (nowMs >= this.#sentAgainAtMs) return this.#parts.breaker.refusal();
    return throttled(Math.ceil((this.#wantedAgainAtMs - nowMs) / 1_000));
  }

  /**
   * Sends a call once.
   *
   * @param exchange the call
   * @param signal aborts it; its reason is an {@link Outage}
   * @throws {Outage} if there is no answer, or none that can be believed
   */
  async send<A extends { readonly kind: string }>(exchange: Exchange<A>, signal: AbortSignal): Promise<Exchanged<A>> {
    const refusal = this.refusal();
    if (refusal) throw refusal;
    return this.#parts.breaker.run((isProbe) => this.#exchange(exchange, signal, isProbe));
  }

  async #exchange<A extends { readonly kind: string }>(
    exchange: Exchange<A>,
    signal: AbortSignal,
    isProbe: boolean,
  ): Promise<Exchanged<A>> {
    const sentAtMs = this.#parts.clock.now();
    const startedAtMs = performance.now();
    let response: KindeResponse;
    try {
      response = await this.#parts.http.send(exchange.request, signal);
    } catch (error) {
      const hadItsTime = isProbe || performance.now() - startedAtMs >= this.#parts.timeoutMs / 2;
      throw outageOf(error, signal, hadItsTime);
    }
    const answer = exchange.parse(response);
    if (isThrottled(answer)) throw this.#hold(response);
    if (isOutage(answer)) throw new Outage('kinde', answer.problem, { retryable: answer.retryable });
    return { answer, response, sentAtMs };
  }

  #hold(response: KindeResponse): Outage {
    const nowMs = this.#parts.clock.now();
    const seconds = parseRetryAfterSeconds(response.headers, nowMs);
    this.#sentAgainAtMs = nowMs + Math.min(LONGEST_HOLD_MS, seconds === undefined ? SHORT_HOLD_MS : seconds * 1_000);
    this.#wantedAgainAtMs = nowMs + (seconds ?? DEFAULT_RETRY_AFTER_SECONDS) * 1_000;
    const outage = throttled(seconds);
    this.#parts.onHold(outage);
    return outage;
  }
}

function throttled(retryAfterSeconds: number = DEFAULT_RETRY_AFTER_SECONDS): Outage {
  return new Outage('throttled', 'Kinde asks this service to slow down (429)', { retryAfterSeconds });
}

function outageOf(error: unknown, signal: AbortSignal, hadItsTime: boolean): Outage {
  const reason: unknown = signal.reason;
  if (reason instanceof Outage) {
    return reason.kind === 'deadline' && hadItsTime ? new Outage('kinde', 'Kinde did not answer in time') : reason;
  }
  if (!(error instanceof KindeTransportError)) return new Outage('kinde', 'the call to Kinde failed');
  const retryable = error.reason === 'network' || error.reason === 'cut_short';
  return new Outage('kinde', error.message, { retryable, cause: error });
}

function isThrottled(answer: { readonly kind: string }): answer is ThrottledAnswer {
  return answer.kind === 'throttled';
}

function isOutage(answer: { readonly kind: string }): answer is UnusableAnswer {
  return answer.kind === 'outage';
}
