import { Validator } from '@seriousme/openapi-schema-validator';
import { Logger } from '@nestjs/common';
import { KindeEmulator } from 'nestjs-kinde-api-key/testing';
import { DEMO_CALLS, type DemoCall, rawKeyOf } from '../apps/sample/src/demo/demo-calls.js';
import { DEMO_KEYS } from '../apps/sample/src/demo/demo-keys.js';
import { KINDE_VARIABLES } from '../apps/sample/src/start-up/settings.js';
import { read } from './support/markdown.js';
import { sourceFiles } from './support/source-files.js';
import { type RunningSample, startSample } from '../apps/sample/src/start-up/start-sample.js';

interface Answer {
  readonly status: number;
  readonly body: string;
}

describe.each(['express', 'fastify'] as const)('the sample on %s', (httpAdapter) => {
  let sample: RunningSample;

  async function send(method: string, path: string, rawKey?: string, body?: unknown): Promise<Answer> {
    const response = await fetch(sample.url + path, {
      method,
      headers: {
        ...(rawKey === undefined ? {} : { authorization: `Bearer ${rawKey}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.text() };
  }

  function sendDemoCall(call: DemoCall): Promise<Answer> {
    return send(call.method, call.path, rawKeyOf(call), call.body);
  }

  function answerOf({ answer: { status, contains } }: DemoCall): Answer {
    return { status, body: expect.stringContaining(contains) as string };
  }

  describe('with the emulator', () => {
    beforeAll(async () => {
      sample = await startSample({ port: 0, httpAdapter, kindeDomain: undefined });
    });
    afterAll(() => sample.stop());

    it.each(DEMO_CALLS)('answers the demo call "$shows" with $answer.status', async (call) => {
      expect(await sendDemoCall(call)).toEqual(answerOf(call));
    });

    it('answers the demo calls alike in any order, also repeatedly', async () => {
      for (const call of DEMO_CALLS.toReversed()) expect(await sendDemoCall(call)).toEqual(answerOf(call));
    });

    it('returns a project only under its own organization', async () => {
      const { key } = DEMO_KEYS.acme;
      expect(await send('GET', '/organizations/org_acme/projects/prj_apollo', key)).toMatchObject({ status: 200 });
      expect(await send('GET', '/organizations/org_acme/projects/prj_gemini', key)).toEqual({
        status: 404,
        body: expect.stringContaining('org_acme has no project prj_gemini') as string,
      });
    });

    it('creates, changes and lists a user', async () => {
      const { key } = DEMO_KEYS.globex;
      const added = await send('POST', '/organizations/org_globex/users', key, {
        name: 'Linus',
        email: 'l@globex.example',
      });
      expect(added.status).toBe(201);
      const { id } = JSON.parse(added.body) as { id: string };
      expect(await send('PATCH', `/users/${id}`, key, { name: 'Linus T.' })).toMatchObject({ status: 200 });
      expect((await send('GET', '/organizations/org_globex/users', key)).body).toContain('"name":"Linus T."');
    });

    it('refuses to change a user of another organization without disclosing whether it exists', async () => {
      const body = { name: 'Mallory' };
      const existing = await send('PATCH', '/users/kp_grace', DEMO_KEYS.acme.key, body);
      const missing = await send('PATCH', '/users/kp_unknown', DEMO_KEYS.acme.key, body);
      expect(existing.status).toBe(403);
      expect(missing).toEqual(existing);
    });

    it('reports every error in a body', async () => {
      const answer = await send('POST', '/organizations/org_acme/users', DEMO_KEYS.acme.key, { name: 7, email: 'ada' });
      expect(answer.status).toBe(400);
      expect(JSON.parse(answer.body)).toMatchObject({
        message: ['name: must be a text', 'email: must be an e-mail address'],
      });
    });

    it('reports a missing body', async () => {
      const answer = await send('POST', '/organizations/org_acme/projects', DEMO_KEYS.acme.key);
      expect(answer).toEqual({ status: 400, body: expect.stringContaining('expected object') as string });
    });

    it('answers GraphQL under the rules of the routes', async () => {
      const query = '{ projects(orgCode: "org_acme") { id name } }';
      const ask = (rawKey?: string): Promise<Answer> => send('POST', '/graphql', rawKey, { query });
      const { data } = JSON.parse((await ask(DEMO_KEYS.acmeReadOnly.key)).body) as { data: { projects: object[] } };
      expect(data.projects).toContainEqual({ id: 'prj_apollo', name: 'Apollo' });
      for (const [rawKey, code] of [
        [undefined, 'MISSING_KEY'],
        [DEMO_KEYS.globex.key, 'ORG_MISMATCH'],
        [DEMO_KEYS.ada.key, 'ORG_REQUIRED'],
      ] as const) {
        const { body } = await ask(rawKey);
        expect(JSON.parse(body)).toMatchObject({ data: null, errors: [{ path: ['projects'], extensions: { code } }] });
      }
    });

    it('writes each decision about a known caller to the audit log, without its key', async () => {
      const log = jest.spyOn(Logger.prototype, 'log').mockImplementation();
      await send('GET', '/organizations/org_acme', DEMO_KEYS.acme.key);
      await send('GET', '/organizations/org_globex', DEMO_KEYS.acme.key);
      const lines = log.mock.calls.map(([line]) => String(line));
      log.mockRestore();
      expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
        { event: 'api_key_decision', outcome: 'accepted', code: null, orgCode: 'org_acme' },
        { event: 'api_key_decision', outcome: 'refused', code: 'ORG_MISMATCH', orgCode: 'org_acme' },
      ]);
      expect(lines.join()).not.toContain(DEMO_KEYS.acme.key);
    });

    it('writes how many unknown callers were refused when it stops', async () => {
      const other = await startSample({ port: 0, httpAdapter, kindeDomain: undefined });
      await fetch(`${other.url}/key`);
      await fetch(`${other.url}/key`);
      const log = jest.spyOn(Logger.prototype, 'log').mockImplementation();
      await other.stop();
      const lines = log.mock.calls.map(([line]) => String(line));
      log.mockRestore();
      expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
        { event: 'api_key_anonymous_refusals', code: 'MISSING_KEY', count: 2 },
      ]);
    });

    it('serves Swagger UI without a key', async () => {
      const page = await send('GET', '/docs');
      expect(page).toEqual({ status: 200, body: expect.stringContaining('swagger-ui') as string });
      expect(await send('GET', '/docs/swagger-ui-bundle.js')).toMatchObject({ status: 200 });
    });

    it('serves the API keys screen without a key, under a policy for the page alone', async () => {
      const page = await fetch(`${sample.url}/api-keys`);
      const policy = page.headers.get('content-security-policy')?.split('; ');
      expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
      expect(policy).toEqual(
        expect.arrayContaining(["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"]),
      );
      expect(policy?.join()).not.toMatch(/unsafe|\*|https?:|data:/);
      const html = await page.text();
      expect(html).not.toMatch(/ (?:on\w+|style)=|<style|<script(?! type="module" src)/);
      const files = [...html.matchAll(/ (?:src|href)="([^"]*)"/g)].map(([, path = '']) => path);
      expect(files).toEqual(['/api-keys/screen.css', '/api-keys/screen.js']);
      const types = ['text/css; charset=utf-8', 'text/javascript; charset=utf-8'];
      for (const [index, path] of files.entries()) {
        const file = await fetch(sample.url + path);
        expect([file.status, file.headers.get('content-type')]).toEqual([200, types[index]]);
        expect(file.headers.get('x-content-type-options')).toBe('nosniff');
        expect(await file.text()).not.toMatch(
          /innerHTML|outerHTML|insertAdjacentHTML|localStorage|sessionStorage|https?:/,
        );
      }
    });

    it('documents every route, all but the public one with a key', async () => {
      const { body } = await send('GET', '/docs-json');
      const document = JSON.parse(body) as {
        security?: unknown;
        paths: Record<string, Record<string, { security?: unknown; requestBody?: unknown; responses: object }>>;
        components: { securitySchemes: { apiKey: { description: string } } };
      };
      expect(await new Validator().validate(document)).toEqual({ valid: true });
      for (const { key } of Object.values(DEMO_KEYS))
        expect(document.components.securitySchemes.apiKey.description).toContain(key);
      expect(document.security).toBeUndefined();
      expect(document.paths['/health']?.['get']?.security).toBeUndefined();
      expect(document.paths['/me']?.['get']?.security).toEqual([{ apiKey: [] }]);
      expect(Object.keys(document.paths['/me']?.['get']?.responses ?? {})).toEqual([
        '200',
        '400',
        '401',
        '403',
        '429',
        '503',
      ]);
      expect(document.paths['/organizations/{orgCode}/projects']?.['post']?.security).toEqual([
        { apiKey: ['write:projects'] },
      ]);
      expect(JSON.stringify(document.paths['/organizations/{orgCode}/projects']?.['post']?.requestBody)).toContain(
        '"name"',
      );
      expect(Object.keys(document.paths)).toEqual(
        expect.arrayContaining([
          '/key',
          '/me',
          '/organizations/{orgCode}',
          '/organizations/{orgCode}/users',
          '/users/{userId}',
        ]),
      );
    });
  });

  it('states nothing about security and refusals by hand', () => {
    const sources = sourceFiles('apps/sample/src').map(read).join('\n');
    expect(sources).toContain('documentApiKeys(');
    expect(sources).not.toMatch(
      /@Api(?:BearerAuth|Security|(?:BadRequest|Unauthorized|Forbidden|TooManyRequests|ServiceUnavailable)Response)|addSecurityRequirements|security:|\(scopes? /,
    );
  });

  describe('with a real Kinde from the environment', () => {
    let kinde: KindeEmulator;

    beforeAll(async () => {
      kinde = await KindeEmulator.start();
      process.env.KINDE_DOMAIN = kinde.domain;
      process.env.KINDE_MANAGEMENT_CLIENT_ID = kinde.credentials.clientId;
      process.env.KINDE_MANAGEMENT_CLIENT_SECRET = kinde.credentials.clientSecret;
      sample = await startSample({ port: 0, httpAdapter, kindeDomain: kinde.domain });
    });
    afterAll(async () => {
      await sample.stop();
      await kinde.stop();
      for (const name of KINDE_VARIABLES) delete process.env[name];
    });

    it('does not start the emulator and refuses demo keys', async () => {
      expect(sample.kinde).toMatchObject({ domain: kinde.domain, isEmulated: false });
      expect(await send('GET', '/key', DEMO_KEYS.acme.key)).toMatchObject({ status: 401 });
    });

    it('inserts an organization when its first key is used', async () => {
      const { key } = kinde.createKey({ orgCode: 'org_real', scopes: ['read:projects', 'write:projects'] });
      const started = await send('POST', '/organizations/org_real/projects', key, { name: 'First' });
      expect(started.status).toBe(201);
      expect(JSON.parse((await send('GET', '/organizations/org_real', key)).body)).toEqual({
        code: 'org_real',
        name: 'org_real',
        users: 0,
        projects: 1,
      });
    });

    it('stays healthy, and says that it is degraded, while Kinde is down and keys in use still work', async () => {
      const { key } = kinde.createKey({ orgCode: 'org_real' });
      await send('GET', '/key', key);
      kinde.failUntilCleared({ status: 500 });
      expect(await send('GET', '/key', DEMO_KEYS.globex.key)).toMatchObject({ status: 503 });
      expect(await send('GET', '/key', key)).toMatchObject({ status: 200 });
      const health = await send('GET', '/health');
      expect(health.status).toBe(200);
      expect(JSON.parse(health.body)).toMatchObject({
        status: 'ok',
        details: { 'api-keys': { status: 'up', degraded: true, reasons: ['kinde_unavailable'] } },
      });
      kinde.clearFaults();
    });

    it('inserts a user, with the organization of the key if it has one', async () => {
      const { key } = kinde.createKey({ userId: 'kp_real', orgCode: 'org_first_seen_here' });
      expect(JSON.parse((await send('GET', '/me', key)).body)).toEqual({
        id: 'kp_real',
        name: 'kp_real',
        email: null,
        organizationCode: 'org_first_seen_here',
      });
    });
  });
});
