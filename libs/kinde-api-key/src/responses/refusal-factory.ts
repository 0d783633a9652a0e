import type { AccessRule } from '../rules/access-rule.js';
import type { AccessRefusal } from '../rules/access-decision.js';
import type { ResolvedGuardOptions } from '../config/resolved-options.js';
import { ANSWERS, NOT_FOUND_BODY, type Answer, type AnswerName } from './answers.js';
import {
  refusedWithoutStack,
  type ApiKeyRefusalBody,
  type ApiKeyRefusedException,
} from './api-key-refused.exception.js';
import type { HttpResponse } from './http-response.js';
import type { RouteRule } from '../rules/route-rule.js';

/** What a single answer adds to its row of the table. */
interface AnswerDetails {
  /** Seconds for `Retry-After`. */
  readonly retryAfterSeconds?: number;
}

/** An answer as it is sent, made once: floods of refusals are what a guard must be good at. */
interface PreparedAnswer {
  readonly code: Answer['code'];
  /** The value of `WWW-Authenticate`, or `undefined` for an answer without a challenge. */
  readonly challenge: string | undefined;
  /** Shared by all exceptions that carry it, and so frozen. */
  readonly body: ApiKeyRefusalBody;
}

/** Turns a refusal into the answer: headers on the response, and the exception that carries the body. */
export class RefusalFactory {
  readonly #hideExistence: boolean;
  /** The challenge without an error, e.g. `Bearer realm="api"`. */
  readonly #challenge: string;
  readonly #isBearer: boolean;
  readonly #answers: Readonly<Record<AnswerName, PreparedAnswer>>;
  readonly #scopeAnswers = new WeakMap<AccessRule, Record<'required' | 'any_of', PreparedAnswer>>();

  constructor({
    credentials,
    realm,
    hideExistence,
  }: Pick<ResolvedGuardOptions, 'credentials' | 'realm' | 'hideExistence'>) {
    const scheme = credentials.find((credential) => credential.scheme !== undefined)?.scheme ?? 'ApiKey';
    this.#isBearer = scheme.toLowerCase() === 'bearer';
    this.#challenge = `${this.#isBearer ? 'Bearer' : scheme} realm="${realm}"`;
    this.#hideExistence = hideExistence;
    const names = Object.keys(ANSWERS) as AnswerName[];
    this.#answers = Object.fromEntries(names.map((name) => [name, this.#prepare(name)])) as Record<
      AnswerName,
      PreparedAnswer
    >;
  }

  /** @returns the exception of a row of the table, after setting its headers */
  refuse(response: HttpResponse | undefined, name: AnswerName, details?: AnswerDetails): ApiKeyRefusedException {
    if (details?.retryAfterSeconds !== undefined) response?.header('Retry-After', String(details.retryAfterSeconds));
    return answer(response, this.#answers[name]);
  }

  /** @returns the exception for a key that may not do what the route demands */
  refuseAccess(response: HttpResponse, refusal: AccessRefusal, { access }: RouteRule): ApiKeyRefusedException {
    if (refusal.code !== 'INSUFFICIENT_SCOPE') return this.refuse(response, refusal.code);
    let answers = this.#scopeAnswers.get(access);
    if (!answers) this.#scopeAnswers.set(access, (answers = this.#prepareScopeAnswers(access)));
    return answer(response, answers[refusal.lacks]);
  }

  #prepare(name: AnswerName): PreparedAnswer {
    const { code, statusCode, error, message, challenge }: Answer = ANSWERS[name];
    if (this.#hideExistence && (name === 'ORG_MISMATCH' || name === 'ORG_REQUIRED'))
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

  /** RFC 6750 §3 for the scheme Bearer; the error attributes are its alone, so another scheme has the realm only. */
  #challengeOf(error: string | null, scope?: readonly string[]): string {
    if (error === null || !this.#isBearer) return this.#challenge;
    return `${this.#challenge}, error="${error}"${scope ? `, scope="${scope.join(' ')}"` : ''}`;
  }
}

/** Sets the headers and makes the exception: one of its own for each request, because filters and monitors mark them. */
function answer(response: HttpResponse | undefined, { code, challenge, body }: PreparedAnswer): ApiKeyRefusedException {
  response?.header('Cache-Control', 'no-store');
  if (challenge !== undefined) response?.header('WWW-Authenticate', challenge);
  return refusedWithoutStack(code, body);
}
