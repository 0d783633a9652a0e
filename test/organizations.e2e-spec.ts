import {
  Body,
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  NotFoundException,
  Post,
  Scope,
  UseGuards,
  type ExecutionContext,
} from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { ApiKeyGuard, OrgScoped, ScopedResource, type OrgResolver, type VerifiedApiKey } from 'nestjs-kinde-api-key';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';

interface HasParams {
  params: Record<string, string>;
}

const USERS: Record<string, { id: string; organization: string | null }> = {
  ann: { id: 'ann', organization: 'org_a' },
  bob: { id: 'bob', organization: 'org_b' },
  carol: { id: 'carol', organization: null },
};

@Injectable()
class UserStore {
  loads = 0;

  load(id: string) {
    this.loads += 1;
    const user = USERS[id];
    if (!user) throw new NotFoundException('no such user');
    return Promise.resolve(user);
  }
}

@Injectable()
class UserOrgResolver implements OrgResolver {
  constructor(@Inject(UserStore) private readonly users: UserStore) {}

  async resolveOrgCode(context: ExecutionContext) {
    const user = await this.users.load(context.switchToHttp().getRequest<HasParams>().params.userId ?? '');
    return { orgCode: user.organization, resource: user };
  }
}

let requestScopedInstances = 0;

@Injectable({ scope: Scope.REQUEST })
class RequestScopedResolver implements OrgResolver {
  constructor(@Inject(REQUEST) private readonly request: HasParams) {
    requestScopedInstances += 1;
  }

  resolveOrgCode(context: ExecutionContext) {
    const sameRequest = context.switchToHttp().getRequest<unknown>() === this.request;
    return sameRequest ? { orgCode: this.request.params.org, resource: 'first' } : null;
  }
}

@Injectable({ scope: Scope.TRANSIENT })
class TransientResolver implements OrgResolver {
  resolveOrgCode(context: ExecutionContext) {
    return context.switchToHttp().getRequest<HasParams>().params.org;
  }
}

@Controller()
@UseGuards(ApiKeyGuard)
class ValuesController {
  @Get('param/:orgCode')
  @OrgScoped()
  param() {
    return 'ok';
  }

  @Get('named/:tenant')
  @OrgScoped({ param: 'tenant' })
  named() {
    return 'ok';
  }

  @Get('header')
  @OrgScoped({ header: 'X-Organization' })
  header() {
    return 'ok';
  }

  @Get('query')
  @OrgScoped({ query: 'org' })
  query() {
    return 'ok';
  }

  @Post('body')
  @OrgScoped({ body: 'org' })
  body(@Body() body: unknown) {
    return body;
  }

  @Get('unicode/:orgCode')
  @OrgScoped()
  unicode() {
    return 'ok';
  }

  @Get('prototype-param/:constructor')
  @OrgScoped({ param: 'constructor' })
  prototypeParam() {
    return 'ok';
  }

  @Post('prototype-body')
  @OrgScoped({ body: '__proto__' })
  prototypeBody() {
    return 'ok';
  }

  @Post('constructor-body')
  @OrgScoped({ body: 'constructor' })
  constructorBody() {
    return 'ok';
  }

  @Get('prototype-header')
  @OrgScoped({ header: '__proto__' })
  prototypeHeader() {
    return 'ok';
  }

  @Get('constructor-param')
  @OrgScoped({ query: 'constructor' })
  prototypeName() {
    return 'ok';
  }
}

@Controller()
@UseGuards(ApiKeyGuard)
class ResolverController {
  @Get('users/:userId')
  @OrgScoped({ resolve: UserOrgResolver })
  user(@ScopedResource() user: unknown) {
    return user;
  }

  @Get('request-scoped/:org')
  @OrgScoped({ resolve: RequestScopedResolver })
  @OrgScoped({ resolve: RequestScopedResolver })
  requestScoped(@ScopedResource() resource: unknown) {
    return { resource };
  }

  @Get('transient/:org')
  @OrgScoped({ resolve: TransientResolver })
  transient() {
    return 'ok';
  }

  @Get('function/:org')
  @OrgScoped({
    resolve: (context: ExecutionContext, apiKey: VerifiedApiKey) =>
      apiKey.orgCode ? context.switchToHttp().getRequest<HasParams>().params.org : null,
  })
  byFunction() {
    return 'ok';
  }

  @Get('throws')
  @OrgScoped({
    resolve: () => {
      throw new NotFoundException('thrown by the resolver');
    },
  })
  throws() {
    return 'ok';
  }
}

@Controller({ path: 'in-request-scope', scope: Scope.REQUEST })
@UseGuards(ApiKeyGuard)
class RequestScopedController {
  @Get(':org')
  @OrgScoped({ resolve: RequestScopedResolver })
  find(@ScopedResource() resource: unknown) {
    return { resource };
  }
}

