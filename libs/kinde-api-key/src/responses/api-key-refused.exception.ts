import { HttpException } from '@nestjs/common';
import type { ApiKeyRefusalCode } from '../api-key/decision.js';
import { isInstanceInAnyCopy } from '../kinde-api-key.errors.js';

/** The body of an answer that refuses a request. */
export interface ApiKeyRefusalBody {
  readonly statusCode: number;
  /** The status in words. */
  readonly error: string;
  /** One fixed text for each code. */
  readonly message: string;
  /** Stable, for programs to branch on. `NOT_FOUND` with the option `hideExistence`. */
  readonly code: ApiKeyRefusalCode | 'NOT_FOUND';
  /** With `INSUFFICIENT_SCOPE`: all scopes that the route requires, in order. */
  readonly required_scopes?: readonly string[];
  /** With `INSUFFICIENT_SCOPE`, if the route has such a rule: lists of scopes, of which one each is required. */
  readonly required_any_of?: readonly (readonly string[])[];
}

/**
 * Thrown by `ApiKeyGuard` to refuse a request. The answer's headers are set on the response before, so an exception filter of the app only
 * decides about the body. {@link ApiKeyProblemDetailsFilter} is one.
 */
export class ApiKeyRefusedException extends HttpException {
  /** Code of the guard's decision. With `hideExistence` it stays the true code, while the body says `NOT_FOUND`. */
  readonly code: ApiKeyRefusalCode;

  /** @internal Constructed by the guard alone. */
  constructor(code: ApiKeyRefusalCode, body: ApiKeyRefusalBody) {
    super(body, body.statusCode);
    this.name = 'ApiKeyRefusedException';
    this.code = code;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isInstanceInAnyCopy(this, value, this === ApiKeyRefusedException ? ['ApiKeyRefusedException'] : []);
  }

  override getResponse(): ApiKeyRefusalBody {
    return super.getResponse() as ApiKeyRefusalBody;
  }
}

/**
 * @internal Returns an exception with an empty stack, because capturing a stack costs more than the rest of a refusal. The limit is restored
 * before other code runs. With frozen intrinsics `Reflect.set` does not throw, and the exception has a stack.
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
