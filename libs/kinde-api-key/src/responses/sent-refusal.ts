import type { ServerResponse } from 'node:http';
import type { ApiKeyRefusedException } from './api-key-refused.exception.js';
import { rawResponseOf, type HttpResponse } from './http-response.js';

/** A refusal that was thrown, and may be caught. */
interface ThrownRefusal {
  readonly exception: ApiKeyRefusedException;
  /** What the response had under the names of the refusal's headers: only what a filter changes afterwards wins over them. */
  readonly before: Readonly<Record<string, unknown>>;
  readonly onSent: () => void;
}

type Thrown = ThrownRefusal[];
type HeaderFields = Record<string, unknown>;

const THROWN = Symbol('nestjs-kinde-api-key:thrown');

/**
 * Puts a refusal's headers on the answer, and calls `onSent`, as soon as the answer is written and only if it is the refusal: if its status
 * says that the request failed, and no guard has let the request through meanwhile. Nest sets the status of a handler's success after the last
 * guard and before the handler, which is how a request is known to have been let through, whatever the handler answers then.
 */
export function whenSent(response: HttpResponse, exception: ApiKeyRefusedException, onSent: () => void): void {
  const raw = rawResponseOf(response);
  if (!raw) {
    for (const [name, value] of Object.entries(exception.headers)) response.header(name, value);
    onSent();
    return;
  }
  const before: HeaderFields = {};
  for (const name in exception.headers) before[name] = response.getHeader?.(name) ?? raw.getHeader(name);
  thrownOn(raw).push({ exception, before, onSent });
}

/** Returns the refusals of a response, watched from the first one on. */
function thrownOn(raw: ServerResponse & { [THROWN]?: Thrown | undefined }): Thrown {
  const known = raw[THROWN];
  if (known) return known;
  const thrown: Thrown = [];
  raw[THROWN] = thrown;
  watchStatus(raw, thrown);
  const writeHead = Reflect.get(raw, 'writeHead') as (...args: unknown[]) => ServerResponse;
  const watched = (statusCode: number, ...args: unknown[]): ServerResponse => {
    // Assigned and not deleted, which is slow. Where another library has wrapped this function meanwhile, it finds no refusal the next time.
    if (Reflect.get(raw, 'writeHead') === watched) raw.writeHead = writeHead as ServerResponse['writeHead'];
    raw[THROWN] = undefined;
    const sent = statusCode < 400 ? undefined : pick(thrown.splice(0), statusCode);
    if (sent) {
      args = withHeaders(raw, sent, args);
      sent.onSent();
    }
    return writeHead.call(raw, statusCode, ...args);
  };
  raw.writeHead = watched as ServerResponse['writeHead'];
  return thrown;
}

/** Forgets the refusals of a response when its status becomes one of success. */
function watchStatus(raw: ServerResponse, thrown: Thrown): void {
  const prototype = Object.getPrototypeOf(raw) as object;
  let { statusCode } = raw;
  Object.defineProperty(raw, 'statusCode', {
    configurable: true,
    enumerable: true,
    get: () => statusCode,
    set: (value: number) => {
      statusCode = value;
      if (value < 400) thrown.length = 0;
      // The response of HTTP/2 has a setter of its own.
      Reflect.set(prototype, 'statusCode', value, raw);
    },
  });
}

/** The last refusal with the status of the answer, else the last one: a filter may have changed the status. */
function pick(thrown: Thrown, statusCode: number): ThrownRefusal | undefined {
  return thrown.findLast(({ exception }) => exception.getStatus() === statusCode) ?? thrown.at(-1);
}

/** Sets the headers of a refusal, and returns the arguments of `writeHead` without older values of theirs. */
function withHeaders(raw: ServerResponse, { exception, before }: ThrownRefusal, args: readonly unknown[]): unknown[] {
  const given = args.at(-1);
  const fields: HeaderFields | undefined =
    typeof given === 'object' && given !== null && !Array.isArray(given) ? { ...given } : undefined;
  for (const [name, value] of Object.entries(exception.headers)) {
    const field = fields && Object.keys(fields).find((key) => key.toLowerCase() === name.toLowerCase());
    const current = (field && fields[field]) ?? raw.getHeader(name);
    if (current !== undefined && current !== before[name]) continue;
    raw.setHeader(name, value);
    if (field) Reflect.deleteProperty(fields, field);
  }
  return fields ? [...args.slice(0, -1), fields] : [...args];
}
