import type { RawKey } from '../api-key/raw-key.js';
import { KindeTokenExchangeError, type KindeTokenExchangeErrorCode } from '../kinde-api-key.errors.js';
import { parseMintAnswer, type OAuthRefusal } from '../kinde/answers/m2m-answer.js';
import type { KindeRequest, KindeResponse } from '../kinde/http.js';
import type { KindeConnection } from '../kinde/kinde-connection.js';
import { AccessToken } from '../kinde/token/access-token.js';
import { VerificationFailure } from '../kinde/verification-failure.js';
import { KindeCalls } from './kinde-calls.js';

/** Lifetime of a token that states none, in milliseconds: an hour, as Kinde's troubleshooting page takes it. */
const UNSTATED_LIFE_MS = 3_600_000;

/** What to do, by OAuth error. Kinde's own description is never repeated: it may echo the key. */
const CURES: Readonly<Record<OAuthRefusal, readonly [KindeTokenExchangeErrorCode, string]>> = {
  invalid_client: [
    'INVALID_CLIENT',
    'Kinde does not know the API key (invalid_client): it is wrong, rotated, revoked or not active. ' +
      'Check it in Kinde > (the organization or user) > API keys',
  ],
  unauthorized_client: [
    'UNAUTHORIZED_CLIENT',
    'The API key may not be exchanged for a token (unauthorized_client). Check in Kinde > Settings > APIs which API it belongs to',
  ],
  invalid_scope: [
    'INVALID_SCOPE',
    'A scope does not exist or was not granted to the API key (invalid_scope). Compare its name with Kinde > Settings > APIs > Scopes. ' +
      'Scopes of a key cannot be changed: create another key',
  ],
  invalid_request: [
    'INVALID_REQUEST',
    'Kinde does not understand the exchange (invalid_request). Since May 2026 its pages show the client credentials of an M2M application ' +
      'instead of an API key: your Kinde environment may not offer the exchange',
  ],
};

/** Returns the error for an OAuth error of Kinde. */
export function exchangeError(refusal: OAuthRefusal): KindeTokenExchangeError {
  return new KindeTokenExchangeError(...CURES[refusal]);
}

/** The call that exchanges an API key for an access token: `POST /oauth2/token` with the key as the bearer. */
export class TokenExchangeCall {
  readonly #connection: KindeConnection;
  readonly #calls: KindeCalls;

  constructor(connection: KindeConnection) {
    this.#connection = connection;
    this.#calls = new KindeCalls(connection);
  }

  /**
   * @returns the token, or the OAuth error with which Kinde refuses it
   * @throws {VerificationFailure} if there is no usable answer
   */
  async send(key: RawKey, scope: string): Promise<AccessToken | OAuthRefusal> {
    const { origin, clock } = this.#connection;
    const request: KindeRequest = {
      method: 'POST',
      url: `${origin}/oauth2/token`,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Bearer ${key.reveal()}`,
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope }).toString(),
    };
    const parse = (response: KindeResponse) => parseMintAnswer(response, clock.now(), UNSTATED_LIFE_MS);
    const { answer, sentAtMs } = await this.#calls.send(request, parse);
    if (answer.kind === 'refused') return answer.error;
    if (answer.kind === 'unusable') throw new VerificationFailure('kinde', 'Kinde issued a token that cannot be used');
    const token = new AccessToken(answer.accessToken, sentAtMs, answer.lifeMs);
    if (clock.now() < token.usableUntilMs) return token;
    throw new VerificationFailure('kinde', 'the token had expired when it arrived');
  }
}
