import type { ResolvedGuardOptions } from '../config/resolved-options.js';
import type { AccessRefusal, AccessRule } from '../rules/access-decision.js';
import type { RouteRule } from '../rules/route-rule.js';
import { ANSWERS, NOT_FOUND_BODY, type Answer, type AnswerName } from './answers.js';
import {
  refusedWithoutStack,
  type ApiKeyRefusalBody,
  type ApiKeyRefusedException,
} from './api-key-refused.exception.js';
import type { HttpResponse } from './http-response.js';

/** An answer as sent, made once and not per request: a flood of refusals must stay cheap. */
interface PreparedAnswer extends Pick<Answer, 'code'> {
  /** The value of `WWW-Authenticate`, or `undefined` for an answer without a challenge. */
  readonly challenge: string | undefined;
  /** Frozen, because all exceptions with this answer share it. */
  readonly body: ApiKeyRefusalBody;
}

/** Turns a refusal into its answer: headers on the response, and the exception that carries the body. */
export class RefusalFactory {
  /** The challenge without an error, e.g. `Bearer realm="api"`. */
  readonly #challenge: string;
  readonly #isBearer: boolean;
  readonly #answers: Readonly<Record<AnswerName, PreparedAnswer>>;
  readonly #scopeAnswers = new WeakMap<AccessRule, Record<'required' | 'any_of', PreparedAnswer>>();

  constructor(options: Pick<ResolvedGuardOptions, 'credentials' | 'realm' | 'hideExistence'>) {
    const scheme = options.credentials.find((credential) => credential.scheme !== undefined)?.scheme ?? 'ApiKey';
    this.#isBearer = scheme.toLowerCase() === 'bearer';
    this.#challenge = `${this.#isBearer ? 'Bearer' : scheme} realm="${options.realm}"`;
    const prepared = Object.entries(ANSWERS).map(([name, one]) => [name, this.#prepare(one, options.hideExistence)]);
    this.#answers = Object.fromEntries(prepared) as Record<AnswerName, PreparedAnswer>;
  }

  /**
   * Sets the headers of an answer and returns its exception.
   *
   * @param response absent outside HTTP: then only the exception is made
   * @param details.retryAfterSeconds value of `Retry-After`; default: the header is not sent
   */
  refuse(
    response: HttpResponse | undefined,
    name: AnswerName,
    { retryAfterSeconds }: { readonly retryAfterSeconds?: number | undefined } = {},
  ): ApiKeyRefusedException {
    if (retryAfterSeconds !== undefined) response?.header('Retry-After', String(retryAfterSeconds));
    return answer(response, this.#answers[name]);
  }

  /** Sets the headers and returns the exception for a key that lacks what a route demands. */
  refuseAccess(response: HttpResponse, refusal: AccessRefusal, { access }: RouteRule): ApiKeyRefusedException {
    if (refusal.code !== 'INSUFFICIENT_SCOPE') return this.refuse(response, refusal.code);
    let answers = this.#scopeAnswers.get(access);
    if (!answers) this.#scopeAnswers.set(access, (answers = this.#prepareScopeAnswers(access)));
    return answer(response, answers[refusal.lacks]);
  }

  #prepare({ code, statusCode, error, message, challenge }: Answer, hidesExistence: boolean): PreparedAnswer {
    if (hidesExistence && (code === 'ORG_MISMATCH' || code === 'ORG_REQUIRED'))
      return { code, challenge: undefined, body: NOT_FOUND_BODY };
    return {
      code,
      challenge: challenge === undefined ? undefined : this.#challengeOf(challenge),
      body: Object.freeze({ statusCode, error, message, code }),
    };
  }

  #prepareScopeAnswers({ requiredScopes, requiredAnyOf }: AccessRule): Record<'required' | 'any_of', PreparedAnswer> {
    const { code, body } = this.#answers.INSUFFICIENT_SCOPE;
    const scopeBody = Object.freeze({
      ...body,
      required_scopes: Object.freeze([...requiredScopes]),
      ...(requiredAnyOf.length > 0 && {
        required_any_of: Object.freeze(requiredAnyOf.map((scopes) => Object.freeze([...scopes]))),
      }),
    });
    return {
      required: { code, challenge: this.#challengeOf('insufficient_scope', requiredScopes), body: scopeBody },
      any_of: { code, challenge: this.#challengeOf('insufficient_scope'), body: scopeBody },
    };
  }

  /** Returns a challenge of RFC 6750 §3. Its error attributes are defined for the scheme Bearer only, so others have the realm alone. */
  #challengeOf(error: string | null, scope?: readonly string[]): string {
    if (error === null || !this.#isBearer) return this.#challenge;
    return `${this.#challenge}, error="${error}"${scope ? `, scope="${scope.join(' ')}"` : ''}`;
  }
}

/** Sets the headers and makes an exception for this request alone, because filters and monitors mark exceptions. */
function answer(response: HttpResponse | undefined, { code, challenge, body }: PreparedAnswer): ApiKeyRefusedException {
  response?.header('Cache-Control', 'no-store');
  if (challenge !== undefined) response?.header('WWW-Authenticate', challenge);
  return refusedWithoutStack(code, body);
}
