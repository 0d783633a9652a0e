import { parseRetryAfterSeconds } from '../kinde/answers/retry-after.js';
import { bringsNothing, type NoAnswer } from '../kinde/answers/wire.js';
import { KindeTransportError, type KindeRequest, type KindeResponse } from '../kinde/http.js';
import type { KindeConnection } from '../kinde/kinde-connection.js';
import { Deadlines } from '../kinde/limits/deadline.js';
import { VerificationFailure } from '../kinde/verification-failure.js';

/** An answer, and when the request for it was sent. */
export interface Answered<Answer> {
  readonly answer: Exclude<Answer, NoAnswer>;
  /** In milliseconds since the epoch. Ages count from then. */
  readonly sentAtMs: number;
}

/** Sends calls that need no M2M token, each once and within the deadline of the connection. */
export class KindeCalls {
  readonly #connection: KindeConnection;
  readonly #deadlines: Deadlines;

  constructor(connection: KindeConnection) {
    this.#connection = connection;
    this.#deadlines = new Deadlines(connection.timeoutMs);
  }

  /** @throws {VerificationFailure} if there is no usable answer, with the time to wait for one. `parse` must not throw */
  send<Answer extends { readonly kind: string }>(
    request: KindeRequest,
    parse: (response: KindeResponse) => Answer,
  ): Promise<Answered<Answer>> {
    return this.#deadlines.run(({ signal }) => this.#send(request, parse, signal));
  }

  async #send<Answer extends { readonly kind: string }>(
    request: KindeRequest,
    parse: (response: KindeResponse) => Answer,
    signal: AbortSignal,
  ): Promise<Answered<Answer>> {
    const { clock, http } = this.#connection;
    const sentAtMs = clock.now();
    const response = await http.send(request, signal).catch((error: unknown) => {
      throw failureOf(error, signal);
    });
    const answer = parse(response);
    if (!bringsNothing(answer)) return { answer: answer as Exclude<Answer, NoAnswer>, sentAtMs };
    const retryAfterSeconds = parseRetryAfterSeconds(response.headers, clock.now());
    const options = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
    throw answer.kind === 'throttled'
      ? new VerificationFailure('throttled', 'Kinde asks this service to slow down (429)', options)
      : new VerificationFailure('kinde', answer.problem, options);
  }
}

function failureOf(error: unknown, signal: AbortSignal): VerificationFailure {
  const reason: unknown = signal.reason;
  // An event loop that stood still says nothing about Kinde.
  if (reason instanceof VerificationFailure && reason.kind === 'stalled') return reason;
  if (signal.aborted) return new VerificationFailure('deadline', 'Kinde did not answer in time (kinde.timeoutMs)');
  if (!(error instanceof KindeTransportError)) return new VerificationFailure('kinde', 'the call to Kinde failed');
  return new VerificationFailure('kinde', error.message, { cause: error });
}
