import { getEventListeners, once } from 'node:events';
import { Agent, createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { HttpService } from '@nestjs/axios';
import axios, { AxiosHeaders, type AxiosRequestConfig } from 'axios';
import { EMPTY, Observable, of, throwError } from 'rxjs';
import type { ResolvedOptions } from '../config/resolved-options.js';
import { AxiosKindeHttp, type KindeHttpService } from './axios-http.js';
import { KindeTransportError, type KindeRequest } from './http.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const SECRETS = ['k_live_canary_key', 'canary-m2m-token'];
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function serve(listener: RequestListener): Promise<{ origin: string; server: Server }> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

function newHttp(options?: Partial<ResolvedOptions['http']>): AxiosKindeHttp {
  const http = new AxiosKindeHttp(new HttpService(axios.create()), options);
  cleanups.push(() => http.close());
  return http;
}

const requestTo = (url: string): KindeRequest => ({
  method: 'POST',
  url,
  headers: { authorization: `Bearer ${SECRETS[1]}`, 'content-type': 'application/json' },
  body: JSON.stringify({ api_key: SECRETS[0] }),
});
const never = () => new AbortController().signal;

/** Sends one request to a server with this listener. */
async function ask(listener: RequestListener, options?: Partial<ResolvedOptions['http']>) {
  const { origin } = await serve(listener);
  return newHttp(options).send(requestTo(origin), never());
}

async function failureOf(listener: RequestListener): Promise<KindeTransportError> {
  const error = await ask(listener).catch((reason: unknown) => reason);
  if (!(error instanceof KindeTransportError)) throw new Error(`expected a KindeTransportError, got ${inspect(error)}`);
  return error;
}

/** Waits until a connection is closed, by an error or without. */
const closeOf = (socket: Socket | undefined) =>
  new Promise<void>((resolve) => void socket?.once('close', () => resolve()));

async function textOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

describe('AxiosKindeHttp requests', () => {
  it('send the method, path, headers and exact body, without a version', async () => {
    const seen: unknown[] = [];
    const { origin } = await serve((request, response) => {
      void textOf(request).then((body) => {
        seen.push({ method: request.method, url: request.url, headers: request.headers, body });
        response.end();
      });
    });
    const body = '{ "api_key" : "k" }';
    await newHttp().send({ ...requestTo(`${origin}/api/v1/api_keys/verify`), body }, never());
    await newHttp().send({ method: 'GET', url: `${origin}/x%2Fy`, headers: { authorization: 'Bearer t' } }, never());
    const common = {
      host: origin.slice(7),
      accept: 'application/json',
      'accept-encoding': 'identity',
      'user-agent': 'nestjs-kinde-api-key',
      connection: 'keep-alive',
    };
    expect(seen).toEqual([
      {
        method: 'POST',
        url: '/api/v1/api_keys/verify',
        headers: {
          ...common,
          authorization: `Bearer ${SECRETS[1]}`,
          'content-type': 'application/json',
          'content-length': '19',
        },
        body,
      },
      { method: 'GET', url: '/x%2Fy', headers: { ...common, authorization: 'Bearer t' }, body: '' },
    ]);
  });

  it('share one connection when they follow each other', async () => {
    const ports = new Set<number | undefined>();
    const { origin } = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      response.end();
    });
    const http = newHttp();
    for (let index = 0; index < 5; index += 1) await http.send(requestTo(origin), never());
    expect(ports.size).toBe(1);
  });

  it("ignore the environment's proxies", async () => {
    const viaProxy = jest.fn();
    const proxy = await serve((_request, response) => {
      viaProxy();
      response.end();
    });
    const names = ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'];
    const before = names.map((name) => process.env[name]);
    for (const name of names) process.env[name] = proxy.origin;
    try {
      await expect(ask((_request, response) => response.end('direct'))).resolves.toMatchObject({ body: 'direct' });
    } finally {
      for (const [index, name] of names.entries()) {
        if (before[index] === undefined) delete process.env[name];
        else process.env[name] = before[index];
      }
    }
    expect(viaProxy).not.toHaveBeenCalled();
  });

  it('use the proxy of the options', async () => {
    const asked: (string | undefined)[] = [];
    const proxy = await serve((request, response) => {
      asked.push(request.url);
      response.end('via proxy');
    });
    const http = newHttp({ proxy: { host: '127.0.0.1', port: Number(new URL(proxy.origin).port), protocol: 'http' } });
    const answer = await http.send(requestTo('http://kinde.test/oauth2/token'), never());
    expect([answer.body, ...asked]).toEqual(['via proxy', 'http://kinde.test/oauth2/token']);
  });

  it('use the agents of the options, which close() does not destroy', async () => {
    const agents = { httpAgent: new Agent({ keepAlive: true }), httpsAgent: new HttpsAgent({ keepAlive: true }) };
    cleanups.push(() => agents.httpAgent.destroy());
    const destroyed = [jest.spyOn(agents.httpAgent, 'destroy'), jest.spyOn(agents.httpsAgent, 'destroy')];
    const { origin } = await serve((_request, response) => response.end('ok'));
    const http = newHttp(agents);
    await http.send(requestTo(origin), never());
    expect(Object.keys(agents.httpAgent.sockets).length + Object.keys(agents.httpAgent.freeSockets).length).toBe(1);
    http.close();
    expect(destroyed.map((spy) => spy.mock.calls.length)).toEqual([0, 0]);
  });

  it('override defaults of the HttpService that could weaken a check', async () => {
    const elsewhere = await serve((_request, response) => response.end('followed'));
    const { origin } = await serve((_request, response) => {
      response.writeHead(302, { location: elsewhere.origin }).end('x'.repeat(100));
    });
    const instance = axios.create({
      maxRedirects: 5,
      responseType: 'json',
      maxContentLength: 10,
      validateStatus: () => false,
    });
    const http = new AxiosKindeHttp(new HttpService(instance));
    cleanups.push(() => http.close());
    await expect(http.send(requestTo(origin), never())).resolves.toMatchObject({ status: 302, body: 'x'.repeat(100) });
  });
});

