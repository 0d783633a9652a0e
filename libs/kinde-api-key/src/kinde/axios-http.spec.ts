import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { HttpService } from '@nestjs/axios';
import axios from 'axios';
import { AxiosKindeHttp, type AxiosKindeHttpOptions } from './axios-http.js';
import { KindeTransportError, type KindeRequest } from './http.js';

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

function newHttp(options?: AxiosKindeHttpOptions): AxiosKindeHttp {
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

/** Sends one request to a server that answers like this, and gives what came of it. */
async function ask(listener: RequestListener, options?: AxiosKindeHttpOptions) {
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

describe('AxiosKindeHttp, on the way out', () => {
  it('sends method, path, headers and the exact body, and nothing about its version', async () => {
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

  it('keeps one connection for calls that follow each other', async () => {
    const ports = new Set<number | undefined>();
    const { origin } = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      response.end();
    });
    const http = newHttp();
    for (let index = 0; index < 5; index += 1) await http.send(requestTo(origin), never());
    expect(ports.size).toBe(1);
  });

  it("does not read the environment's proxies", async () => {
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

  it('goes through the proxy that it was given', async () => {
    const asked: (string | undefined)[] = [];
    const proxy = await serve((request, response) => {
      asked.push(request.url);
      response.end('via proxy');
    });
    const http = newHttp({ proxy: { host: '127.0.0.1', port: Number(new URL(proxy.origin).port), protocol: 'http' } });
    const answer = await http.send(requestTo('http://kinde.test/oauth2/token'), never());
    expect([answer.body, ...asked]).toEqual(['via proxy', 'http://kinde.test/oauth2/token']);
  });

  it('uses the agents that it was given, and leaves them alone when it closes', async () => {
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

  it('overrides the defaults of the HttpService that could weaken a check', async () => {
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

describe('AxiosKindeHttp, on the way back', () => {
  it('gives status, plain headers and the text, whatever the status', async () => {
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

  it.each([301, 302, 303, 307, 308])('does not follow a redirect with status %d', async (status) => {
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

  it('leaves a byte order mark where it is', async () => {
    await expect(ask((_request, response) => response.end('\ufeff{}'))).resolves.toMatchObject({ body: '\ufeff{}' });
  });

  it.each([
    ['a byte that begins nothing', [0xff]],
    ['half a character', [0xc3]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
  ])('takes %s for no answer', async (_what, bytes) => {
    const error = await failureOf((_request, response) => response.end(Buffer.from([0x7b, ...bytes, 0x7d])));
    expect(error.reason).toBe('invalid_utf8');
  });

  it('reads a compressed answer', async () => {
    const answer = ask((_request, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{"a":1}')),
    );
    await expect(answer).resolves.toMatchObject({ body: '{"a":1}' });
  });

  it('reads 65,536 bytes, and not one more', async () => {
    await expect(ask((_request, response) => response.end('x'.repeat(65_536)))).resolves.toMatchObject({
      body: 'x'.repeat(65_536),
    });
    expect((await failureOf((_request, response) => response.end('x'.repeat(65_537)))).reason).toBe('too_large');
  });

  it('counts a compressed answer by what comes out of it', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000, 'x'));
    expect(bomb.length).toBeLessThan(65_536);
    const error = await failureOf((_request, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
    );
    expect(error.reason).toBe('too_large');
  });

  it('stops reading an answer that never ends, and closes the connection', async () => {
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
    ['what is not HTTP', 'network', (_request, response) => response.socket?.end('SSH-2.0-OpenSSH_9.6\r\n')],
    [
      'headers without end',
      'network',
      (_request, response) => response.socket?.write(`HTTP/1.1 200 OK\r\nx: ${'x'.repeat(100_000)}`),
    ],
  ])('takes %s for a failure of the kind %s', async (_what, reason, listener) => {
    expect((await failureOf(listener)).reason).toBe(reason);
  });

  it('names the system error of a connection that is refused', async () => {
    const { origin, server } = await serve(() => {});
    server.close();
    await expect(newHttp().send(requestTo(origin), never())).rejects.toMatchObject({
      reason: 'network',
      message: 'the connection to Kinde failed (ECONNREFUSED)',
    });
  });
});

describe('AxiosKindeHttp, given up', () => {
  it('drops the connection of a call that is aborted', async () => {
    let closed: Promise<unknown> = Promise.resolve();
    const controller = new AbortController();
    const { origin } = await serve((request) => {
      closed = closeOf(request.socket);
      controller.abort();
    });
    await expect(newHttp().send(requestTo(origin), controller.signal)).rejects.toMatchObject({ reason: 'aborted' });
    await closed;
  });

  it('sends nothing that is aborted already, or after it was closed', async () => {
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

  it('closes its idle connections when it is closed', async () => {
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
