import { HttpException } from '@nestjs/common';
import type { ApiKeyRefusalCode } from '../api-key/decision.js';
import { isInstanceInAnyCopy } from '../kinde-api-key.errors.js';

/** The body of an answer that refuses a request. It belongs to its exception alone: a filter may write into it. */
export interface ApiKeyRefusalBody {
  statusCode: number;
  /** The status in words. */
  error: string;
  /** One fixed text for each code. With the option `hideExistence`: that of a missing route. */
  message: string;
  /** Stable, for programs to branch on. Absent where the option `hideExistence` hides it. */
  code?: ApiKeyRefusalCode;
  /** With `INSUFFICIENT_SCOPE`: all scopes that the route requires, in order. */
  required_scopes?: string[];
  /** With `INSUFFICIENT_SCOPE`, if the route has such a rule: lists of scopes, of which one each is required. */
  required_any_of?: string[][];
}

/**
 * Thrown by `ApiKeyGuard` to refuse a request. A guard of the app may catch it and let the caller in otherwise: its headers are sent only if the
 * refusal is what answers. An exception filter of the app may answer with another body or another failing status, and the headers are sent with
 * it. {@link ApiKeyProblemDetailsFilter} is one.
 */
export class ApiKeyRefusedException extends HttpException {
  /** Code of the guard's decision. With `hideExistence` it stays the true code, while the body does not disclose it. */
  readonly code: ApiKeyRefusalCode;
  /** The headers that are sent with the answer, e.g. `WWW-Authenticate`. A filter may change them; a header that it sets itself wins. */
  readonly headers: Record<string, string>;

  /** @internal Constructed by the guard alone. */
  constructor(code: ApiKeyRefusalCode, body: ApiKeyRefusalBody, headers: Record<string, string> = {}) {
    super(body, body.statusCode);
    this.name = 'ApiKeyRefusedException';
    this.code = code;
    this.headers = headers;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isInstanceInAnyCopy(this, value, this === ApiKeyRefusedException ? ['ApiKeyRefusedException'] : []);
  }

  override getResponse(): ApiKeyRefusalBody {
    return super.getResponse() as ApiKeyRefusalBody;
  }
}

/**
 * @internal Returns an exception whose stack names the guard, because capturing a stack costs more than the rest of a refusal. The limit is
 * restored before other code runs. With frozen intrinsics `Reflect.set` does not throw, and the stack is captured.
 */
export function refused(
  code: ApiKeyRefusalCode,
  body: ApiKeyRefusalBody,
  headers: Record<string, string>,
): ApiKeyRefusedException {
  const { stackTraceLimit } = Error;
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    const exception = new ApiKeyRefusedException(code, body, headers);
    // Monitors and filters read lines after the first.
    exception.stack = `ApiKeyRefusedException: ${body.message}\n    at ApiKeyGuard.canActivate (nestjs-kinde-api-key)`;
    return exception;
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  }
}
