import type { ServerResponse } from 'node:http';
import type { HttpException } from '@nestjs/common';
import { ApiKeyRefusedException } from './api-key-refused.exception.js';
import { rawResponseOf, type HttpResponse } from './http-response.js';

/** A refusal that was thrown, and may be caught. */
interface ThrownRefusal {
  readonly exception: HttpException;
  readonly headers: Readonly<Record<string, string>>;
  /** What the response had under the names of the refusal's headers, if anything: what a filter sets afterwards wins over the refusal's. */
  readonly before: HeaderFields | undefined;
  readonly onSent: (() => void) | undefined;
}

type Thrown = ThrownRefusal[];
type HeaderFields = Record<string, unknown>;

/** The refusals of each response. A property would be seen by the app, and takes a microsecond on one of Express's. */
const THROWN = new WeakMap<ServerResponse, Thrown>();

/**
 * Puts a refusal's headers on the answer, and calls `onSent`, when the head of the answer is written and only if the refusal is the answer: if
 * its status says that the request failed, and no guard has let the request through meanwhile. Nest sets the status of a handler's success after
 * the last guard and before the handler, which is how a request is known to have been let through, whatever the handler answers then.
 */
export function whenSent(response: HttpResponse, exception: HttpException, onSent?: () => void): void {
  // What hideExistence hides has the headers of a missing route: none.
  const headers = exception instanceof ApiKeyRefusedException ? exception.headers : {};
  const raw = rawResponseOf(response);
  if (!raw) {
    for (const [name, value] of Object.entries(headers)) response.header(name, value);
    onSent?.();
    return;
  }
  const thrown = thrownOn(raw, response);
  if (onSent && !thrown.some((other) => other.onSent)) settleAtEnd(raw, thrown);
  thrown.push({ exception, headers, before: presentOf(response, raw, headers), onSent });
}

function presentOf(
  response: HttpResponse,
  raw: ServerResponse,
  headers: Readonly<Record<string, string>>,
): HeaderFields | undefined {
  let present: HeaderFields | undefined;
  for (const name in headers) {
    const value = response.getHeader ? response.getHeader(name) : raw.getHeader(name);
    if (value !== undefined) (present ??= {})[name] = value;
  }
  return present;
}

/** Returns the refusals of a response, watched from the first one on. */
function thrownOn(raw: ServerResponse, response: HttpResponse): Thrown {
  const known = THROWN.get(raw);
  if (known) return known;
  const thrown: Thrown = [];
  THROWN.set(raw, thrown);
  // An app on Express may use the name `code` for something of its own.
  forgetOnSuccess(response, (response as unknown) === raw ? 'status' : 'code', thrown);
  const writeHead = Reflect.get(raw, 'writeHead') as (...args: unknown[]) => ServerResponse;
  raw.writeHead = ((statusCode: number, ...args: unknown[]): ServerResponse => {
    const sent = settle(thrown, statusCode);
    return writeHead.call(raw, statusCode, ...(sent ? withHeaders(raw, sent, args) : args));
  }) as ServerResponse['writeHead'];
  return thrown;
}

/** Node writes no head to a client that has gone: its refused key counts all the same. */
function settleAtEnd(raw: ServerResponse, thrown: Thrown): void {
  const end = Reflect.get(raw, 'end') as (...args: unknown[]) => ServerResponse;
  raw.end = ((...args: unknown[]): ServerResponse => {
    const ended = end.apply(raw, args);
    settle(thrown, raw.statusCode);
    return ended;
  }) as ServerResponse['end'];
}

/** Reports the refusal that is the answer, if one is, and returns it. */
function settle(thrown: Thrown, statusCode: number): ThrownRefusal | undefined {
  const sent = statusCode < 400 ? undefined : pick(thrown, statusCode);
  thrown.length = 0;
  sent?.onSent?.();
  return sent;
}

/** Watches the method by which Nest sets the status: `code` of Fastify's reply, `status` of Express's response. An accessor takes 3 µs. */
function forgetOnSuccess(response: HttpResponse, name: 'code' | 'status', thrown: Thrown): void {
  const setStatus = response[name];
  if (!setStatus) return;
  response[name] = (statusCode) => {
    if (statusCode < 400) thrown.length = 0;
    return setStatus.call(response, statusCode);
  };
}

/** The last refusal with the status of the answer, else the last one: a filter may have changed the status. */
function pick(thrown: Thrown, statusCode: number): ThrownRefusal | undefined {
  return thrown.findLast(({ exception }) => exception.getStatus() === statusCode) ?? thrown.at(-1);
}

/**
 * Sets the headers of a refusal on the response. What is passed to `writeHead` (Fastify passes all headers) wins over them, as a filter's own
 * header should, but for what was there before the refusal.
 */
function withHeaders(raw: ServerResponse, { headers, before }: ThrownRefusal, args: unknown[]): unknown[] {
  for (const name in headers) {
    const [current, value] = [raw.getHeader(name), headers[name]];
    // A filter in JavaScript may have taken a header away by `undefined`, which Node does not send.
    if (value !== undefined && (current === undefined || current === before?.[name])) raw.setHeader(name, value);
  }
  const given = args.at(-1);
  if (!before || typeof given !== 'object' || given === null || Array.isArray(given)) return args;
  return [...args.slice(0, -1), replaced(given, headers, before)];
}

function replaced(given: object, headers: Readonly<Record<string, string>>, before: HeaderFields): HeaderFields {
  const fields: HeaderFields = { ...given };
  for (const name in before) {
    const field = fieldOf(fields, name);
    if (field !== undefined && fields[field] === before[name]) fields[field] = headers[name] ?? before[name];
  }
  return fields;
}

/** Returns the name under which a header is passed, in any case. */
function fieldOf(fields: HeaderFields, name: string): string | undefined {
  for (const field in fields)
    if (field.length === name.length && field.toLowerCase() === name.toLowerCase()) return field;
  return undefined;
}
