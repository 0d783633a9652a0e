import { HttpException } from '@nestjs/common';
import type { ApiKeyRefusalCode } from '../api-key/decision.js';

/** The body of an answer that refuses a request. */
export interface ApiKeyRefusalBody {
  readonly statusCode: number;
  /** The status in words. */
  readonly error: string;
  /** One fixed text for each code. */
  readonly message: string;
  /** Stable, for programs. `NOT_FOUND` with the option `hideExistence`. */
  readonly code: ApiKeyRefusalCode | 'NOT_FOUND';
  /** With `INSUFFICIENT_SCOPE`: all the scopes that the route requires, in order. */
  readonly required_scopes?: readonly string[];
  /** With `INSUFFICIENT_SCOPE`, where the route has such a rule: lists of which one scope each is required. */
  readonly required_any_of?: readonly (readonly string[])[];
}

/**
 * What `ApiKeyGuard` throws to refuse a request. The headers of the answer are set on the response before, so an exception filter of the
 * app's own only decides about the body: {@link ApiKeyProblemDetailsFilter} is one.
 */
export class ApiKeyRefusedException extends HttpException {
  /** What the guard decided; with `hideExistence` it stays the true code, while the body says `NOT_FOUND`. */
  readonly code: ApiKeyRefusalCode;

  /** @internal Thrown by `ApiKeyGuard` alone. */
  constructor(code: ApiKeyRefusalCode, body: ApiKeyRefusalBody) {
    super(body, body.statusCode);
    this.name = 'ApiKeyRefusedException';
    this.code = code;
  }

  override getResponse(): ApiKeyRefusalBody {
    return super.getResponse() as ApiKeyRefusalBody;
  }
}

/**
 * @internal A refusal is an answer and no fault: nobody reads its stack, and walking it costs more than all the rest of a refusal. The
 * limit is back before anybody else's code runs. `Reflect.set` does not throw where the intrinsics are frozen; then there is a stack.
 *
 * @returns an exception whose stack is empty
 */
export function refusedWithoutStack(code: ApiKeyRefusalCode, body: ApiKeyRefusalBody): ApiKeyRefusedException {
  const { stackTraceLimit } = Error;
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    return new ApiKeyRefusedException(code, body);
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  }
}
