import { Logger } from '@nestjs/common';
import { once } from 'node:events';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { KindeEmulator } from 'nestjs-kinde-api-key/testing';
import { SCOPES } from '../apps/sample/src/scopes.js';
import { KINDE_VARIABLES } from '../apps/sample/src/start-up/settings.js';
import { type RunningSample, startSample } from '../apps/sample/src/start-up/start-sample.js';

const PATH = '/organizations/org_acme/api-keys';
const UNKNOWN_ID = 'api_key_00000000000000000000000000000000';

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

interface NewKey {
  readonly keyId: string;
  readonly key: string;
}

describe.each(['express', 'fastify'] as const)("the sample's keys of an organization, on %s", (httpAdapter) => {
  let kinde: KindeEmulator;
  let sample: RunningSample;
  /** May do everything. */
  let manager: string;
  /** May manage keys and read projects. */
  let limited: string;

  /** Starts the sample on an emulator that the test can change. */
  async function start(): Promise<void> {
    kinde = await KindeEmulator.start({
      apis: [
        { id: 'api_sample', name: 'Sample API', scopes: SCOPES },
        { id: 'api_other', name: 'Other API', scopes: SCOPES },
      ],
    });
    Object.assign(process.env, kinde.environment, { KINDE_API_ID: 'api_sample' });
    sample = await startSample({ port: 0, httpAdapter, kindeDomain: kinde.domain });
    manager = kinde.createKey({ orgCode: 'org_acme', scopes: SCOPES, name: 'manager' }).key;
    limited = kinde.createKey({ orgCode: 'org_acme', scopes: ['manage:keys', 'read:projects'], name: 'limited' }).key;
  }
  async function stop(): Promise<void> {
    await sample.stop();
    await kinde.stop();
    for (const name of [...KINDE_VARIABLES, 'KINDE_API_ID']) delete process.env[name];
  }

  async function send(method: string, path: string, rawKey: string, body?: unknown): Promise<Answer> {
    const response = await fetch(sample.url + path, {
      method,
      headers: {
        authorization: `Bearer ${rawKey}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const parsed = (text.startsWith('{') ? JSON.parse(text) : {}) as Record<string, unknown>;
    return { status: response.status, headers: response.headers, text, body: parsed };
  }

  /** Sends a path as it is: `fetch` would resolve its dots. */
  async function rawStatus(method: string, path: string): Promise<number | undefined> {
    const { hostname, port } = new URL(sample.url);
    const request = httpRequest({
      hostname,
      port,
      method,
      path,
      headers: { authorization: `Bearer ${manager}` },
    }).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  }

  const callWith = async (rawKey: string): Promise<string> => {
    const { status, body } = await send('GET', '/organizations/org_acme/projects', rawKey);
    return status === 200 ? '200' : `${status} ${String(body.code)}`;
  };
  const create = async (rawKey = manager, scopes: readonly string[] = ['read:projects']): Promise<NewKey> => {
    const { status, body } = await send('POST', PATH, rawKey, { name: 'CI', scopes });
    expect(status).toBe(201);
    return body as unknown as NewKey;
  };
  const listed = async (): Promise<Record<string, unknown>[]> =>
    JSON.parse((await send('GET', PATH, manager)).text) as Record<string, unknown>[];

  describe('while Kinde answers', () => {
    beforeAll(start);
    beforeEach(() => kinde.resetCounters());
    afterAll(stop);

    it('creates a key that works at once, for the organization in the path', async () => {
      const { keyId, key } = await create();
      expect(await callWith(key)).toBe('200');
      expect(kinde.getKey(keyId)).toMatchObject({
        name: 'CI',
        type: 'organization',
        orgCode: 'org_acme',
        userId: null,
        scopes: ['read:projects'],
        apiIds: ['api_sample'],
      });
    });

    it('lists the keys without their secrets', async () => {
      const { keyId, key } = await create();
      const { status, text } = await send('GET', PATH, manager);
      expect(status).toBe(200);
      expect(text).not.toContain(key);
      expect((await listed()).find((one) => one.keyId === keyId)).toEqual({
        keyId,
        name: 'CI',
        status: 'active',
        keyPrefix: expect.any(String) as string,
        keySuffix: key.slice(-4),
        scopes: ['read:projects'],
        createdOn: expect.any(String) as string,
        lastVerifiedOn: null,
      });
    });

    it('rotates a key: the next request with the old secret gets 401, with the new one 200', async () => {
      const { keyId, key } = await create();
      expect(await callWith(key)).toBe('200');
      const { status, body } = await send('POST', `${PATH}/${keyId}/rotation`, manager);
      expect({ status, keyId: body.keyId }).toEqual({ status: 201, keyId });
      expect(await callWith(key)).toBe('401 INVALID_KEY');
      expect(await callWith(body.key as string)).toBe('200');
    });

    it('revokes a key: the next request with it gets 401. Revoking it again changes nothing, rotating it is a conflict', async () => {
      const { keyId, key } = await create();
      expect(await callWith(key)).toBe('200');
      expect(await send('DELETE', `${PATH}/${keyId}`, manager)).toMatchObject({ status: 204, text: '' });
      expect(await callWith(key)).toBe('401 KEY_REVOKED');
      expect(await send('DELETE', `${PATH}/${keyId}`, manager)).toMatchObject({ status: 204 });
      expect(await send('POST', `${PATH}/${keyId}/rotation`, manager)).toMatchObject({ status: 409 });
      expect((await listed()).find((one) => one.keyId === keyId)).toMatchObject({ status: 'revoked' });
    });

    it('keeps answers with a raw key out of caches, and raw keys out of the log', async () => {
      const logged: string[] = [];
      const write = (chunk: string | Uint8Array): boolean => logged.push(String(chunk)) > 0;
      const spies = [process.stdout, process.stderr].map((stream) =>
        jest.spyOn(stream, 'write').mockImplementation(write),
      );
      const created = await send('POST', PATH, manager, { name: 'CI', scopes: [] });
      const rotated = await send('POST', `${PATH}/${String(created.body.keyId)}/rotation`, manager);
      kinde.failNext({ truncated: true }, 'keys');
      await send('POST', PATH, manager, { name: 'CI', scopes: [] });
      for (const spy of spies) spy.mockRestore();
      for (const { headers } of [created, rotated]) expect(headers.get('cache-control')).toBe('no-store');
      expect(logged.join('')).toContain('The key may have been created');
      for (const raw of [created.body.key, rotated.body.key, manager]) expect(logged.join('')).not.toContain(raw);
    });

    describe('keys of others', () => {
      it.each([
        ['another organization', { orgCode: 'org_globex' }],
        ['a user of the organization', { orgCode: 'org_acme', userId: 'kp_ada' }],
        ['the whole environment', { type: 'environment' as const }],
        ['another API', { orgCode: 'org_acme', apiId: 'api_other' }],
      ])('of %s are not listed, and neither rotated nor revoked: 404, as for an unknown id', async (_owner, owner) => {
        const { keyId, key } = kinde.createKey({ ...owner, scopes: ['read:projects'], name: 'foreign' });
        expect((await listed()).map((one) => one.keyId)).not.toContain(keyId);
        for (const [method, path] of [
          ['DELETE', ''],
          ['POST', '/rotation'],
        ] as const) {
          const foreign = await send(method, `${PATH}/${keyId}${path}`, manager);
          const unknown = await send(method, `${PATH}/${UNKNOWN_ID}${path}`, manager);
          expect([foreign.status, foreign.text]).toEqual([404, unknown.text]);
        }
        expect(kinde.getKey(keyId)).toMatchObject({ status: 'active', keySuffix: key.slice(-4) });
      });

      it.each(['%2e%2e', '..', '%2e%2e%2fapis', 'a%2Fb', 'k_live_not_an_id', '%00'])(
        'are not reached by the id %s',
        async (id) => {
          for (const [method, path] of [
            ['POST', '/rotation'],
            ['DELETE', ''],
          ] as const)
            expect(await rawStatus(method, `${PATH}/${id}${path}`)).toBe(404);
          expect(kinde.counters.changes).toBe(0);
        },
      );

      it('are not reached under the path of their own organization', async () => {
        const { keyId } = kinde.createKey({ orgCode: 'org_globex' });
        const answer = await send('DELETE', `/organizations/org_globex/api-keys/${keyId}`, manager);
        expect(answer).toMatchObject({ status: 403, body: { code: 'ORG_MISMATCH' } });
      });
    });

    describe('what a caller may pass on', () => {
      it('does not create a key with a scope that the caller lacks', async () => {
        const answer = await send('POST', PATH, limited, { name: 'CI', scopes: ['read:projects', 'write:projects'] });
        expect(answer).toMatchObject({
          status: 403,
          body: { message: 'A key cannot have scopes that your own key lacks' },
        });
        expect(kinde.counters.changes).toBe(0);
        await create(limited, ['read:projects', 'manage:keys']);
      });

      it('does not disclose a new secret of a key with a scope that the caller lacks, but lets it revoke the key', async () => {
        const { keyId, key } = await create(manager, ['write:projects', 'read:projects']);
        expect(await send('POST', `${PATH}/${keyId}/rotation`, limited)).toMatchObject({ status: 403 });
        expect(await callWith(key)).toBe('200');
        expect(await send('DELETE', `${PATH}/${keyId}`, limited)).toMatchObject({ status: 204 });
      });

      it.each([
        [{ name: 'CI', scopes: [], owner: { orgCode: 'org_globex' } }, 'Unrecognized key: "owner"'],
        [{ name: 'CI', scopes: [], orgCode: 'org_globex' }, 'Unrecognized key: "orgCode"'],
        [{ name: 'CI', scopes: [], apiId: 'api_other' }, 'Unrecognized key: "apiId"'],
        [{ name: ' ', scopes: [] }, 'name: must not be empty'],
        [{ name: 'CI' }, 'scopes: must be a list of scopes'],
        [{ name: 'CI', scopes: 'read:projects' }, 'scopes: must be a list of scopes'],
      ])('does not take %j', async (body, message) => {
        const answer = await send('POST', PATH, manager, body);
        expect({ status: answer.status, message: answer.body.message }).toEqual({ status: 400, message: [message] });
      });

      it('requires the scope manage:keys and a key of the organization', async () => {
        const { key: other } = kinde.createKey({ orgCode: 'org_acme', scopes: ['read:projects'] });
        const { key: none } = kinde.createKey({ scopes: SCOPES });
        for (const [method, path] of [
          ['GET', ''],
          ['POST', ''],
          ['POST', `/${UNKNOWN_ID}/rotation`],
          ['DELETE', `/${UNKNOWN_ID}`],
        ] as const) {
          expect(await send(method, PATH + path, other)).toMatchObject({
            status: 403,
            body: { code: 'INSUFFICIENT_SCOPE' },
          });
          expect(await send(method, PATH + path, none)).toMatchObject({ status: 403, body: { code: 'ORG_REQUIRED' } });
        }
      });

      it('does not let a key that was revoked in Kinde create its successor from the cache', async () => {
        const { keyId, key } = kinde.createKey({ orgCode: 'org_acme', scopes: SCOPES });
        expect(await callWith(key)).toBe('200');
        kinde.revokeKey(keyId);
        const now = Date.now();
        const clock = jest.spyOn(Date, 'now').mockImplementation(() => now + 5_001);
        const answer = await send('POST', PATH, key, { name: 'successor', scopes: [] });
        clock.mockRestore();
        expect(answer).toMatchObject({ status: 401, body: { code: 'KEY_REVOKED' } });
      });
    });
  });

  describe('when Kinde does not do what it is asked', () => {
    beforeEach(async () => {
      await start();
      await callWith(manager);
      jest.spyOn(Logger.prototype, 'error').mockImplementation();
    });
    afterEach(async () => {
      jest.restoreAllMocks();
      await stop();
    });

    it('answers 503 when Kinde fails before it can act, and says that nothing was changed', async () => {
      kinde.failUntilCleared(503, 'keys');
      expect(await send('GET', PATH, manager)).toMatchObject({
        status: 503,
        body: { message: 'API keys cannot be managed at the moment. Nothing was changed: try again later' },
      });
    });

    it('answers 409 when the answer to a creation is lost, and does not send it twice', async () => {
      kinde.failNext({ truncated: true }, 'keys');
      const answer = await send('POST', PATH, manager, { name: 'lost', scopes: [] });
      expect(answer).toMatchObject({
        status: 409,
        body: { message: 'Whether this was done is unknown. Load the list of keys before you try again' },
      });
      expect(kinde.counters.changes).toBe(1);
      expect((await listed()).filter(({ name }) => name === 'lost')).toHaveLength(1);
    });

    it('answers 503 with Retry-After when Kinde throttles', async () => {
      kinde.failUntilCleared({ status: 429, headers: { 'retry-after': '7' } }, 'keys');
      const answer = await send('GET', PATH, manager);
      expect(answer.status).toBe(503);
      expect(answer.headers.get('retry-after')).toBe('7');
    });

    it('answers 503 when the M2M application lacks a scope, and names scope and menu in the log alone', async () => {
      kinde.changeApplication({ scopes: ['read:api_keys'] });
      kinde.revokeTokens();
      const answer = await send('POST', PATH, manager, { name: 'CI', scopes: [] });
      expect(answer).toMatchObject({ status: 503 });
      expect(answer.text).not.toContain('create:api_keys');
      expect(Logger.prototype.error).toHaveBeenCalledWith(expect.stringContaining('create:api_keys'));
    });

    it('answers 400 when Kinde does not have a scope of the caller', async () => {
      const { key } = kinde.createKey({
        orgCode: 'org_acme',
        scopes: ['manage:keys', 'gone:scope'],
        apiId: 'api_sample',
      });
      expect(await send('POST', PATH, key, { name: 'CI', scopes: ['gone:scope'] })).toMatchObject({ status: 400 });
    });
  });
});
