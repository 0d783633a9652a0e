import { KindeEmulator } from 'nestjs-kinde-api-key/testing';
import { io, type Socket } from 'socket.io-client';
import { SCOPES } from '../apps/sample/src/scopes.js';
import { KINDE_VARIABLES } from '../apps/sample/src/start-up/settings.js';
import { type RunningSample, startSample } from '../apps/sample/src/start-up/start-sample.js';

describe.each(['express', 'fastify'] as const)("the sample's gateway, on %s", (httpAdapter) => {
  let kinde: KindeEmulator;
  let sample: RunningSample;
  const sockets: Socket[] = [];

  beforeAll(async () => {
    kinde = await KindeEmulator.start({ apis: [{ name: 'Sample API', scopes: SCOPES }] });
    Object.assign(process.env, kinde.environment);
    sample = await startSample({ port: 0, httpAdapter, kindeDomain: kinde.domain });
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.close();
  });
  afterAll(async () => {
    await sample.stop();
    await kinde.stop();
    for (const name of KINDE_VARIABLES) delete process.env[name];
  });

  const newKey = (orgCode: string, scopes: readonly string[] = SCOPES) => kinde.createKey({ orgCode, scopes });

  /** Connects as a browser does: it cannot set headers. */
  function connect(rawKey?: string, url = sample.url): Socket {
    const auth = rawKey === undefined ? {} : { authorization: `Bearer ${rawKey}` };
    const socket = io(url, { auth, forceNew: true, reconnection: false });
    sockets.push(socket);
    return socket;
  }

  const next = (socket: Socket, event: string): Promise<unknown> =>
    new Promise((resolve) => {
      socket.once(event, resolve);
    });

  /** Asks for the new projects of an organization, and returns the answer or the refusal. */
  function watch(socket: Socket, payload: unknown): Promise<unknown> {
    const answer = Promise.race([next(socket, 'watching'), next(socket, 'exception')]);
    socket.emit('watch', payload);
    return answer;
  }

  const send = (method: string, path: string, rawKey: string, body?: object): Promise<Response> =>
    fetch(sample.url + path, {
      method,
      headers: { authorization: `Bearer ${rawKey}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
  const create = (orgCode: string, rawKey: string, name: string): Promise<Response> =>
    send('POST', `/organizations/${orgCode}/projects`, rawKey, { name });

  it('tells a client about new projects of its own organization alone', async () => {
    const [acme, globex] = [newKey('org_acme').key, newKey('org_globex').key];
    const socket = connect(acme);
    expect(await watch(socket, { orgCode: 'org_acme' })).toBe('org_acme');
    const told = next(socket, 'project');
    expect((await create('org_globex', globex, 'Gemini')).status).toBe(201);
    expect((await create('org_acme', acme, 'Mercury')).status).toBe(201);
    expect(await told).toMatchObject({ name: 'Mercury', organizationCode: 'org_acme' });
  });

  it.each<[string, () => string | undefined, unknown, string]>([
    ['no key', () => undefined, { orgCode: 'org_acme' }, 'MISSING_KEY'],
    ["another organization's key", () => newKey('org_globex').key, { orgCode: 'org_acme' }, 'ORG_MISMATCH'],
    ['a key without the scope', () => newKey('org_acme', []).key, { orgCode: 'org_acme' }, 'INSUFFICIENT_SCOPE'],
    ['a list of organizations', () => newKey('org_acme').key, { orgCode: ['org_acme', 'org_globex'] }, 'ORG_MISMATCH'],
    ['no organization', () => newKey('org_acme').key, undefined, 'ORG_MISMATCH'],
  ])('refuses to be watched with %s', async (_case, keyOf, payload, code) => {
    const socket = connect(keyOf());
    let told = 0;
    socket.on('project', () => (told += 1));
    expect(await watch(socket, payload)).toMatchObject({ code });
    await create('org_acme', newKey('org_acme').key, 'Mercury');
    await watch(socket, payload); // its answer comes after what was sent before
    expect(told).toBe(0);
  });

  it('closes the connection of a key that is revoked through the API', async () => {
    const { key, keyId } = newKey('org_acme');
    const socket = connect(key);
    await watch(socket, { orgCode: 'org_acme' });
    const closed = next(socket, 'disconnect');
    const { status } = await send('DELETE', `/organizations/org_acme/api-keys/${keyId}`, newKey('org_acme').key);
    expect([status, await closed]).toEqual([204, 'io server disconnect']);
  });

  it('does not keep the API from stopping', async () => {
    const other = await startSample({ port: 0, httpAdapter, kindeDomain: kinde.domain });
    const socket = connect(newKey('org_acme').key, other.url);
    await watch(socket, { orgCode: 'org_acme' });
    const closed = next(socket, 'disconnect');
    await other.stop();
    expect(await closed).toEqual(expect.any(String));
  });
});
