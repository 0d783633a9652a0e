import type { HttpException } from '@nestjs/common';
import type { ApiKeyCredential } from '../config/credential-options.js';
import type { ResolvedGuardOptions } from '../config/resolved-options.js';
import type { AccessRefusal, AccessRule } from '../rules/access-decision.js';
import type { RouteRule } from '../rules/route-rule.js';
import { ANSWERS, KEY_HEADER, type Answer, type AnswerName, type AnswerTexts } from './answers.js';
import { hidden, refused, type ApiKeyRefusalBody } from './api-key-refused.exception.js';

/** An answer, made once and not per request: a flood of refusals must stay cheap. Each exception gets copies. */
interface PreparedAnswer extends Pick<Answer, 'code'> {
  /** The value of `WWW-Authenticate`, or `undefined` for an answer without a challenge. */
  readonly challenge: string | undefined;
  readonly body: Readonly<ApiKeyRefusalBody>;
}

/** What an answer says about one request. Default of `message` and `hint`: the texts of the answer. */
export interface RefusalDetails extends Partial<AnswerTexts> {
  /** Value of `Retry-After`; default: the header is not sent. */
  readonly retryAfterSeconds?: number | undefined;
  /** Headers besides, e.g. `RateLimit`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Where `hideExistence` hides the answer, it says that this request's route is missing. */
  readonly request?: unknown;
}

/** Turns a refusal into the exception that carries its answer: status, headers and body. */
export class RefusalFactory {
  /** The challenge without an error, e.g. `Bearer realm="api"`. */
  readonly #challenge: string;
  readonly #isBearer: boolean;
  /** Where a key belongs, in words. */
  readonly #keyHeader: string;
  /** Whether another organization's data is answered like a missing route. */
  readonly hidesExistence: boolean;
  readonly #answers: Readonly<Record<AnswerName, PreparedAnswer>>;
  readonly #scopeAnswers = new WeakMap<AccessRule, Record<'required' | 'any_of', PreparedAnswer>>();

  constructor(options: Pick<ResolvedGuardOptions, 'credentials' | 'realm' | 'hideExistence'>) {
    this.hidesExistence = options.hideExistence;
    const scheme = options.credentials.find((credential) => credential.scheme !== undefined)?.scheme ?? 'ApiKey';
    this.#isBearer = scheme.toLowerCase() === 'bearer';
    this.#challenge = `${this.#isBearer ? 'Bearer' : scheme} realm="${options.realm}"`;
    this.#keyHeader = `the header ${options.credentials.map(exampleOf).join(' or ')}`;
    const prepared = Object.entries(ANSWERS).map(([name, one]) => [name, this.#prepare(one)]);
    this.#answers = Object.fromEntries(prepared) as Record<AnswerName, PreparedAnswer>;
  }

  /** Returns the exception of an answer, for one request alone: filters and monitors write into exceptions. */
  refuse(name: AnswerName, details: RefusalDetails = {}): HttpException {
    return this.#answer(this.#answers[name], details);
  }

  /** Returns the exception for a key that lacks what a route demands. */
  refuseAccess(refusal: AccessRefusal, { access }: RouteRule, details: RefusalDetails = {}): HttpException {
    if (refusal.code !== 'INSUFFICIENT_SCOPE') return this.refuse(refusal.code, details);
    let answers = this.#scopeAnswers.get(access);
    if (!answers) this.#scopeAnswers.set(access, (answers = this.#prepareScopeAnswers(access)));
    return this.#answer(answers[refusal.lacks], details);
  }

  #answer({ code, challenge, body }: PreparedAnswer, details: RefusalDetails): HttpException {
    if (this.hidesExistence && (code === 'ORG_MISMATCH' || code === 'ORG_REQUIRED')) return hidden(details.request);
    const { retryAfterSeconds } = details;
    const headers: Record<string, string> = { ...details.headers, 'Cache-Control': 'no-store' };
    if (retryAfterSeconds !== undefined) headers['Retry-After'] = String(retryAfterSeconds);
    if (challenge !== undefined) headers['WWW-Authenticate'] = challenge;
    return refused(code, copyOf(body, details), headers);
  }

  #prepare({ code, statusCode, error, challenge, ...texts }: Answer): PreparedAnswer {
    const body: ApiKeyRefusalBody = { statusCode, error, message: this.#fill(texts.message), code };
    if (texts.hint !== undefined) body.hint = this.#fill(texts.hint);
    return { code, challenge: challenge === undefined ? undefined : this.#challengeOf(challenge), body };
  }

  #fill(text: string): string {
    // A function: a header's name may contain "$", which a text would interpret.
    return text.replace(KEY_HEADER, () => this.#keyHeader);
  }

  #prepareScopeAnswers({ requiredScopes, requiredAnyOf }: AccessRule): Record<'required' | 'any_of', PreparedAnswer> {
    const { code, body } = this.#answers.INSUFFICIENT_SCOPE;
    const scopeBody = {
      ...body,
      required_scopes: [...requiredScopes],
      ...(requiredAnyOf.length > 0 && { required_any_of: requiredAnyOf.map((scopes) => [...scopes]) }),
    };
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

function exampleOf({ header, scheme }: ApiKeyCredential): string {
  const name = header === 'authorization' ? 'Authorization' : header;
  return `"${name}: ${scheme === undefined ? '' : `${scheme} `}<API key>"`;
}

function copyOf(body: Readonly<ApiKeyRefusalBody>, { message, hint }: Partial<AnswerTexts>): ApiKeyRefusalBody {
  const copy: ApiKeyRefusalBody = { ...body };
  if (message !== undefined) copy.message = message;
  if (hint !== undefined) copy.hint = hint;
  if (body.required_scopes) copy.required_scopes = [...body.required_scopes];
  if (body.required_any_of) copy.required_any_of = body.required_any_of.map((scopes) => [...scopes]);
  return copy;
}
