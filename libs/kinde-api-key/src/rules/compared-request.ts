import type { ExecutionContext } from '@nestjs/common';
import { isDeepStrictEqual } from 'node:util';
import { isObject, type HttpRequest } from './http-request.js';

/** What a resolver finds the organization of a request from. */
export interface ComparedRequest {
  /** Nest makes one for each time that a request reaches a handler. All guards of the handler get it. */
  readonly context: ExecutionContext;
  readonly values: object;
}

/** Copies what a resolver may read, for {@link isUnchanged}. */
export function comparedOf(context: ExecutionContext, request: HttpRequest): ComparedRequest {
  const { url, params, query, headers, body } = request;
  const copies = [params, query, headers, body].map((fields) => (isRecord(fields) ? { ...fields } : fields));
  return { context, values: [url, ...copies] };
}

/** Whether a resolver would find the same organization as before. It differs where an app hands the same request on with other values. */
export function isUnchanged(before: ComparedRequest, context: ExecutionContext, request: HttpRequest): boolean {
  return before.context === context && isDeepStrictEqual(before.values, comparedOf(context, request).values);
}

/** An app may write into a record, so it is copied. A body of bytes, or a list, may have a million fields. */
function isRecord(value: unknown): value is object {
  return isObject(value) && !Array.isArray(value) && !ArrayBuffer.isView(value);
}