describe('AxiosKindeHttp answers', () => {
  it('have status, plain headers and text, for any status', async () => {
    const { status, headers, body } = await ask((_request, response) => {
      response
        .writeHead(503, { 'Content-Type': 'text/plain', 'RateLimit-Reset': '7', 'set-cookie': ['a=1', 'b=2'] })
        .end('grüß');
    });
    expect({ status, body }).toEqual({ status: 503, body: 'grüß' });
    expect(headers).toMatchObject({ 'content-type': 'text/plain', 'ratelimit-reset': '7' });
    expect(headers['set-cookie']).toBeUndefined();
    expect(Object.getPrototypeOf(headers)).toBeNull();
  });

  it.each([301, 302, 303, 307, 308])('do not follow a redirect with status %d', async (status) => {
    const followed = jest.fn();
    const elsewhere = await serve((_request, response) => {
      followed();
      response.end();
    });
    await expect(
      ask((_request, response) => response.writeHead(status, { location: elsewhere.origin }).end()),
    ).resolves.toMatchObject({ status });
    expect(followed).not.toHaveBeenCalled();
  });

  it('keep a byte order mark', async () => {
    await expect(ask((_request, response) => response.end('\ufeff{}'))).resolves.toMatchObject({ body: '\ufeff{}' });
  });

  it.each([
    ['a byte that begins nothing', [0xff]],
    ['half a character', [0xc3]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
  ])('fail with invalid_utf8 for %s', async (_what, bytes) => {
    const error = await failureOf((_request, response) => response.end(Buffer.from([0x7b, ...bytes, 0x7d])));
    expect(error.reason).toBe('invalid_utf8');
  });

  it('are decompressed', async () => {
    const answer = ask((_request, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{"a":1}')),
    );
    await expect(answer).resolves.toMatchObject({ body: '{"a":1}' });
  });

  it('have at most 65,536 bytes', async () => {
    await expect(ask((_request, response) => response.end('x'.repeat(65_536)))).resolves.toMatchObject({
      body: 'x'.repeat(65_536),
    });
    expect((await failureOf((_request, response) => response.end('x'.repeat(65_537)))).reason).toBe('too_large');
  });

  it('are measured after decompression', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000, 'x'));
    expect(bomb.length).toBeLessThan(65_536);
    const error = await failureOf((_request, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
    );
    expect(error.reason).toBe('too_large');
  });

  it('close the connection of an endless body', async () => {
    let sentBytes = 0;
    let socket: Socket | undefined;
    const error = await failureOf((_request, response) => {
      socket = response.socket ?? undefined;
      const block = Buffer.alloc(16_384, 'x');
      const more = (): void => {
        while (!response.destroyed && response.write(block)) sentBytes += block.length;
        sentBytes += block.length;
      };
      response.on('drain', more);
      more();
    });
    expect(error.reason).toBe('too_large');
    if (!socket?.closed) await closeOf(socket);
    expect(sentBytes).toBeLessThan(20_000_000);
  });

  it.each<[string, KindeTransportError['reason'], RequestListener]>([
    ['a connection that is reset', 'network', (_request, response) => response.socket?.resetAndDestroy()],
    ['a connection that is closed', 'network', (_request, response) => response.socket?.destroy()],
    [
      'a body that breaks off',
      'cut_short',
      (_request, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('{"is_valid":true', () => response.socket?.destroy());
      },
    ],
    [
      'a chunked body that breaks off',
      'cut_short',
      (_request, response) => {
        response.write('{"is_valid":true', () => response.socket?.destroy());
      },
    ],
    [
      'an answer of another protocol',
      'network',
      (_request, response) => response.socket?.end('SSH-2.0-OpenSSH_9.6\r\n'),
    ],
    [
      'endless headers',
      'network',
      (_request, response) => response.socket?.write(`HTTP/1.1 200 OK\r\nx: ${'x'.repeat(100_000)}`),
    ],
  ])('turn %s into a failure of kind %s', async (_what, reason, listener) => {
    expect((await failureOf(listener)).reason).toBe(reason);
  });

  it('name the system error of a refused connection', async () => {
    const { origin, server } = await serve(() => {});
    server.close();
    await expect(newHttp().send(requestTo(origin), never())).rejects.toMatchObject({
      reason: 'network',
      message: 'the connection to Kinde failed (ECONNREFUSED)',
    });
  });
});

