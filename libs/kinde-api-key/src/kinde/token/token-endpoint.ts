import type { Clock } from '../../clock.js';
import type { ResolvedOptions } from '../../config/resolved-options.js';
import { parseMintAnswer, type RefusedAnswer, type TokenAnswer } from '../answers/m2m-answer.js';
import type { KindeRequest, KindeResponse } from '../http.js';
import { Deadline } from '../limits/deadline.js';
import { withRetries } from '../limits/retry.js';
import type { ManagementApi } from '../management-api.js';
import { misconfigured } from '../misconfigured.js';
import { clientClosed } from '../verification-failure.js';
import { AccessToken } from './access-token.js';

/** After Kinde rejected our credentials, it is not asked again for this time, in seconds. */
export const REFUSAL_KEPT_SECONDS = 10;

/** The credentials of the M2M application, and the limits of one mint. */
export type TokenEndpointOptions = Pick<
  ResolvedOptions['kinde'],
  'origin' | 'clientId' | 'clientSecret' | 'audience' | 'timeoutMs' | 'retries'
>;

/** Kinde's token endpoint. Kinde counts every mint and bills it beyond the plan, so `M2mToken` asks as rarely as it can. */
export class TokenEndpoint {
  readonly #api: Pick<ManagementApi, 'send'>;
  readonly #request: KindeRequest;
  readonly #options: Pick<TokenEndpointOptions, 'timeoutMs' | 'retries'>;
  readonly #clock: Clock;
  readonly #deadlines = new Set<Deadline>();
  #closed = false;

  /**
   * @param api sends the calls
   * @param options see {@link TokenEndpointOptions}
   * @param clock for the token's times
   */
  constructor(api: Pick<ManagementApi, 'send'>, options: TokenEndpointOptions, clock: Clock) {
    const { origin, clientId, clientSecret, audience, timeoutMs, retries } = options;
    this.#api = api;
    this.#clock = clock;
    this.#options = { timeoutMs, retries };
    const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, audience };
    this.#request = {
      method: 'POST',
      url: `${origin}/oauth2/token`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
    };
  }

  /**
   * Mints a token. The mint has a deadline of its own, because the callers that wait for it have different ones.
   *
   * @throws {KindeApiKeyMisconfiguredError} if Kinde rejects the credentials
   * @throws {VerificationFailure} if there is no usable answer
   */
  async mint(): Promise<AccessToken> {
    if (this.#closed) throw clientClosed();
    const deadline = new Deadline(this.#options.timeoutMs);
    this.#deadlines.add(deadline);
    const parse = (response: KindeResponse) => parseMintAnswer(response, this.#clock.now());
    const call = { endpoint: 'token', request: this.#request, parse } as const;
    try {
      const { answer, sentAtMs } = await withRetries(this.#options.retries, deadline, () =>
        this.#api.send<TokenAnswer | RefusedAnswer>(call, deadline.signal),
      );
      if (answer.kind === 'refused') throw misconfigured(answer.error, REFUSAL_KEPT_SECONDS);
      return new AccessToken(answer.accessToken, sentAtMs, answer.lifeMs);
    } finally {
      deadline.clear();
      this.#deadlines.delete(deadline);
    }
  }

  /** Aborts mints in flight, and rejects every later one. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const deadline of this.#deadlines) deadline.cancel(clientClosed());
  }
}
