import { isHeadWritten, rawResponseOf, type HttpResponse } from './http-response.js';

/** Sets headers on an answer of the app. */
export function setHeaders(response: HttpResponse | undefined, headers: Readonly<Record<string, string>> = {}): void {
  if (!response || isHeadWritten(response)) return;
  for (const [name, value] of Object.entries(headers)) response.header(name, value);
}

/**
 * Keeps shared caches from handing one caller's answer to another where a caller may be known by something else than `Authorization`, which they
 * know (RFC 9111 §3.5), e.g. by another header or a session: `Vary` on the headers of keys, and `Cache-Control: private` unless the app has set
 * its own.
 */
export function keepFromSharedCaches(response: HttpResponse | undefined, keyHeaders: readonly string[]): void {
  if (!response || isHeadWritten(response)) return;
  const present = (name: string): unknown => response.getHeader?.(name) ?? rawResponseOf(response)?.getHeader(name);
  if (present('Cache-Control') === undefined) response.header('Cache-Control', 'private');
  const vary = present('Vary') as string | string[] | undefined;
  const known = [vary ?? []].flat().flatMap((field) => field.split(/\s*,\s*/));
  const missing = keyHeaders.filter((name) => !known.some((one) => one === '*' || one.toLowerCase() === name));
  if (missing.length > 0) response.header('Vary', [...known, ...missing].join(', '));
}
