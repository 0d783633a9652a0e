import type { GqlModuleOptions } from '@nestjs/graphql';
import {
  ApiKeyProblemDetailsFilter,
  ApiKeyVerificationService,
  type ApiKeyDecision,
  type KindeApiKeyOptions,
} from 'nestjs-kinde-api-key';
import { startScenario, type Scenario } from '../support/scenario.js';
import { DRIVERS } from './support/graphql-drivers.js';
import { ProjectsResolver } from './support/projects.resolver.js';

interface GraphqlAnswer {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly { readonly message: string; readonly path?: unknown; readonly extensions?: object }[];
}

const BAD_KEY = 'k_live_bad_00000000000';

describe.each(DRIVERS)('GraphQL on %s', (_name, driver) => {
  let scenario: Scenario;
  const decisions: ApiKeyDecision[] = [];

  const start = async (options: KindeApiKeyOptions = {}, ofServer: Partial<GqlModuleOptions> = {}) => {
    const started = await startScenario({
      adapter: driver.adapter,
      imports: [driver.module(ofServer)],
      providers: [ProjectsResolver],
      options: { onDecision: (decision) => decisions.push(decision), ...options },
      // For the HTTP routes of an app. It changes nothing here.
      prepare: (app) => app.useGlobalFilters(new ApiKeyProblemDetailsFilter()),
    });
    return started;
  };
  const askOf = async ({ send }: Scenario, query: string, key?: string): Promise<GraphqlAnswer> => {
    const headers = { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) };
    const { body, status } = await send('/graphql', { method: 'POST', headers, body: JSON.stringify({ query }) });
    expect(status).toBe(200);
    return body as GraphqlAnswer;
  };
  const ask = (query: string, key?: string) => askOf(scenario, query, key);
  const newKey = (scopes: string[] = [], orgCode = 'org_a') => scenario.emulator.createKey({ scopes, orgCode });

  beforeAll(async () => {
    scenario = await start();
  });
  afterAll(() => scenario.close());
  beforeEach(() => {
    decisions.length = 0;
    scenario.emulator.clearFaults();
    scenario.emulator.resetCounters();
  });

  it('answers with data', async () => {
    const { key, keyId } = newKey(['read:projects', 'write:projects', 'read:secrets']);
    expect(await ask('{ open }')).toEqual({ data: { open: 'open' } });
    expect(await ask('{ keyId scoped projects(count: 2) { id owner secret } }', key)).toEqual({
      data: {
        keyId,
        scoped: 'scoped',
        projects: [
          { id: '0', owner: '0 of org_a', secret: 'secret 0' },
          { id: '1', owner: '1 of org_a', secret: 'secret 1' },
        ],
      },
    });
    expect(await ask('mutation { rename(name: "new") }', key)).toEqual({ data: { rename: 'new' } });
  });

  it('needs no key for questions about the schema, which call no handler', async () => {
    const answer = await ask('{ __typename __schema { queryType { name } } }');
    expect(answer).toEqual({ data: { __typename: 'Query', __schema: { queryType: { name: 'Query' } } } });
    expect(decisions).toEqual([]);
  });

  const kindeDown = (): string => {
    scenario.emulator.failUntilCleared(500);
    return newKey().key;
  };
  const revoked = (): string => {
    const { key, keyId } = newKey();
    scenario.emulator.revokeKey(keyId);
    return key;
  };
  const challenge = (rest: string) => ({ 'WWW-Authenticate': `Bearer realm="api"${rest}` });
  const scopes = { required_scopes: ['read:projects'] };

  it.each<[string, string, () => string | undefined, string, number, object, object?]>([
    ['no key', '{ keyId }', () => undefined, 'MISSING_KEY', 401, challenge('')],
    ['a bad key', '{ keyId }', () => BAD_KEY, 'INVALID_KEY', 401, challenge(', error="invalid_token"')],
    ['a malformed key', '{ keyId }', () => 'k', 'MALFORMED_REQUEST', 400, challenge(', error="invalid_request"')],
    ['a revoked key', '{ keyId }', revoked, 'KEY_REVOKED', 401, challenge(', error="invalid_token"')],
    [
      'a missing scope',
      '{ scoped }',
      () => newKey().key,
      'INSUFFICIENT_SCOPE',
      403,
      challenge(', error="insufficient_scope", scope="read:projects"'),
      scopes,
    ],
    ['another organization', '{ ofOrganization(orgCode: "org_b") }', () => newKey().key, 'ORG_MISMATCH', 403, {}],
    ['Kinde down', '{ keyId }', kindeDown, 'VERIFICATION_UNAVAILABLE', 503, { 'Retry-After': expect.any(String) }],
  ])('refuses %s', async (_case, query, keyOf, code, status, headers, members = {}) => {
    expect(await ask(query, keyOf())).toMatchObject({
      errors: [{ message: expect.any(String), extensions: { code, ...members, http: { status, headers } } }],
    });
    expect(decisions).toMatchObject([{ outcome: 'refused', code }]);
  });

  it('refuses a key over its limit, and says when to come back', async () => {
    const { key } = newKey();
    expect(await ask('{ limited }', key)).toEqual({ data: { limited: 'within the limit' } });
    expect(await ask('{ limited }', key)).toEqual({ data: { limited: 'within the limit' } });
    expect(await ask('{ limited }', key)).toMatchObject({
      data: { limited: null },
      errors: [{ extensions: { code: 'RATE_LIMITED', http: { status: 429, headers: { 'Retry-After': '60' } } } }],
    });
  });

  it('verifies, counts and reports one request once, with a hundred resolvers', async () => {
    const { key } = newKey(['read:secrets']);
    const fields = Array.from({ length: 50 }, (_, index) => `f${index}: limited`).join(' ');
    const query = `{ ${fields} keyId projects(count: 50) { owner secret } }`;
    const { data, errors } = await ask(query, key);
    expect(errors).toBeUndefined();
    expect(data).toMatchObject({ f0: 'within the limit', f49: 'within the limit' });
    expect(scenario.emulator.counters.verifies).toBe(1);
    expect(decisions).toMatchObject([{ outcome: 'accepted' }]);
    expect(await ask(query, key)).toMatchObject({ data: { f49: 'within the limit' } });
    expect((await ask(query, key)).errors).toHaveLength(50);
  });

  it('verifies once without a cache, and reports and counts a bad key once', async () => {
    const uncached = await start({ cache: false, failedAttempts: { limit: 2, windowMs: 60_000 } });
    try {
      const { key } = uncached.emulator.createKey({ scopes: ['read:secrets'], orgCode: 'org_a' });
      const query = '{ a: keyId b: keyId projects(count: 20) { owner secret } }';
      expect((await askOf(uncached, query, key)).errors).toBeUndefined();
      expect(uncached.emulator.counters.verifies).toBe(1);
      decisions.length = 0;
      expect(await askOf(uncached, '{ limited scoped a: ofOrganization(orgCode: "org_a") }', BAD_KEY)).toMatchObject({
        data: { limited: null, scoped: null, a: null },
        errors: Array.from({ length: 3 }, () => ({ extensions: { code: 'INVALID_KEY' } })),
      });
      expect(decisions).toMatchObject([{ code: 'INVALID_KEY' }]);
      const codes = async () => (await askOf(uncached, '{ limited }', BAD_KEY)).errors?.[0]?.extensions;
      expect(await codes()).toMatchObject({ code: 'INVALID_KEY' });
      expect(await codes()).toMatchObject({ code: 'TOO_MANY_FAILED_ATTEMPTS' });
    } finally {
      await uncached.close();
    }
  });

  it('checks every call of one resolver with its own arguments', async () => {
    const { key } = newKey();
    const { data, errors } = await ask(
      '{ a: ofOrganization(orgCode: "org_a") b: ofOrganization(orgCode: "org_b") c: ofOrganization(orgCode: "org_a") }',
      key,
    );
    expect(data).toEqual({ a: 'org_a', b: null, c: 'org_a' });
    expect(errors).toMatchObject([{ path: ['b'], extensions: { code: 'ORG_MISMATCH' } }]);
  });

  it('gives every call of one resolver what was loaded for it', async () => {
    const { key } = newKey();
    const query = '{ a: loaded(orgCode: "org_a 1") b: loaded(orgCode: "org_b 2") c: loaded(orgCode: "org_a 3") }';
    expect(await ask(query, key)).toMatchObject({
      data: { a: 'loaded for org_a 1', b: null, c: 'loaded for org_a 3' },
    });
  });

  it('refuses the fields of a scope, and answers the others', async () => {
    const { key } = newKey();
    const { data, errors } = await ask('{ projects(count: 2) { id secret } }', key);
    expect(data).toEqual({
      projects: [
        { id: '0', secret: null },
        { id: '1', secret: null },
      ],
    });
    expect(errors).toHaveLength(2);
    expect(decisions).toMatchObject([
      { outcome: 'accepted', route: 'ProjectsResolver.projects' },
      { outcome: 'refused', code: 'INSUFFICIENT_SCOPE', route: 'ProjectsResolver.secret' },
    ]);
  });

  it('takes no organization from the query and the body that carry the operation', async () => {
    const { key } = newKey();
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
    const query = '{ ofOrganization(orgCode: "org_b") }';
    const body = JSON.stringify({ query, orgCode: 'org_a', args: { orgCode: 'org_a' } });
    const answer = await scenario.send('/graphql?orgCode=org_a', { method: 'POST', headers, body });
    expect(answer.body).toMatchObject({ errors: [{ extensions: { code: 'ORG_MISMATCH' } }] });
  });

  it('keeps answers to keys in other headers from shared caches', async () => {
    const other = await start({ credentials: [{ header: 'x-api-key' }] });
    try {
      const { key, keyId } = other.emulator.createKey({ orgCode: 'org_a' });
      const headers = { 'x-api-key': key, 'apollo-require-preflight': 'true' };
      const answer = await other.send(`/graphql?query=${encodeURIComponent('{ keyId }')}`, { headers });
      expect(answer.body).toEqual({ data: { keyId } });
      expect(answer.headers['cache-control']).toMatch(/^(no-store|private)$/);
    } finally {
      await other.close();
    }
  });

  it('hides what belongs to another organization like a field that finds nothing', async () => {
    const hiding = await start({ hideExistence: true });
    try {
      const { key } = hiding.emulator.createKey({ orgCode: 'org_a' });
      const [error] = (await askOf(hiding, '{ ofOrganization(orgCode: "org_b") }', key)).errors ?? [];
      expect(error).toMatchObject({
        message: 'Not Found',
        extensions: { code: 'NOT_FOUND', http: { status: 404, headers: {} } },
      });
      expect(JSON.stringify(error)).not.toContain('ORG');
      expect(decisions).toMatchObject([{ code: 'ORG_MISMATCH' }]);
    } finally {
      await hiding.close();
    }
  });

  it('answers each operation of a batch, and verifies and counts the batch once', async () => {
    const batches = { allowBatchedHttpRequests: true, allowBatchedQueries: true } as Partial<GqlModuleOptions>;
    const batching = await start({ rateLimit: { limit: 1, windowMs: 60_000 } }, batches);
    try {
      const { key, keyId } = batching.emulator.createKey({ orgCode: 'org_a' });
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
      const body = JSON.stringify(['{ keyId }', '{ a: keyId }', '{ scoped }'].map((query) => ({ query })));
      const answer = await batching.send('/graphql', { method: 'POST', headers, body });
      expect(answer.body).toMatchObject([
        { data: { keyId } },
        { data: { a: keyId } },
        { errors: [{ extensions: { code: 'INSUFFICIENT_SCOPE' } }] },
      ]);
      expect(batching.emulator.counters.verifies).toBe(1);
    } finally {
      await batching.close();
    }
  });

  it('accepts nobody by the key of the client before, if all requests have one context object', async () => {
    // What an object as `context` amounts to in @nestjs/apollo up to 13.
    const shared: { req?: object } = {};
    const context = (given: { req?: object }) => Object.assign(shared, { req: shared.req ?? given.req ?? given });
    const sharing = await start({}, { context });
    try {
      const { key, keyId } = sharing.emulator.createKey();
      expect(await askOf(sharing, '{ a: keyId b: keyId }', key)).toEqual({ data: { a: keyId, b: keyId } });
      expect(await askOf(sharing, '{ keyId }')).toMatchObject({
        errors: [{ extensions: { code: 'UNSUPPORTED_CONTEXT' } }],
      });
    } finally {
      await sharing.close();
    }
  });

  it('accepts a key no longer once it is invalidated', async () => {
    const { key, keyId } = newKey();
    expect(await ask('{ keyId }', key)).toMatchObject({ data: { keyId } });
    scenario.emulator.revokeKey(keyId);
    await scenario.app.get(ApiKeyVerificationService).invalidate({ keyId });
    expect(await ask('{ keyId }', key)).toMatchObject({ errors: [{ extensions: { code: 'KEY_REVOKED' } }] });
  });
});
