import { ForbiddenException, NotFoundException, type HttpException } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { refused } from './api-key-refused.exception.js';
import type { HttpResponse } from './http-response.js';
import { whenSent } from './sent-refusal.js';

/** The part of Node's response that is used. Keeps what the head was written with, and what was sent: what is passed replaces what was set. */
class RawResponse {
  readonly fields = new Map<string, unknown>();
  head: unknown[] | undefined;
  sent: Record<string, unknown> | undefined;

  setHeader(name: string, value: unknown): void {
    this.fields.set(name.toLowerCase(), value);
  }

  getHeader(name: string): unknown {
    return this.fields.get(name.toLowerCase());
  }

  writeHead(...args: unknown[]): this {
    this.head = args;
    const passed = Object.entries((args.at(-1) ?? {}) as object).map(([name, value]) => [name.toLowerCase(), value]);
    this.sent = Object.fromEntries([...this.fields, ...passed]) as Record<string, unknown>;
    return this;
  }
}

/** A response as Express has it: Node's own, with more methods. */
class ExpressResponse extends RawResponse {
  statusCode = 200;

  header(name: string, value: string): void {
    this.setHeader(name, value);
  }

  status(statusCode: number): this {
    this.statusCode = statusCode;
    return this;
  }
}

/** A reply as Fastify has it: it keeps its headers, and passes all of them when the head is written. */
class FastifyReply {
  readonly raw = new RawResponse() as RawResponse & ServerResponse;
  readonly fields: Record<string, string> = {};
  statusCode = 200;

  header(name: string, value: string): this {
    this.fields[name.toLowerCase()] = value;
    return this;
  }

  getHeader(name: string): string | undefined {
    return this.fields[name.toLowerCase()];
  }

  code(statusCode: number): this {
    this.statusCode = statusCode;
    return this;
  }
}

const SENT = { 'www-authenticate': 'Bearer realm="api"', 'cache-control': 'no-store' };
const HEADERS = { 'WWW-Authenticate': 'Bearer realm="api"', 'Cache-Control': 'no-store' };

function refusal(statusCode = 401, headers: Record<string, string> = { ...HEADERS }): HttpException {
  const body = { statusCode, error: 'Refused', message: 'Invalid API key', code: 'INVALID_KEY' as const };
  return refused('INVALID_KEY', body, headers);
}

const expressOf = () => {
  const response = new ExpressResponse();
  return { response: response as HttpResponse & ExpressResponse, raw: response as unknown as RawResponse };
};
const fastifyOf = () => {
  const response = new FastifyReply();
  return { response: response as HttpResponse & FastifyReply, raw: response.raw as unknown as RawResponse };
};
const asServer = (raw: RawResponse) => raw as unknown as ServerResponse;

describe('a refusal that is the answer (Express)', () => {
  it('puts its headers on the response when the head is written, and not before', () => {
    const { response, raw } = expressOf();
    const onSent = jest.fn();
    whenSent(response, refusal(), onSent);
    expect([...raw.fields]).toEqual([]);
    expect(onSent).not.toHaveBeenCalled();
    expect(asServer(raw).writeHead(401)).toBe(raw);
    expect(raw.sent).toEqual(SENT);
    expect(raw.head).toEqual([401]);
    expect(onSent).toHaveBeenCalledTimes(1);
  });

  it('keeps a reason phrase, and lists of raw headers', () => {
    const { response, raw } = expressOf();
    whenSent(response, refusal(), () => undefined);
    asServer(raw).writeHead(401, 'Refused', ['x', '1']);
    expect(raw.head).toEqual([401, 'Refused', ['x', '1']]);
    expect(raw.getHeader('Cache-Control')).toBe('no-store');
  });

  it.each([[null], [undefined], ['Refused']])('takes %p after the status', (last) => {
    const { response, raw } = expressOf();
    whenSent(response, refusal(), () => undefined);
    asServer(raw).writeHead(401, last as never);
    expect(raw.head).toEqual([401, last]);
    expect(raw.getHeader('WWW-Authenticate')).toBe('Bearer realm="api"');
  });

  it('replaces what the app had set before the guard', () => {
    const { response, raw } = expressOf();
    response.header('Cache-Control', 'public');
    whenSent(response, refusal(), () => undefined);
    asServer(raw).writeHead(401);
    expect(raw.getHeader('Cache-Control')).toBe('no-store');
  });

  it('does not replace what a filter sets afterwards', () => {
    const { response, raw } = expressOf();
    response.header('Cache-Control', 'public');
    whenSent(response, refusal(), () => undefined);
    response.header('Cache-Control', 'private');
    response.header('WWW-Authenticate', 'Basic');
    asServer(raw).writeHead(401);
    expect(Object.fromEntries(raw.fields)).toEqual({ 'cache-control': 'private', 'www-authenticate': 'Basic' });
  });

  it('does not replace what a filter alone sets', () => {
    const { response, raw } = expressOf();
    whenSent(response, refusal(), () => undefined);
    response.header('Cache-Control', 'private');
    asServer(raw).writeHead(401);
    expect(raw.getHeader('Cache-Control')).toBe('private');
  });

  it('has its header where a filter removed what the app had set', () => {
    const { response, raw } = expressOf();
    response.header('Cache-Control', 'public');
    whenSent(response, refusal(), () => undefined);
    raw.fields.clear();
    asServer(raw).writeHead(401);
    expect(raw.getHeader('Cache-Control')).toBe('no-store');
  });

  it('is sent with a header that a filter wrote into the exception', () => {
    const { response, raw } = expressOf();
    const exception = refusal();
    whenSent(response, exception, () => undefined);
    (exception as unknown as { headers: Record<string, string> }).headers['WWW-Authenticate'] = 'Basic';
    asServer(raw).writeHead(401);
    expect(raw.getHeader('WWW-Authenticate')).toBe('Basic');
  });

  it('has no headers if hideExistence hides it, and is still reported', () => {
    const { response, raw } = expressOf();
    const onSent = jest.fn();
    whenSent(response, new NotFoundException(), onSent);
    asServer(raw).writeHead(404);
    expect([...raw.fields]).toEqual([]);
    expect(onSent).toHaveBeenCalledTimes(1);
  });
});

