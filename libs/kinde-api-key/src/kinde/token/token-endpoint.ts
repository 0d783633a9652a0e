import type { Clock } from '../../clock.js';
import { AccessToken } from './access-token.js';
import { Deadline } from '../limits/deadline.js';
import type { KindeRequest } from '../http.js';
import type { KindeCaller } from '../kinde-caller.js';
import { parseMintAnswer, type RefusedAnswer, type TokenAnswer } from '../answers/m2m-answer.js';
import { misconfigured } from '../misconfigured.js';
import { Outage } from '../outage.js';
import { withRetries } from '../limits/retry.js';

/** How long a refusal of our credentials is believed without asking again, in seconds. */
export const REFUSAL_REMEMBERED_SECONDS = 10;

/** Who asks for a token, for what, and how long that may take. */
export interface TokenEndpointOptions {
  readonly origin: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly audience: string;
  /** Deadline of one mint in milliseconds, retries included. */
  readonly timeoutMs: number;
  readonly retries: number;
}

/** Kinde's token endpoint. Every token that it mints is counted, and billed beyond the plan: `M2mToken` asks as seldom as it can. */
export class TokenEndpoint {
  readonly #caller: KindeCaller;
  readonly #request: KindeRequest;
  readonly #options: Pick<TokenEndpointOptions, 'timeoutMs' | 'retries'>;
  readonly #clock: Clock;
  readonly #deadlines = new Set<Deadline>();
  #closed = false;

  /**
   * @param caller sends the calls
   * @param options see {@link TokenEndpointOptions}
   * @param clock for the token's times
   */
  constructor(caller: KindeCaller, options: TokenEndpointOptions, clock: Clock) {
    this.#caller = caller;
    this.#clock = clock;
    this.#options = { timeoutMs: options.timeoutMs, retries: options.retries };
    const { origin, clientId, clientSecret, audience } = options;
    const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, audience };
    this.#request = {
      method: 'POST',
      url: `${origin}/oauth2/token`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
    };
  }

  /**
   * Mints a token. It has a deadline of its own, because those who wait for it come and go.
   *
   * @throws {KindeApiKeyMisconfiguredError} if Kinde refuses the credentials
   * @throws {Outage} if there is no answer, or none that can be believed
   */
  async mint(): Promise<AccessToken> {
    if (this.#closed) throw closed();
    const deadline = new Deadline(this.#options.timeoutMs);
    this.#deadlines.add(deadline);
    try {
      const { answer, sentAtMs } = await withRetries(this.#options.retries, deadline, () =>
        this.#caller.send<TokenAnswer | RefusedAnswer>(
          { request: this.#request, parse: (response) => parseMintAnswer(response, this.#clock.now()) },
          deadline.signal,
        ),
      );
      if (answer.kind === 'refused') throw misconfigured(answer.error, REFUSAL_REMEMBERED_SECONDS);
      return new AccessToken(answer.accessToken, sentAtMs, answer.lifeMs);
    } finally {
      deadline.clear();
      this.#deadlines.delete(deadline);
    }
  }

  /** Gives up what is under way, and refuses everything from now on. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const deadline of this.#deadlines) deadline.cancel(closed());
  }
}

/** @returns what callers get from a client that was closed */
export function closed(): Outage {
  return new Outage('closed', 'the app is shutting down');
}
