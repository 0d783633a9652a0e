import type { HttpRequest } from './http-request.js';

/** What a resolver finds the organization of a request from. */
export interface ComparedRequest extends Pick<HttpRequest, 'url' | 'body' | 'headers'> {
  /** A copy: an app may write into the request's own. */
  readonly params: Readonly<Record<string, unknown>>;
}

export function comparedOf({ url, params, body, headers }: HttpRequest): ComparedRequest {
  return { url, body, headers, params: { ...(params as object | undefined) } };
}

/** Whether a resolver would find the same organization as before. It differs where an app hands the same request on with other parameters. */
export function isUnchanged(before: ComparedRequest, request: HttpRequest): boolean {
  const { url, body, headers, params } = comparedOf(request);
  if (before.url !== url || before.body !== body || before.headers !== headers) return false;
  return Object.keys({ ...params, ...before.params }).every((name) => params[name] === before.params[name]);
}