describe('a refusal that is the answer (Fastify)', () => {
  it('puts its headers beside those that are passed, and leaves the object that was passed alone', () => {
    const { response, raw } = fastifyOf();
    const onSent = jest.fn();
    whenSent(response, refusal(), onSent);
    const passed = { 'content-type': 'application/json' };
    asServer(raw).writeHead(401, passed);
    expect(raw.sent).toEqual({ 'content-type': 'application/json', ...SENT });
    expect(passed).toEqual({ 'content-type': 'application/json' });
    expect(onSent).toHaveBeenCalledTimes(1);
  });

  it('replaces what the app had set before the guard, under the name that is passed', () => {
    const { response, raw } = fastifyOf();
    response.header('Cache-Control', 'public');
    whenSent(response, refusal(), () => undefined);
    asServer(raw).writeHead(401, 'Refused', { ...response.fields });
    expect(raw.head?.slice(0, 2)).toEqual([401, 'Refused']);
    expect(raw.sent).toEqual(SENT);
  });

  it('does not replace what a filter sets afterwards, on the reply or on the raw response', () => {
    const { response, raw } = fastifyOf();
    response.header('Cache-Control', 'public');
    whenSent(response, refusal(), () => undefined);
    response.header('Cache-Control', 'private');
    raw.setHeader('WWW-Authenticate', 'Basic');
    asServer(raw).writeHead(401, { ...response.fields });
    expect(raw.sent).toEqual({ 'cache-control': 'private', 'www-authenticate': 'Basic' });
  });

  it('does not replace what a filter alone sets', () => {
    const { response, raw } = fastifyOf();
    whenSent(response, refusal(401, { 'Cache-Control': 'no-store' }), () => undefined);
    asServer(raw).writeHead(401, { 'cache-control': 'private' });
    expect(raw.sent).toEqual({ 'cache-control': 'private' });
  });

  it('has its header where a filter removed what the app had set', () => {
    const { response, raw } = fastifyOf();
    response.header('Cache-Control', 'public');
    whenSent(response, refusal(401, { 'Cache-Control': 'no-store' }), () => undefined);
    asServer(raw).writeHead(401, {});
    expect(raw.sent).toEqual({ 'cache-control': 'no-store' });
  });

  it('does not take another header of the same length and value for its own', () => {
    const { response, raw } = fastifyOf();
    response.header('Retry-After', '1');
    whenSent(response, refusal(401, { 'Retry-After': '5' }), () => undefined);
    asServer(raw).writeHead(401, { 'x-eleven-ch': '1', ...response.fields });
    expect(raw.sent).toEqual({ 'x-eleven-ch': '1', 'retry-after': '5' });
  });
});