describe('a failed connection', () => {
  it.each([
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /NODE_EXTRA_CA_CERTS.*kinde\.http\.httpsAgent/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /NODE_EXTRA_CA_CERTS.*kinde\.http\.httpsAgent/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /another host.*'domain'/],
    ['CERT_HAS_EXPIRED', /clock/],
    ['ENOTFOUND', /'domain'/],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', /kinde\.http/],
    ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', /kinde\.http/],
    ['EPROTO', /kinde\.http/],
  ])('names %s and what to change', async (code, cure) => {
    const failing = { request: () => throwError(() => Object.assign(new Error('k_live_secret'), { code })) };
    const error: unknown = await new AxiosKindeHttp(failing as unknown as KindeHttpService)
      .send(requestTo('https://acme.kinde.com'), never())
      .catch((failure: unknown) => failure);
    const { message } = error as Error;
    expect(message).toContain(`(${code}): `);
    expect(message).toMatch(cure);
    expect(message).not.toContain('secret');
  });

  it('to a host that does not exist names its code', async () => {
    const failed = newHttp().send(requestTo('http://no-such-host.invalid'), never());
    await expect(failed).rejects.toMatchObject({ message: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/) as string });
  });
});

describe('AxiosKindeHttp', () => {
  it('drops the connection of an aborted call', async () => {
    let closed: Promise<unknown> = Promise.resolve();
    const controller = new AbortController();
    const { origin } = await serve((request) => {
      closed = closeOf(request.socket);
      controller.abort();
    });
    await expect(newHttp().send(requestTo(origin), controller.signal)).rejects.toMatchObject({ reason: 'aborted' });
    await closed;
  });

  it('sends nothing if the signal is aborted already, or after close()', async () => {
    const asked = jest.fn();
    const { origin } = await serve((_request, response) => {
      asked();
      response.end();
    });
    await expect(newHttp().send(requestTo(origin), AbortSignal.abort())).rejects.toMatchObject({ reason: 'aborted' });
    const http = newHttp();
    http.close();
    http.close();
    await expect(http.send(requestTo(origin), never())).rejects.toMatchObject({ reason: 'aborted' });
    expect(asked).not.toHaveBeenCalled();
  });

  it('drops its idle connections on close()', async () => {
    let idle: Socket | undefined;
    const { origin } = await serve((request, response) => {
      idle = request.socket;
      response.end();
    });
    const http = newHttp();
    await http.send(requestTo(origin), never());
    expect(idle?.destroyed).toBe(false);
    const closed = closeOf(idle);
    http.close();
    await closed;
  });
});

