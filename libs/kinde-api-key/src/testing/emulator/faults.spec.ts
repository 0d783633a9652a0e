import { get, type IncomingMessage } from 'node:http';
import { KindeEmulator } from '../kinde-emulator.js';
import type { KindeEmulatorFault } from './faults.js';

describe('faults of the emulator', () => {
  let emulator: KindeEmulator;
  let token: string;

  beforeAll(async () => {
    emulator = await KindeEmulator.start();
    token = emulator.issueToken();
  });
  beforeEach(() => {
    emulator.clearFaults();
    emulator.resetCounters();
  });
  afterAll(() => emulator.stop());

  const mint = (): Promise<Response> => {
    const { clientId, clientSecret } = emulator.credentials;
    const audience = `${emulator.domain}/api`;
    const parameters = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, audience };
    return fetch(`${emulator.domain}/oauth2/token`, { method: 'POST', body: new URLSearchParams(parameters) });
  };
  const verify = (key = emulator.createKey().key, signal?: AbortSignal): Promise<Response> =>
    fetch(`${emulator.domain}/api/v1/api_keys/verify`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ api_key: key }),
      redirect: 'manual',
      ...(signal ? { signal } : {}),
    });
  const list = (): Promise<Response> =>
    fetch(`${emulator.domain}/api/v1/api_keys`, { headers: { authorization: `Bearer ${token}` } });
  const statusOf = async (response: Promise<Response>): Promise<number> => {
    const { status, body } = await response;
    await body?.cancel();
    return status;
  };
  const failureOf = (response: Promise<Response>): Promise<string | undefined> =>
    response.then(
      () => undefined,
      (error: Error) => (error.cause as NodeJS.ErrnoException | undefined)?.code ?? error.name,
    );
  /** An answer whose body is not read yet. */
  const open = (): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => get(`${emulator.domain}/.well-known/jwks`, resolve).once('error', reject));
  const readAtLeast = async (message: IncomingMessage, bytes: number): Promise<number> => {
    let size = 0;
    for await (const chunk of message) {
      size += (chunk as Buffer).length;
      if (size >= bytes) break;
    }
    return size;
  };

  describe('status', () => {
    it("has an error body in Kinde's shape: an array, one object for 404, an OAuth error at the token endpoint", async () => {
      const error = (status: number): unknown => ({
        code: 'EMULATED_FAULT',
        message: `Emulated fault with status ${status}`,
      });
      emulator.failNext(503);
      const unavailable = await verify();
      expect(unavailable.status).toBe(503);
      expect(await unavailable.json()).toEqual({ errors: [error(503)] });
      emulator.failNext({ status: 404 });
      expect(await (await verify()).json()).toEqual({ errors: error(404) });
      emulator.failNext(500);
      const failed = await mint();
      expect(failed.status).toBe(500);
      expect(await failed.json()).toEqual({
        error: 'server_error',
        error_description: 'Emulated fault with status 500',
      });
      expect(emulator.counters.mints).toBe(0);
    });

    it('has the given body (object, text or bytes) and the given headers', async () => {
      emulator.failNext({ status: 200, body: { is_valid: 'true' } });
      const object = await verify();
      expect(object.headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(await object.json()).toEqual({ is_valid: 'true' });
      emulator.failNext({
        status: 502,
        body: '<h1>Bad gateway</h1>',
        headers: { 'Content-Type': 'text/html', Via: '1.1 x' },
      });
      const text = await verify();
      expect([text.status, text.headers.get('content-type'), text.headers.get('via')]).toEqual([
        502,
        'text/html',
        '1.1 x',
      ]);
      expect(await text.text()).toBe('<h1>Bad gateway</h1>');
      emulator.failNext({ status: 200, body: Buffer.from([0xff, 0x00]) });
      expect([...new Uint8Array(await (await verify()).arrayBuffer())]).toEqual([0xff, 0x00]);
      emulator.failNext({ status: 200, body: null });
      expect(await (await verify()).text()).toBe('null');
    });

    it('429 has RateLimit-Reset when rateLimitReset is set', async () => {
      emulator.failNext({ status: 429, rateLimitReset: 17 });
      const { status, headers } = await verify();
      expect([status, headers.get('ratelimit-reset')]).toEqual([429, '17']);
    });

    it('repeats the request and its secrets only when echo is true', async () => {
      const { key } = emulator.createKey();
      emulator.failNext({ status: 500, echo: true });
      const echoed = await verify(key);
      expect(echoed.status).toBe(500);
      expect(await echoed.json()).toMatchObject({
        errors: [{ message: `Emulated fault: Bearer ${token}` }],
        request: {
          method: 'POST',
          url: '/api/v1/api_keys/verify',
          headers: { authorization: `Bearer ${token}` },
          body: JSON.stringify({ api_key: key }),
        },
      });
      emulator.failNext(500);
      const silent = await (await verify(key)).text();
      expect(silent).not.toContain(key);
      expect(silent).not.toContain(token);
    });
  });

  it.each([
    ['invalid_client', 401],
    ['unauthorized_client', 400],
    ['invalid_scope', 400],
    ['invalid_request', 400],
  ] as const)('tokenError %s answers %i, at the token endpoint only', async (tokenError, status) => {
    emulator.failNext({ tokenError });
    expect(await statusOf(verify())).toBe(200);
    const response = await mint();
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: tokenError });
  });

  it.each([
    ['redirect', undefined, 302],
    ['redirect', 307, 307],
    ['redirect', 308, 308],
  ] as const)('%s with status %p answers %i with a Location header', async (_name, given, status) => {
    emulator.failNext({ redirect: 'http://127.0.0.1:9/elsewhere', status: given });
    const response = await verify();
    expect([response.status, response.headers.get('location')]).toEqual([status, 'http://127.0.0.1:9/elsewhere']);
  });

  it('malformed answers 200 with broken JSON', async () => {
    emulator.failNext({ malformed: true });
    const response = await verify();
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
    await expect(response.json()).rejects.toThrow(/JSON/);
  });

  it('reset closes the connection without an answer', async () => {
    emulator.failNext({ reset: true });
    expect(await failureOf(verify())).toMatch(/ECONNRESET|UND_ERR_SOCKET/);
    expect(await statusOf(verify())).toBe(200);
  });

  it('hang counts the request and never answers it', async () => {
    emulator.failNext({ hang: true }, 'verify');
    const arrived = emulator.nextRequest('verify');
    const leaving = new AbortController();
    const hanging = failureOf(verify(undefined, leaving.signal));
    await arrived;
    expect(await statusOf(verify())).toBe(200);
    leaving.abort();
    expect(await hanging).toBe('AbortError');
    expect(emulator.counters.verifies).toBe(2);
  });

  it('holdUntil sends the answer computed on arrival, once its promise is fulfilled', async () => {
    const { keyId, key } = emulator.createKey();
    let release = (): void => undefined;
    emulator.failNext({ holdUntil: new Promise<void>((resolve) => (release = resolve)) });
    const arrived = emulator.nextRequest();
    let answered = false;
    const held = verify(key).finally(() => (answered = true));
    await arrived;
    expect(await (await verify(key)).json()).toMatchObject({ is_valid: true, verification_count: 2 });
    emulator.revokeKey(keyId);
    expect(answered).toBe(false);
    release();
    expect(await (await held).json()).toMatchObject({ is_valid: true, verification_count: 1 });
    expect(await (await verify(key)).json()).toMatchObject({ is_valid: false, status: 'revoked' });
  });

  it('holdUntil resets the connection if its promise rejects', async () => {
    let fail = (_error: Error): void => undefined;
    emulator.failNext({ holdUntil: new Promise((_resolve, reject) => (fail = reject)) });
    const arrived = emulator.nextRequest();
    const failure = failureOf(verify());
    await arrived;
    fail(new Error('no more'));
    expect(await failure).toMatch(/ECONNRESET|UND_ERR_SOCKET/);
  });

  it('delayMs sends the correct answer after the delay', async () => {
    emulator.failNext({ delayMs: 1 });
    expect(await (await verify()).json()).toMatchObject({ is_valid: true });
  });

  it('trickleMs sends the correct answer byte by byte', async () => {
    emulator.failNext({ trickleMs: 1 });
    const response = await fetch(`${emulator.domain}/nowhere`);
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      errors: { code: 'ROUTE_NOT_FOUND', message: 'The requested API route does not exist' },
    });
  });

  it('truncated closes the connection before Content-Length is reached', async () => {
    emulator.failNext({ truncated: true });
    const response = await verify();
    const reader = response.body?.getReader();
    const { value } = (await reader?.read()) ?? {};
    expect(JSON.parse(Buffer.from(value ?? []).toString())).toMatchObject({ is_valid: true });
    expect(Number(response.headers.get('content-length'))).toBe((value?.length ?? 0) + 64);
    await expect(reader?.read()).rejects.toThrow('terminated');
  });

  it.each([16, 65_536 + 14, 1_000_000])('huge sends a JSON object of exactly %i bytes', async (bytes) => {
    emulator.failNext({ huge: bytes });
    const response = await verify();
    expect(response.headers.get('content-length')).toBeNull();
    const text = await response.text();
    expect(text).toHaveLength(bytes);
    expect(Object.keys(JSON.parse(text) as object)).toEqual(['padding']);
    emulator.failNext({ huge: bytes, declared: true });
    const declared = await verify();
    expect(declared.headers.get('content-length')).toBe(String(bytes));
    expect(await declared.text()).toBe(text);
  });

  it.each<[string, KindeEmulatorFault]>([
    ['a terabyte', { huge: 2 ** 40 }],
    ['an endless body', { endless: true }],
  ])('%s is sent as the client reads, and never held in memory', async (_what, fault) => {
    emulator.failNext(fault);
    const message = await open();
    expect(message.headers['content-length']).toBeUndefined();
    const before = process.memoryUsage().arrayBuffers;
    expect(await readAtLeast(message, 32 * 1_048_576)).toBeGreaterThanOrEqual(32 * 1_048_576);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(128 * 1_048_576);
    expect(await statusOf(verify())).toBe(200);
  });

  describe('order', () => {
    it('uses the faults of failNext in the order of the calls, each the given number of times', async () => {
      emulator.failNext(500, 2);
      emulator.failNext(502);
      emulator.failNext(503, { times: 1 });
      const statuses = [];
      for (let call = 0; call < 5; call += 1) statuses.push(await statusOf(verify()));
      expect(statuses).toEqual([500, 500, 502, 503, 200]);
    });

    it('keeps a fault of failNext until a request to its endpoint arrives', async () => {
      emulator.failNext(500, 'verify');
      emulator.failNext(502, { where: 'keys', times: 2 });
      emulator.failNext(503, 'token');
      expect(await statusOf(list())).toBe(502);
      expect(await statusOf(mint())).toBe(503);
      expect(await statusOf(fetch(`${emulator.domain}/.well-known/jwks`))).toBe(200);
      expect(await statusOf(verify())).toBe(500);
      expect(await statusOf(verify())).toBe(200);
      expect(await statusOf(list())).toBe(502);
      expect(await statusOf(list())).toBe(200);
    });

    it.each([
      ['apis', '/api/v1/apis'],
      ['jwks', '/.well-known/jwks'],
    ] as const)('applies a fault of failNext to the endpoint %s', async (where, path) => {
      emulator.failNext(500, where);
      expect(await statusOf(verify())).toBe(200);
      expect(await statusOf(fetch(`${emulator.domain}${path}`))).toBe(500);
    });

    it('applies a fault of failNext without an endpoint to the next request, unknown paths included', async () => {
      emulator.failNext(500);
      expect(await statusOf(fetch(`${emulator.domain}/nowhere`))).toBe(500);
      expect(await statusOf(fetch(`${emulator.domain}/nowhere`))).toBe(404);
    });

    it('applies a fault of failUntilCleared until it is cleared or replaced', async () => {
      emulator.failUntilCleared(500, 'verify');
      expect([await statusOf(verify()), await statusOf(verify()), await statusOf(list())]).toEqual([500, 500, 200]);
      emulator.failUntilCleared(502, 'verify');
      expect(await statusOf(verify())).toBe(502);
      emulator.clearFaults();
      expect(await statusOf(verify())).toBe(200);
    });

    it('prefers failNext to the standing fault of the endpoint, and that to the standing fault of all', async () => {
      emulator.failUntilCleared(500);
      emulator.failUntilCleared(502, 'verify');
      emulator.failNext(503, 'verify');
      expect([await statusOf(verify()), await statusOf(verify()), await statusOf(list())]).toEqual([503, 502, 500]);
    });

    it('keeps the faults of other endpoints when one endpoint is cleared', async () => {
      emulator.failNext(500, 'verify');
      emulator.failUntilCleared(500, 'verify');
      emulator.failNext(502, 'keys');
      emulator.clearFaults('verify');
      expect([await statusOf(verify()), await statusOf(list())]).toEqual([200, 502]);
    });

    it('copies a fault, so that later changes of the argument have no effect', async () => {
      const fault = { status: 500 };
      emulator.failNext(fault);
      fault.status = 502;
      expect(await statusOf(verify())).toBe(500);
    });
  });

  describe('validation', () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    const unknown =
      /^KindeEmulator: unknown fault\. Valid: a status as a number, or one of \{ redirect, status\? \}, .*tokenError/;

    it.each<[unknown, RegExp]>([
      [{ explode: true }, unknown],
      [{}, unknown],
      [null, unknown],
      ['503', unknown],
      [undefined, unknown],
      [{ hang: true, reset: true }, /the fault "hang" takes no "reset"\. Valid: /],
      [{ status: 500, retry: 1 }, /the fault "status" takes no "retry"/],
      [{ hang: false }, /the fault "hang" must be true/],
      [99, /the fault "status" must be an integer from 200 to 599/],
      [{ status: 500, body: circular }, /with a body that JSON can hold/],
      [{ status: 500, body: () => 1 }, /with a body that JSON can hold/],
      [{ status: 500, headers: { 'a b': 'c' } }, /valid headers/],
      [{ status: 500, headers: { a: 'b\r\nc: d' } }, /valid headers/],
      [{ status: 500, headers: 'a: b' }, /valid headers/],
      [{ status: 500, echo: 'yes' }, /a boolean echo/],
      [{ status: 429, rateLimitReset: -1 }, /a rateLimitReset of 0 or more seconds/],
      [{ delayMs: -1 }, /the fault "delayMs" must be an integer from 0/],
      [{ trickleMs: 0 }, /the fault "trickleMs" must be an integer from 1/],
      [{ holdUntil: 5 }, /the fault "holdUntil" must be a promise/],
      [{ huge: 15 }, /the fault "huge" must be a number of bytes, an integer of at least 16/],
      [{ redirect: '/x', status: 200 }, /the fault "redirect" must be a URL/],
      [{ redirect: 'x\n' }, /the fault "redirect" must be a URL/],
      [{ tokenError: 'bad' }, /the fault "tokenError" must be one of invalid_client/],
    ])('rejects %p with a TypeError at once', async (fault, message) => {
      expect(() => emulator.failNext(fault as KindeEmulatorFault)).toThrow(message);
      expect(() => emulator.failUntilCleared(fault as KindeEmulatorFault)).toThrow(message);
      expect(await statusOf(verify())).toBe(200);
    });

    it('rejects an unknown endpoint, less than one time, and a token error at another endpoint at once', () => {
      const noEndpoint = 'there is no endpoint "login". Valid: token, verify, keys, apis, jwks';
      expect(() => emulator.failNext(500, 'login' as 'token')).toThrow(noEndpoint);
      expect(() => emulator.failUntilCleared(500, 'login' as 'token')).toThrow(noEndpoint);
      expect(() => emulator.clearFaults('login' as 'token')).toThrow(noEndpoint);
      expect(() => emulator.failNext(500, 0)).toThrow('times must be an integer of at least 1, got 0');
      expect(() => emulator.failNext({ tokenError: 'invalid_client' }, 'verify')).toThrow('at the endpoint token only');
    });
  });
});
