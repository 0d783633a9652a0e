import type { AccessToken } from './token/access-token.js';
import { apiKeyUrl, parseMembership, type MembershipAnswer } from './answers/api-key-details.js';
import type { Deadline } from './limits/deadline.js';
import type { KindeRequest } from './http.js';
import type { Exchange, Exchanged, KindeCaller } from './kinde-caller.js';
import { lateTurn, type Lane, type Admission } from './limits/admission.js';
import { Outage } from './outage.js';
import { withRetries } from './limits/retry.js';
import { parseVerifyAnswer, type TokenRejectedAnswer, type VerdictAnswer } from './answers/verify-answer.js';

/** Whose call it is: its place in the budget, its token, its time. */
export interface CallContext {
  readonly lane: Lane;
  readonly token: AccessToken;
  readonly deadline: Deadline;
}

/** The two calls of Kinde's Management API that a verification needs, each within the outbound budget and with retries where they help. */
export class ManagementApi {
  readonly #caller: KindeCaller;
  readonly #budget: Admission;
  readonly #origin: string;
  readonly #retries: number;

  /**
   * @param caller sends the calls
   * @param budget decides when
   * @param options Kinde's origin, and how often a call is sent again
   */
  constructor(caller: KindeCaller, budget: Admission, options: { readonly origin: string; readonly retries: number }) {
    this.#caller = caller;
    this.#budget = budget;
    this.#origin = options.origin;
    this.#retries = options.retries;
  }

  /**
   * `POST /api/v1/api_keys/verify`
   *
   * @throws {Outage} if there is no answer, or none that can be believed
   */
  verify(rawKey: string, context: CallContext): Promise<Exchanged<VerdictAnswer | TokenRejectedAnswer>> {
    const request: KindeRequest = {
      method: 'POST',
      url: `${this.#origin}/api/v1/api_keys/verify`,
      headers: { ...authorization(context.token), 'content-type': 'application/json' },
      body: JSON.stringify({ api_key: rawKey }),
    };
    return this.#send({ request, parse: parseVerifyAnswer }, context);
  }

  /**
   * `GET /api/v1/api_keys/{key_id}`: does the key belong to the API?
   *
   * @throws {Outage} if there is no answer, or none that can be believed
   */
  async membership(keyId: string, apiId: string, context: CallContext): Promise<MembershipAnswer['result']> {
    const url = apiKeyUrl(this.#origin, keyId);
    if (url === undefined) throw new Outage('kinde', "'key_id' is not an id");
    const request: KindeRequest = { method: 'GET', url, headers: authorization(context.token) };
    const { answer } = await this.#send<MembershipAnswer>(
      { request, parse: (response) => parseMembership(response, keyId, apiId) },
      context,
    );
    return answer.result;
  }

  #send<A extends { readonly kind: string }>(
    exchange: Exchange<A>,
    { lane, deadline }: CallContext,
  ): Promise<Exchanged<A>> {
    return withRetries(this.#retries, deadline, async () => {
      const refusal = this.#caller.refusal();
      if (refusal) throw refusal;
      if (!deadline.hasTimeToAsk())
        throw new Outage('deadline', 'Kinde took so long that there was no time for the next call');
      const leave = await this.#budget.enter(lane, deadline.signal);
      try {
        if (!deadline.hasTimeToAsk()) throw lateTurn();
        return await this.#caller.send(exchange, deadline.signal);
      } finally {
        leave();
      }
    });
  }
}

function authorization(token: AccessToken): { authorization: string } {
  return { authorization: `Bearer ${token.reveal()}` };
}
