import type { Clock } from '../../clock.js';
import type { ResolvedOptions } from '../../config/resolved-options.js';
import { parseMintAnswer } from '../answers/m2m-answer.js';
import type { KindeRequest, KindeResponse } from '../http.js';
import type { Deadlines } from '../limits/deadline.js';
import { withRetries } from '../limits/retry.js';
import type { ManagementApi } from '../management-api.js';
import { misconfigured } from '../misconfigured.js';
import { AccessToken } from './access-token.js';
import { UnusableMint } from './unusable-mint.js';

/** After Kinde rejected our credentials, it is not asked again for this time, in seconds. */
export const REFUSAL_KEPT_SECONDS = 10;

/** Kinde's token endpoint. Kinde counts every mint and bills it beyond the plan, so `M2mToken` asks as rarely as it can. */
export class TokenEndpoint {
  /** Its body holds the client secret. */
  readonly #request: KindeRequest;
  readonly #retries: number;

  constructor(
    private readonly api: Pick<ManagementApi, 'send'>,
    private readonly deadlines: Deadlines,
    private readonly clock: Clock,
    options: Pick<ResolvedOptions['kinde'], 'origin' | 'clientId' | 'clientSecret' | 'audience' | 'retries'>,
  ) {
    const { origin, clientId, clientSecret, audience } = options;
    const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, audience };
    this.#retries = options.retries;
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
   * @throws {UnusableMint} if Kinde issued a token that cannot be used
   * @throws {VerificationFailure} if there is no usable answer
   */
  async mint(): Promise<AccessToken> {
    const parse = (response: KindeResponse) => parseMintAnswer(response, this.clock.now());
    const call = { endpoint: 'token', request: this.#request, parse } as const;
    const { answer, sentAtMs } = await this.deadlines.run((deadline) =>
      withRetries(this.#retries, deadline, () => this.api.send(call, deadline.signal)),
    );
    if (answer.kind === 'refused') throw misconfigured(answer.error, REFUSAL_KEPT_SECONDS);
    if (answer.kind === 'unusable') throw new UnusableMint(answer.problem);
    return new AccessToken(answer.accessToken, sentAtMs, answer.lifeMs);
  }
}
