import type { AccessRefusal } from '../authorization/decide-access.js';
import type { ResolvedGuardOptions } from '../resolved-options.js';
import { ANSWERS, NOT_FOUND_BODY, type Answer, type AnswerName } from './answers.js';
import { ApiKeyRefusedException, type ApiKeyRefusalBody } from './api-key-refused.exception.js';
import type { HttpResponse } from './http-request.js';
import type { RouteRule } from './route-rule.js';

/** What a single answer adds to its row of the table. */
interface AnswerDetails {
  /** Seconds for `Retry-After`. */
  readonly retryAfterSeconds?: number;
  /** Scopes for the challenge. */
  readonly scope?: readonly string[];
  /** Fields for the body. */
  readonly body?: Partial<ApiKeyRefusalBody>;
}

/** Turns a refusal into the answer: headers on the response, and the exception that carries the body. */
export class RefusalFactory {
  readonly #hideExistence: boolean;
  /** The challenge without an error, e.g. `Bearer realm="api"`. */
  readonly #challenge: string;
  readonly #isBearer: boolean;

  constructor({
    credentials,
    realm,
    hideExistence,
  }: Pick<ResolvedGuardOptions, 'credentials' | 'realm' | 'hideExistence'>) {
    const scheme = credentials.find((credential) => credential.scheme !== undefined)?.scheme ?? 'ApiKey';
    this.#isBearer = scheme.toLowerCase() === 'bearer';
    this.#challenge = `${this.#isBearer ? 'Bearer' : scheme} realm="${realm}"`;
    this.#hideExistence = hideExistence;
  }

  /** @returns the exception of a row of the table, after setting its headers */
  refuse(response: HttpResponse | undefined, name: AnswerName, details: AnswerDetails = {}): ApiKeyRefusedException {
    const row: Answer = ANSWERS[name];
    const { code, statusCode, error, message } = row;
    response?.header('Cache-Control', 'no-store');
    if (this.#hideExistence && (name === 'ORG_MISMATCH' || name === 'ORG_REQUIRED'))
      return new ApiKeyRefusedException(code, NOT_FOUND_BODY);
    if (row.challenge !== undefined)
      response?.header('WWW-Authenticate', this.#challengeOf(row.challenge, details.scope));
    if (details.retryAfterSeconds !== undefined) response?.header('Retry-After', String(details.retryAfterSeconds));
    return new ApiKeyRefusedException(code, { statusCode, error, message, code, ...details.body });
  }

  /** @returns the exception for a key that may not do what the route demands */
  refuseAccess(response: HttpResponse, refusal: AccessRefusal, { access }: RouteRule): ApiKeyRefusedException {
    if (refusal.code !== 'INSUFFICIENT_SCOPE') return this.refuse(response, refusal.code);
    return this.refuse(response, 'INSUFFICIENT_SCOPE', {
      ...(refusal.lacks === 'required' && { scope: access.requiredScopes }),
      body: {
        required_scopes: access.requiredScopes,
        ...(access.requiredAnyOf.length > 0 && { required_any_of: access.requiredAnyOf }),
      },
    });
  }

  /** RFC 6750 §3 for the scheme Bearer; the error attributes are its alone, so another scheme has the realm only. */
  #challengeOf(error: string | null, scope: readonly string[] | undefined): string {
    if (error === null || !this.#isBearer) return this.#challenge;
    return `${this.#challenge}, error="${error}"${scope ? `, scope="${scope.join(' ')}"` : ''}`;
  }
}
