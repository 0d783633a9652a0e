import { request } from 'node:http';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { resolveOptions } from '../config/resolved-options.js';
import { KindeEmulator, type KindeEmulatorOptions } from './index.js';

const portOf = (emulator: KindeEmulator): number => Number(new URL(emulator.domain).port);
const verify = async (emulator: KindeEmulator, key: string, token = emulator.issueToken()): Promise<Response> =>
  fetch(`${emulator.domain}/api/v1/api_keys/verify`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ api_key: key }),
  });

describe('KindeEmulator', () => {
  let emulator: KindeEmulator;

  beforeEach(async () => {
    emulator = await KindeEmulator.start();
  });
  afterEach(() => emulator.stop());

  it('listens on a free port of 127.0.0.1 only', async () => {
    expect(emulator.domain).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(portOf(emulator)).toBeGreaterThan(0);
    const socket = connect(portOf(emulator), '127.0.0.2');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
  });

  it('rejects with the port and the reason when the port is in use', async () => {
    await expect(KindeEmulator.start({ port: portOf(emulator) })).rejects.toMatchObject({
      code: 'EADDRINUSE',
      message: `KindeEmulator: cannot listen on 127.0.0.1:${portOf(emulator)}: it is already in use`,
    });
  });

  it.each<[string, object]>([
    ['unknown start option "ports". Valid: port, clock, invalidKeyAnswer', { ports: 1 }],
    ['port must be an integer from 0 to 65535, got -1', { port: -1 }],
    ['port must be an integer from 0 to 65535, got 80', { port: '80' }],
    ["invalidKeyAnswer must be one of '200', '200-nulls', 400, 401, 403, 404, got 200", { invalidKeyAnswer: 200 }],
    ['clock must have a method now()', { clock: {} }],
    ['tokenLifetimeSeconds must be an integer of at least 1, got 0', { tokenLifetimeSeconds: 0 }],
    ['clientSecret must be a string that is not empty', { credentials: { clientId: 'a', clientSecret: '' } }],
    ['apis must have at least one entry', { apis: [] }],
    [
      'two of the apis have the same id',
      {
        apis: [
          { id: 'a', name: 'A' },
          { id: 'a', name: 'B' },
        ],
      },
    ],
    ['unknown key option "scope"', { keys: [{ scope: ['a'] }] }],
  ])('does not start: %s', async (message, options) => {
    await expect(KindeEmulator.start(options as KindeEmulatorOptions)).rejects.toThrow(`KindeEmulator: ${message}`);
  });

  it('closes the port when a later check of the options fails', async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    probe.close();
    await once(probe, 'close');
    await expect(KindeEmulator.start({ port, apis: [] })).rejects.toThrow(TypeError);
    await (await KindeEmulator.start({ port })).stop();
  });

  it('has an environment for an app that reads it, with the current credentials', async () => {
    const environment = () => ({
      KINDE_DOMAIN: emulator.domain,
      KINDE_MANAGEMENT_CLIENT_ID: emulator.credentials.clientId,
      KINDE_MANAGEMENT_CLIENT_SECRET: emulator.credentials.clientSecret,
    });
    expect(emulator.environment).toEqual(environment());
    emulator.changeApplication({ clientSecret: 'rotated' });
    expect(emulator.environment).toEqual(environment());
    expect(resolveOptions({}, { ...emulator.environment }).kinde).toMatchObject({ origin: emulator.domain });
  });

  it('starts with the given credentials, keys and invalidKeyAnswer', async () => {
    const key = 'k_live_0123456789abcdef0123456789abcdef';
    await using seeded = await KindeEmulator.start({
      credentials: { clientId: 'id', clientSecret: 'secret' },
      invalidKeyAnswer: 404,
      scopes: ['read:apis'],
      tokenLifetimeSeconds: 30,
      keys: [{ key, keyId: 'api_key_1', scopes: ['read:users'], orgCode: 'org_a' }],
    });
    expect(seeded.credentials).toEqual({ clientId: 'id', clientSecret: 'secret' });
    expect(await (await verify(seeded, key)).json()).toMatchObject({ key_id: 'api_key_1', org_code: 'org_a' });
    expect((await verify(seeded, 'k_live_unknown')).status).toBe(404);
    const response = await fetch(`${seeded.domain}/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: 'id',
        client_secret: 'secret',
        audience: `${seeded.domain}/api`,
      }),
    });
    expect(await response.json()).toMatchObject({ scope: 'read:apis', expires_in: 30 });
  });

  it('throws a TypeError with the reason for an invalid key', () => {
    const { key, keyId } = emulator.createKey();
    expect(() => emulator.createKey({ key })).toThrow('a key with this value exists already');
    expect(() => emulator.createKey({ keyId })).toThrow(`a key with the id "${keyId}" exists already`);
    expect(() => emulator.createKey({ org: 'a' } as object)).toThrow('unknown key option "org"');
    expect(() => emulator.createKey({ scopes: ['a b'] })).toThrow('scopes must be an array of strings');
    expect(() => emulator.createKey({ scopes: 'a' as unknown as string[] })).toThrow('scopes must be an array');
    expect(() => emulator.createKey({ orgCode: '' })).toThrow('orgCode must be a string that is not empty');
    expect(() => emulator.createKey({ userId: 5 as unknown as string })).toThrow('userId must be a string');
    expect(() => emulator.createKey({ type: 'robot' as 'user' })).toThrow('type must be one of user, organization');
    expect(() => emulator.createKey({ apiId: 'a', apiIds: ['b'] })).toThrow('either apiId or apiIds');
    expect(() => emulator.createKey(null as unknown as object)).toThrow('the key options must be an object');
    const noKey = 'there is no key with the id "unknown"';
    expect(() => emulator.rotateKey('unknown')).toThrow(noKey);
    expect(() => emulator.revokeKey('unknown')).toThrow(noKey);
    expect(() => emulator.setKeyStatus('unknown', 'active')).toThrow(noKey);
    expect(emulator.getKey('unknown')).toBeUndefined();
  });

  it('assigns a key to its first API by default, and to another, several or none on request', () => {
    const apiIdsOf = (options: object): unknown => emulator.getKey(emulator.createKey(options).keyId)?.apiIds;
    expect(emulator.apis.map((api) => api.isManagementApi)).toEqual([true, false]);
    expect(emulator.apis[1]?.id).toBe(emulator.apiId);
    expect(apiIdsOf({})).toEqual([emulator.apiId]);
    expect(apiIdsOf({ apiId: 'api_other' })).toEqual(['api_other']);
    expect(apiIdsOf({ apiIds: ['a', 'b'] })).toEqual(['a', 'b']);
    expect(apiIdsOf({ apiIds: [] })).toEqual([]);
  });

  it('answers 404 to an unknown path and an unknown method', async () => {
    for (const [method, path] of [
      ['GET', '/'],
      ['GET', '/oauth2/token'],
      ['PATCH', '/api/v1/api_keys/a'],
      ['GET', '/api/v1/apis/a/b/scopes'],
    ] as const) {
      const response = await fetch(`${emulator.domain}${path}`, { method });
      expect(response.status).toBe(404);
      expect(await response.json()).toEqual({
        errors: { code: 'ROUTE_NOT_FOUND', message: 'The requested API route does not exist' },
      });
    }
  });

  it('counts requests by kind in one live object', async () => {
    const { counters } = emulator;
    const names = [
      'tokenRequests',
      'mints',
      'exchanges',
      'jwksReads',
      'verifies',
      'reads',
      'lists',
      'changes',
      'apiReads',
    ];
    const zero = Object.fromEntries(['requests', ...names].map((name) => [name, 0]));
    expect(counters).toEqual(zero);
    const { key } = emulator.createKey();
    const call = async (method: string, path: string): Promise<void> => {
      await (await fetch(`${emulator.domain}${path}`, { method })).arrayBuffer();
    };
    await (await verify(emulator, key)).arrayBuffer();
    await (await verify(emulator, 'unknown', 'none')).arrayBuffer();
    await call('POST', '/oauth2/token');
    await call('GET', '/api/v1/api_keys');
    await call('GET', '/api/v1/api_keys/a');
    await call('POST', '/api/v1/api_keys');
    await call('PUT', '/api/v1/api_keys/a');
    await call('DELETE', '/api/v1/api_keys/a');
    await call('GET', '/api/v1/apis');
    await call('GET', '/api/v1/apis/a/scopes');
    await call('GET', '/.well-known/jwks');
    await call('GET', '/nowhere');
    expect(counters).toEqual({
      requests: 12,
      tokenRequests: 1,
      mints: 0,
      exchanges: 0,
      jwksReads: 1,
      verifies: 2,
      reads: 1,
      lists: 1,
      changes: 3,
      apiReads: 2,
    });
    emulator.resetCounters();
    expect(counters).toEqual(zero);
    expect(emulator.counters).toBe(counters);
  });

  it('resolves nextRequest() when a request to the given endpoint arrives', async () => {
    const arrivals: string[] = [];
    const any = emulator.nextRequest().then(() => arrivals.push('any'));
    const verified = emulator.nextRequest('verify').then(() => arrivals.push('verify'));
    await (await fetch(`${emulator.domain}/.well-known/jwks`)).arrayBuffer();
    await any;
    expect(arrivals).toEqual(['any']);
    await (await verify(emulator, 'unknown')).arrayBuffer();
    await verified;
    expect(arrivals).toEqual(['any', 'verify']);
  });

  it('shares no state with another emulator in the process', async () => {
    await using other = await KindeEmulator.start({ invalidKeyAnswer: 404 });
    const { key } = emulator.createKey();
    other.failUntilCleared(500, 'token');
    expect((await verify(emulator, key)).status).toBe(200);
    expect((await verify(other, key)).status).toBe(404);
    expect((await verify(other, key, emulator.issueToken())).status).toBe(401);
    expect(other.credentials).not.toEqual(emulator.credentials);
    expect(emulator.counters.verifies).toBe(1);
    expect(other.counters.verifies).toBe(2);
  });

  describe('stop()', () => {
    it.each([
      { hang: true },
      { delayMs: 2_000_000_000 },
      { trickleMs: 2_000_000_000 },
      { holdUntil: new Promise(() => {}) },
    ] as const)('closes at once while a request waits because of %p', async (fault) => {
      emulator.failNext(fault);
      const arrived = emulator.nextRequest();
      const waiting = verify(emulator, 'unknown').then((response) => response.text());
      const outcome = waiting.catch((error: Error) => error.message);
      await arrived;
      await emulator.stop();
      expect(await outcome).toMatch(/fetch failed|terminated/);
    });

    it('closes at once while it sends an endless body to a client that does not read', async () => {
      emulator.failNext({ endless: true });
      const outgoing = request(`${emulator.domain}/`).end();
      const [message] = (await once(outgoing, 'response')) as [NodeJS.ReadableStream];
      const closed = once(message, 'error');
      await emulator.stop();
      message.resume();
      expect(await closed).toMatchObject([{ code: 'ECONNRESET' }]);
    });

    it('closes idle connections, and connections without a complete request', async () => {
      await (await verify(emulator, 'unknown')).text();
      const silent = connect(portOf(emulator), '127.0.0.1');
      const halfway = connect(portOf(emulator), '127.0.0.1');
      const closed = (socket: Socket): Promise<unknown> => once(socket.on('error', () => undefined).resume(), 'close');
      const both = Promise.all([closed(silent), closed(halfway)]);
      const arrived = emulator.nextRequest();
      halfway.write('POST /oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\na');
      await Promise.all([once(silent, 'connect'), arrived]);
      await emulator.stop();
      expect(await both).toHaveLength(2);
    });

    it('may be called again, and frees the port', async () => {
      const port = portOf(emulator);
      const first = emulator.stop();
      expect(emulator.stop()).toBe(first);
      await first;
      await emulator.stop();
      await using successor = await KindeEmulator.start({ port });
      expect(portOf(successor)).toBe(port);
    });
  });

  it('imports only Node and the clock, so that the command line loads no Nest', () => {
    const emulator = readdirSync(join(__dirname, 'emulator')).map((file) => `emulator/${file}`);
    const files = [...emulator, 'kinde-emulator.ts'].filter((file) => /(?<!\.spec)\.ts$/.test(file));
    const imports = files.flatMap((file) => {
      const source = readFileSync(join(__dirname, file), 'utf8');
      return [...source.matchAll(/ from '([^']+)'/g)].map((match) => match[1]);
    });
    const foreign = imports.filter((name) => !/^(node:|\.\/)/.test(name ?? ''));
    expect(new Set(foreign)).toEqual(new Set(['../../clock.js']));
  });
});
