import { KindeTransportError, type KindeResponse } from './http.js';

/** An answer of axios, or of a stub in a test, in which anything may be missing. */
interface HttpAnswer {
  readonly status: number;
  readonly headers?: object;
  readonly data?: unknown;
}

/** Returns an answer as the library reads it. @throws {KindeTransportError} if it is not UTF-8 */
export function responseOf({ status, headers: given = {}, data }: HttpAnswer): KindeResponse {
  const headers = plainHeaders(given);
  if (ArrayBuffer.isView(data)) return { status, headers, body: decodeStrictly(data as Uint8Array) };
  // Only a stub answers with anything but bytes.
  if (typeof data === 'string') return { status, headers, body: data };
  headers['content-type'] ??= 'application/json';
  return { status, headers, body: JSON.stringify(data) ?? '' };
}

function plainHeaders(headers: object): Record<string, string> {
  const plain = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string') plain[name.toLowerCase()] = value;
  }
  return plain;
}

function decodeStrictly(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new KindeTransportError('invalid_utf8');
  }
}

/** Takes a word and a code out of axios's error and drops the rest, which holds the request. */
export function transportErrorOf(error: unknown, signal: AbortSignal): KindeTransportError {
  if (signal.aborted) return new KindeTransportError('aborted');
  if (error instanceof KindeTransportError) return error;
  const { message, code, response } = Object(error) as { message?: unknown; code?: unknown; response?: unknown };
  if (typeof message === 'string' && message.startsWith('maxContentLength'))
    return new KindeTransportError('too_large');
  return response === undefined ? new KindeTransportError('network', code) : new KindeTransportError('cut_short');
}
