import type { ServerResponse } from 'node:http';

/** The part of a response that Express and Fastify have in common. A test double may have less. */
export interface HttpResponse {
  header(name: string, value: string): unknown;
  getHeader?(name: string): unknown;
  /** Of Express. */
  status?(statusCode: number): unknown;
  /** Of Fastify. */
  code?(statusCode: number): unknown;
  /** Node's response, where the framework wraps it (Fastify). */
  readonly raw?: ServerResponse;
}

/** Returns Node's response behind a framework's one, or `undefined` for a test double without it. */
export function rawResponseOf(response: HttpResponse): ServerResponse | undefined {
  // An app on Express may use the name `raw` for something of its own.
  const raw = typeof response.raw?.writeHead === 'function' ? response.raw : (response as unknown as ServerResponse);
  return typeof raw.writeHead === 'function' ? raw : undefined;
}

/** Whether the head of an answer is written: a time limit of the app may have answered while the guard was waiting. */
export function isHeadWritten(response: HttpResponse): boolean {
  return rawResponseOf(response)?.headersSent === true;
}