describe('AxiosKindeHttp with a stub of HttpService', () => {
  /** Only `request` may be used of it. */
  const stubbed = (request: (config: AxiosRequestConfig) => unknown) =>
    new AxiosKindeHttp({ request } as unknown as KindeHttpService);
  const sendTo = (request: (config: AxiosRequestConfig) => unknown, signal = never()) =>
    stubbed(request).send(requestTo('https://acme.kinde.com/x'), signal);

  it.each<[string, unknown, { headers: object; body: string }]>([
    ['an object', { status: 200, headers: {}, data: { a: 'ü' } }, { headers: JSON_TYPE, body: '{"a":"ü"}' }],
    ['an object without headers', { status: 200, data: [1] }, { headers: JSON_TYPE, body: '[1]' }],
    [
      'an object with a content type',
      { status: 200, headers: { 'Content-Type': 'text/html' }, data: {} },
      { headers: { 'content-type': 'text/html' }, body: '{}' },
    ],
    [
      'a string, which needs a content type',
      { status: 200, headers: new AxiosHeaders({ 'Retry-After': '7' }), data: '{"a":"€"}' },
      { headers: { 'retry-after': '7' }, body: '{"a":"€"}' },
    ],
    ['bytes', { status: 200, headers: {}, data: Buffer.from('ü') }, { headers: {}, body: 'ü' }],
    ['null, as JSON', { status: 200, headers: {}, data: null }, { headers: JSON_TYPE, body: 'null' }],
    ['no data', { status: 204, headers: {} }, { headers: JSON_TYPE, body: '' }],
  ])('reads %s', async (_what, answer, { headers, body }) => {
    const response = await sendTo(() => of(answer));
    expect({ ...response, headers: { ...response.headers } }).toEqual({
      status: (answer as { status: number }).status,
      headers,
      body,
    });
  });

  it.each<[string, () => unknown]>([
    ['emits nothing', () => EMPTY],
    ['emits undefined', () => of(undefined)],
    ['fails', () => throwError(() => new Error('refused'))],
    ['fails with a value that is not an error', () => throwError(() => undefined)],
    ['emits what JSON cannot express', () => of({ status: 200, data: { big: 1n } })],
    [
      'throws instead of returning an Observable',
      () => {
        throw new Error('refused');
      },
    ],
    ['is not an Observable', () => 'nothing'],
  ])('fails with a KindeTransportError if it %s', async (_what, request) => {
    const error: unknown = await sendTo(request).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(KindeTransportError);
    expect(error).toMatchObject({ reason: 'network', message: 'the connection to Kinde failed' });
  });

  it('ends an Observable that never emits when the signal aborts, unsubscribes, and leaves the signal alone', async () => {
    const unsubscribed = jest.fn();
    const controller = new AbortController();
    const sending = sendTo(() => new Observable(() => unsubscribed), controller.signal);
    controller.abort();
    await expect(sending).rejects.toMatchObject({ reason: 'aborted' });
    expect(unsubscribed).toHaveBeenCalledTimes(1);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  it('takes the first of several answers, and leaves the signal alone', async () => {
    const { signal } = new AbortController();
    const answers = of({ status: 200, data: 'first' }, { status: 200, data: 'second' });
    await expect(sendTo(() => answers, signal)).resolves.toMatchObject({ body: 'first' });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('passes the whole request and every setting that matters for security to each call', async () => {
    const request = jest.fn((_config: AxiosRequestConfig) => of({ status: 200, data: '' }));
    await sendTo(request);
    expect(request.mock.calls).toEqual([
      [
        expect.objectContaining({
          method: 'POST',
          url: 'https://acme.kinde.com/x',
          data: JSON.stringify({ api_key: SECRETS[0] }),
          adapter: 'http',
          maxRedirects: 0,
          proxy: false,
          maxContentLength: 65_536,
          maxBodyLength: 16_384,
          signal: expect.any(AbortSignal) as AbortSignal,
        }),
      ],
    ]);
  });
});

describe('KindeTransportError', () => {
  const failing: RequestListener[] = [
    (_request, response) => response.socket?.resetAndDestroy(),
    (_request, response) =>
      void response.writeHead(200, { 'content-length': '99' }).write(SECRETS.join(), () => response.socket?.destroy()),
    (_request, response) => response.end(`${SECRETS.join()}${'x'.repeat(70_000)}`),
    (_request, response) => response.end(Buffer.from([...Buffer.from(SECRETS.join()), 0xff])),
    (_request, response) => response.socket?.end(`HTTP/1.1 ${SECRETS.join()}\r\n\r\n`),
  ];

  it.each(failing.map((listener, index) => [index, listener] as const))(
    'holds no secret at any depth (%d)',
    async (_index, listener) => {
      const error = await failureOf(listener);
      const text = `${inspect(error, { depth: Infinity, showHidden: true, getters: true })} ${JSON.stringify(error)} ${error.stack}`;
      expect(SECRETS.filter((secret) => text.includes(secret))).toEqual([]);
      expect(error.cause).toBeUndefined();
    },
  );

  it.each([['k_live_canary_key'], ['E k'], [7], [undefined], [''], ['E'.repeat(60)]])(
    'drops the system code %j',
    (code) => {
      expect(new KindeTransportError('network', code).message).toBe('the connection to Kinde failed');
    },
  );
});