@Module({
  controllers: [ResolverController, RequestScopedController],
  providers: [UserStore, UserOrgResolver, RequestScopedResolver, TransientResolver],
})
class ResolverModule {}

const MISMATCH = { status: 403, body: { code: 'ORG_MISMATCH' } };

describeAdapters('@OrgScoped()', (adapter) => {
  let scenario: Scenario;
  let key: string;

  beforeAll(async () => {
    scenario = await startScenario({ adapter, controllers: [ValuesController], imports: [ResolverModule] });
    ({ key } = scenario.emulator.createKey({ orgCode: 'org_a' }));
  });
  afterAll(() => scenario.close());

  describe('with a value of the request', () => {
    it.each([
      ['/param/org_a', '/param/org_b'],
      ['/named/org_a', '/named/org_b'],
      ['/query?org=org_a', '/query?org=org_b'],
    ])('accepts %s and refuses %s', async (right, wrong) => {
      expect(await scenario.get(right, key)).toMatchObject({ status: 200 });
      expect(await scenario.get(wrong, key)).toMatchObject(MISMATCH);
    });

    it('reads a header in any case, and refuses it when sent twice', async () => {
      expect(await scenario.get('/header', key, { headers: { 'x-organization': 'org_a' } })).toMatchObject({
        status: 200,
      });
      expect(await scenario.get('/header', key, { headers: { 'X-ORGANIZATION': 'org_b' } })).toMatchObject(MISMATCH);
      const twice = [
        'Host',
        'localhost',
        'Authorization',
        `Bearer ${key}`,
        'X-Organization',
        'org_a',
        'X-Organization',
        'org_a',
      ];
      expect(await scenario.send('/header', { headers: twice })).toMatchObject(MISMATCH);
    });

    it.each([
      ['{"org":"org_a"}', 201],
      ['{"org":"org_b"}', 403],
      ['{"org":["org_a"]}', 403],
      ['{"org":{"toString":"org_a"}}', 403],
      ['{"org":null}', 403],
      ['{"org":""}', 403],
      ['{"nested":{"org":"org_a"}}', 403],
      ['["org_a"]', 403],
      ['{}', 403],
    ])('answers the body %s with %i', async (body, status) => {
      const answer = await scenario.get('/body', key, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      expect(answer.status).toBe(status);
    });

    it.each([
      // Only the framework's parser reads a body. An unparsed body is a mismatch.
      ['text', 'text/plain', 'org_a'],
      ['text that looks like JSON', 'text/plain', '{"org":"org_a"}'],
      ['a form with the value twice', 'application/x-www-form-urlencoded', 'org=org_a&org=org_a'],
      ['a form with a list', 'application/x-www-form-urlencoded', 'org[]=org_a'],
      [
        'multipart',
        'multipart/form-data; boundary=x',
        '--x\r\nContent-Disposition: form-data; name="org"\r\n\r\norg_a\r\n--x--\r\n',
      ],
      ['bytes', 'application/octet-stream', 'org_a'],
      ['no content type', '', '{"org":"org_a"}'],
      ['a JSON text', 'application/json', '"org_a"'],
      ['a JSON list of objects', 'application/json', '[{"org":"org_a"}]'],
      ['a space before the value', 'application/json', '{"org":" org_a"}'],
      ['the name in another case', 'application/json', '{"ORG":"org_a"}'],
      ['another organization last, under the same name', 'application/json', '{"org":"org_a","org":"org_b"}'],
      ['the name on the prototype', 'application/json', '{"__proto__":{"org":"org_a"}}'],
      ['the name on a constructor', 'application/json', '{"constructor":{"prototype":{"org":"org_a"}}}'],
    ])('refuses a body that is or has %s', async (_title, type, body) => {
      const headers: Record<string, string> = type === '' ? {} : { 'content-type': type };
      const answer = await scenario.get('/body', key, { method: 'POST', headers, body });
      // 400 and 415: the framework's parser rejected it before the guard ran.
      expect([400, 403, 415]).toContain(answer.status);
      if (answer.status === 403) expect(answer).toMatchObject(MISMATCH);
      expect(({} as { org?: unknown }).org).toBeUndefined();
    });

    it('compares the last of two values under one name in JSON, which the handler gets', async () => {
      const sending = {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"org":"org_b","org":"org_a"}',
      };
      expect(await scenario.get('/body', key, sending)).toMatchObject({ status: 201, body: { org: 'org_a' } });
    });

    it.each([
      ['/prototype-param/org_b', 'GET', undefined],
      ['/prototype-header', 'GET', undefined],
      ['/prototype-body', 'POST', '{}'],
      ['/prototype-body', 'POST', '{"__proto__":{}}'],
      ['/constructor-body', 'POST', '{}'],
      ['/constructor-body', 'POST', '{"constructor":{"name":"org_a"}}'],
    ])('refuses a name that every object inherits: %s', async (path, method, body) => {
      const headers: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
      const answer = await scenario.get(path, key, { method, headers, ...(body !== undefined && { body }) });
      // 400: the framework's parser rejects such a body before the guard runs.
      expect([400, 403]).toContain(answer.status);
      expect(answer.status).toBe(body?.includes('proto__') && adapter === 'fastify' ? 400 : 403);
    });

    it.each([
      ['encoded without need', '/param/%6Frg_a', 200],
      ['with an encoded slash after it', '/param/org_a%2f..', 403],
      ['with an encoded slash before it', '/param/%2forg_a', 403],
      ['with an encoded backslash', '/param/org_a%5c', 403],
      ['encoded twice', '/param/org%255Fa', 403],
      ['with an encoded null', '/param/org_a%00', 403],
      ['with an encoded line break', '/param/org_a%0a', 403],
      ['in another script', '/param/org_%D0%B0', 403],
      ['with a query after a semicolon', '/param/org_a;x=1', 403],
    ])('compares a parameter %s as the handler gets it: %s', async (_title, path, status) => {
      expect((await scenario.get(path, key)).status).toBe(status);
    });

    it('distinguishes Unicode normal forms of one name, in the parameter and in the key', async () => {
      const composed = 'org_caf\u00e9';
      const decomposed = composed.normalize('NFD');
      expect(decomposed).not.toBe(composed);
      for (const [own, other] of [
        [composed, decomposed],
        [decomposed, composed],
      ] as const) {
        const { key: unicodeKey } = scenario.emulator.createKey({ orgCode: own });
        expect(await scenario.get(`/unicode/${encodeURIComponent(own)}`, unicodeKey)).toMatchObject({ status: 200 });
        expect(await scenario.get(`/unicode/${encodeURIComponent(other)}`, unicodeKey)).toMatchObject(MISMATCH);
      }
    });

    it.each([
      '/query',
      '/query?__proto__[org]=org_a',
      '/query?constructor.prototype.org=org_a',
      '/query?org%00=org_a',
      '/query?ORG=org_a',
      '/query?org=org_a&org=org_b',
      '/query?org=org_b&org=org_a',
      '/query?org=org_a,org_b',
      '/query?org=org_a%26org=org_b',
      '/query?org=',
      '/query?org=org_a&org=org_a',
      '/query?org[]=org_a',
      '/query?org[a]=org_a',
      '/query?org=ORG_A',
      '/query?org=org_a%00',
      '/query?org=%20org_a',
      '/query?org=org%EF%BC%BFa',
      '/constructor-param',
      '/param/ORG_A',
      '/param/org_a%2F',
    ])('refuses %s', async (path) => {
      expect(await scenario.get(path, key)).toMatchObject(MISMATCH);
    });
  });

  describe('with a resolver', () => {
    it('passes the loaded resource to the handler, without a second query', async () => {
      const store = scenario.app.get(UserStore, { strict: false });
      const before = store.loads;
      const { status, body } = await scenario.get('/users/ann', key);
      expect({ status, body }).toEqual({ status: 200, body: { id: 'ann', organization: 'org_a' } });
      expect(store.loads).toBe(before + 1);
    });

    it('refuses another organization and a missing one', async () => {
      expect(await scenario.get('/users/bob', key)).toMatchObject(MISMATCH);
      expect(await scenario.get('/users/carol', key)).toMatchObject(MISMATCH);
    });

    it('lets the errors of the resolver reach the app', async () => {
      expect(await scenario.get('/users/unknown', key)).toMatchObject({
        status: 404,
        body: { message: 'no such user' },
      });
      expect(await scenario.get('/throws', key)).toMatchObject({
        status: 404,
        body: { message: 'thrown by the resolver' },
      });
    });

    it('does not call the resolver for a key without an organization', async () => {
      const store = scenario.app.get(UserStore, { strict: false });
      const before = store.loads;
      const { key: personal } = scenario.emulator.createKey({ userId: 'kp_1' });
      expect(await scenario.get('/users/ann', personal)).toMatchObject({ status: 403, body: { code: 'ORG_REQUIRED' } });
      expect(store.loads).toBe(before);
    });

    it.each(['/request-scoped', '/in-request-scope'])(
      'creates a request-scoped resolver once per request, with its REQUEST: %s',
      async (path) => {
        const before = requestScopedInstances;
        expect(await scenario.get(`${path}/org_a`, key)).toMatchObject({ status: 200, body: { resource: 'first' } });
        expect(requestScopedInstances).toBe(before + 1);
        expect(await scenario.get(`${path}/org_b`, key)).toMatchObject(MISMATCH);
      },
    );

    it.each(['/transient', '/function'])('accepts a transient resolver and a function: %s', async (path) => {
      expect(await scenario.get(`${path}/org_a`, key)).toMatchObject({ status: 200 });
      expect(await scenario.get(`${path}/org_b`, key)).toMatchObject(MISMATCH);
    });
  });
});
