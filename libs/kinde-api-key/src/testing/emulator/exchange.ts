import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';

/** Maximum size of a request body in bytes (1 MiB). A longer one is answered with 413. */
export const MAX_REQUEST_BYTES = 1_048_576;

/** A complete request. Only its URL is parsed. */
export interface EmulatorRequest {
  readonly method: string;
  /** As sent, with the query string. */
  readonly url: string;
  /** Without the query string, not decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** An endpoint's answer. A value, so that a fault can delay, cut or discard it. */
export interface EmulatorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** Creates an answer with `value` as its JSON body. */
export function jsonAnswer(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): EmulatorAnswer {
  const body = JSON.stringify(value);
  return { status, headers: { 'content-type': 'application/json; charset=utf-8', ...headers }, body };
}

/** Splits a request target into path and query. Never throws. */
export function splitTarget(url: string): { readonly path: string; readonly query: URLSearchParams } {
  const mark = url.indexOf('?');
  if (mark < 0) return { path: url, query: new URLSearchParams() };
  return { path: url.slice(0, mark), query: new URLSearchParams(url.slice(mark + 1)) };
}

/** Returns the media type of a request, in lower case and without parameters, or `''`. */
export function mediaTypeOf(headers: IncomingHttpHeaders): string {
  return (headers['content-type']?.split(';', 1)[0] ?? '').trim().toLowerCase();
}

/**
 * Reads a body to its end, and drops bytes beyond the limit. A client that is still sending would not read an answer.
 *
 * @returns The bytes, or `'too_large'` beyond {@link MAX_REQUEST_BYTES}, or `'aborted'` if the client disconnected.
 */
export function readBody(message: IncomingMessage): Promise<Buffer | 'too_large' | 'aborted'> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    message.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_REQUEST_BYTES) chunks.push(chunk);
    });
    message.once('end', () => resolve(size > MAX_REQUEST_BYTES ? 'too_large' : Buffer.concat(chunks)));
    message.once('error', () => resolve('aborted'));
    message.once('close', () => resolve('aborted'));
  });
}

/** Sends an answer with its length. Does nothing if the client has disconnected or was answered already. */
export function sendAnswer(response: ServerResponse, answer: EmulatorAnswer): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(answer.status, { ...answer.headers, 'content-length': Buffer.byteLength(answer.body) });
  response.end(answer.body);
}
