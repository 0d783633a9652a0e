import { HttpException, NotFoundException } from '@nestjs/common';
import type { ApiKeyRefusalCode } from '../api-key/decision.js';
import { isInstanceInAnyCopy } from '../kinde-api-key.errors.js';
import { isObject } from '../rules/http-request.js';

/** The body of an answer that refuses a request. It belongs to its exception alone: a filter may write into it. */
export interface ApiKeyRefusalBody {
  statusCode: number;
  /** The status in words. */
  error: string;
  /** What is wrong, in a sentence that does not depend on the request. */
  message: string;
  /** Stable, for programs to branch on. */
  code: ApiKeyRefusalCode;
  /** What the developer of the client can do about it, in plain sentences. Absent in exceptions of older copies of the library. */
  hint?: string;
  /** With `INSUFFICIENT_SCOPE`: all scopes that the route requires, in order. */
  required_scopes?: string[];
  /** With `INSUFFICIENT_SCOPE`, if the route has such a rule: lists of scopes, of which one each is required. */
  required_any_of?: string[][];
}

/**
 * Thrown by `ApiKeyGuard` to refuse a request. A guard of the app may catch it and let the caller in otherwise: its headers are sent only if the
 * refusal is what answers. An exception filter of the app may answer with another body or another failing status, and the headers are sent with
 * it. {@link ApiKeyProblemDetailsFilter} is one. What the option `hideExistence` hides is Nest's own `NotFoundException` instead.
 */
export class ApiKeyRefusedException extends HttpException {
  /** Code of the guard's decision. */
  readonly code: ApiKeyRefusalCode;
  /** The headers that are sent with the answer, e.g. `WWW-Authenticate`. A filter may change them; a header that it sets itself wins. */
  readonly headers: Record<string, string>;

  /** Constructed by the guard alone. */
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

/** @internal Returns the exception that refuses a request. Its stack names the guard, for monitors and filters that read lines after the first. */
export function refused(
  code: ApiKeyRefusalCode,
  body: ApiKeyRefusalBody,
  headers: Record<string, string>,
): ApiKeyRefusedException {
  return withStack(
    () => new ApiKeyRefusedException(code, body, headers),
    `ApiKeyRefusedException: ${body.message}\n    at ApiKeyGuard.canActivate (nestjs-kinde-api-key)`,
  );
}

/** @internal Returns what Nest throws for a missing route, of the same class and with the same text: no filter can tell the two apart. */
export function hidden(request: unknown): NotFoundException {
  const { raw } = (request ?? {}) as { readonly raw?: unknown };
  const sent = isObject(raw) && 'method' in raw ? raw : request;
  const { method, originalUrl, url } = (sent ?? {}) as Readonly<Record<string, unknown>>;
  const message = `Cannot ${String(method)} ${String(originalUrl ?? url)}`;
  return withStack(
    () => new NotFoundException(message),
    `NotFoundException: ${message}\n    at callback (RoutesResolver)`,
  );
}

/**
 * Makes an exception with a fixed stack, because capturing a stack costs more than the rest of a refusal. The limit is restored before other
 * code runs. With frozen intrinsics `Reflect.set` does not throw, and the stack is captured.
 */
function withStack<Exception extends HttpException>(make: () => Exception, stack: string): Exception {
  const { stackTraceLimit } = Error;
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    const exception = make();
    exception.stack = stack;
    return exception;
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  }
}