describe.each([
  ['Express', expressOf],
  ['Fastify', fastifyOf],
])('a refusal that is not the answer (%s)', (_name, make) => {
  function caught(...refusals: HttpException[]) {
    const { response, raw } = make();
    const onSent = jest.fn();
    const exceptions = refusals.length > 0 ? refusals : [refusal()];
    for (const exception of exceptions) whenSent(response, exception, () => onSent(exception));
    const setStatus = (statusCode: number) => (response.code ?? response.status)?.call(response, statusCode);
    return { response, raw, onSent, setStatus };
  }

  it.each([200, 204, 302, 399])('leaves no trace on an answer with %d', (statusCode) => {
    const { raw, onSent } = caught();
    asServer(raw).writeHead(statusCode, { a: '1' });
    expect(raw.head).toEqual([statusCode, { a: '1' }]);
    expect([...raw.fields]).toEqual([]);
    expect(onSent).not.toHaveBeenCalled();
  });

  it.each([200, 201, 399])(
    'leaves no trace on a failure of the handler after a guard let the request in: %d',
    (success) => {
      const { response, raw, onSent, setStatus } = caught();
      expect(setStatus(success)).toBe(response);
      setStatus(401);
      asServer(raw).writeHead(401, { a: '1' });
      expect(raw.head).toEqual([401, { a: '1' }]);
      expect(onSent).not.toHaveBeenCalled();
    },
  );

  it.each([400, 401, 418, 500])('is the answer if a filter sets the status %d', (statusCode) => {
    const { response, raw, onSent, setStatus } = caught();
    setStatus(statusCode);
    expect(response).toMatchObject({ statusCode });
    asServer(raw).writeHead(statusCode, { a: '1' });
    expect(raw.sent).toEqual({ a: '1', ...SENT });
    expect(onSent).toHaveBeenCalledTimes(1);
  });

  it('leaves no trace on a later head: an answer is sent once', () => {
    const { raw, onSent } = caught();
    asServer(raw).writeHead(200, { a: '1' });
    asServer(raw).writeHead(401, { a: '1' });
    expect(raw.head).toEqual([401, { a: '1' }]);
    expect(onSent).not.toHaveBeenCalled();
  });

  it('sends the last refusal with the status of the answer, of several', () => {
    const three = [refusal(401, { A: '1' }), refusal(401, { A: '2' }), refusal(403, { A: '3' })];
    const { raw, onSent } = caught(...three);
    asServer(raw).writeHead(401, {});
    expect(raw.sent).toEqual({ a: '2' });
    expect(onSent.mock.calls).toEqual([[three[1]]]);
  });

  it('sends the last refusal if none has the status of the answer', () => {
    const two = [refusal(401, { A: '1' }), refusal(403, { A: '2' })];
    const { raw, onSent } = caught(...two);
    asServer(raw).writeHead(418, {});
    expect(raw.sent).toEqual({ a: '2' });
    expect(onSent.mock.calls).toEqual([[two[1]]]);
  });

  it('counts a refusal that is thrown after a guard let the request in', () => {
    const { response, raw, onSent, setStatus } = caught();
    setStatus(200);
    const second = new ForbiddenException();
    whenSent(response, second, () => onSent(second));
    asServer(raw).writeHead(403, {});
    expect(onSent.mock.calls).toEqual([[second]]);
  });

  it('wraps the methods of a response once', () => {
    const { response, raw } = make();
    const wrapped = (): unknown[] => [raw.writeHead, response.code, response.status];
    whenSent(response, refusal(), () => undefined);
    const first = wrapped();
    whenSent(response, refusal(), () => undefined);
    expect(wrapped()).toEqual(first);
  });
});

describe('a response without a head to wait for', () => {
  it('has the headers at once, and the refusal is reported at once', () => {
    const header = jest.fn();
    const onSent = jest.fn();
    whenSent({ header }, refusal(), onSent);
    expect(header.mock.calls).toEqual(Object.entries(HEADERS));
    expect(onSent).toHaveBeenCalledTimes(1);
  });

  it('needs neither status() nor getHeader() of its own', () => {
    const raw = new RawResponse();
    raw.setHeader('Cache-Control', 'public');
    const onSent = jest.fn();
    const response: HttpResponse = { header: () => undefined, raw: asServer(raw) };
    whenSent(response, refusal(), onSent);
    expect(Object.keys(response)).toEqual(['header', 'raw']);
    asServer(raw).writeHead(401);
    expect(raw.getHeader('Cache-Control')).toBe('no-store');
    expect(onSent).toHaveBeenCalledTimes(1);
  });
});
