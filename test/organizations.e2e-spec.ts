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
  nobody: { id: 'nobody', organization: null },
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

  describe('compares a value of the request', () => {
    it.each([
      ['/param/org_a', '/param/org_b'],
      ['/named/org_a', '/named/org_b'],
      ['/query?org=org_a', '/query?org=org_b'],
    ])('%s passes and %s does not', async (right, wrong) => {
      expect(await scenario.get(right, key)).toMatchObject({ status: 200 });
      expect(await scenario.get(wrong, key)).toMatchObject(MISMATCH);
    });

    it('takes a header in any case, once', async () => {
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
    ])('takes a body %s as %i', async (body, status) => {
      const answer = await scenario.get('/body', key, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      expect(answer.status).toBe(status);
    });

    it.each([
      '/query',
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
    ])('%s is a mismatch', async (path) => {
      expect(await scenario.get(path, key)).toMatchObject(MISMATCH);
    });
  });

  describe('asks a resolver', () => {
    it('and hands what it loaded to the handler, with no second query', async () => {
      const store = scenario.app.get(UserStore, { strict: false });
      const before = store.loads;
      const { status, body } = await scenario.get('/users/ann', key);
      expect({ status, body }).toEqual({ status: 200, body: { id: 'ann', organization: 'org_a' } });
      expect(store.loads).toBe(before + 1);
    });

    it('and takes another organization, and none, for a mismatch', async () => {
      expect(await scenario.get('/users/bob', key)).toMatchObject(MISMATCH);
      expect(await scenario.get('/users/nobody', key)).toMatchObject(MISMATCH);
    });

    it('and lets what it throws reach the app', async () => {
      expect(await scenario.get('/users/unknown', key)).toMatchObject({
        status: 404,
        body: { message: 'no such user' },
      });
      expect(await scenario.get('/throws', key)).toMatchObject({
        status: 404,
        body: { message: 'thrown by the resolver' },
      });
    });

    it('only when the key belongs to an organization', async () => {
      const store = scenario.app.get(UserStore, { strict: false });
      const before = store.loads;
      const { key: personal } = scenario.emulator.createKey({ userId: 'kp_1' });
      expect(await scenario.get('/users/ann', personal)).toMatchObject({ status: 403, body: { code: 'ORG_REQUIRED' } });
      expect(store.loads).toBe(before);
    });

    it.each(['/request-scoped', '/in-request-scope'])(
      'that is built for the request, once, with its REQUEST: %s',
      async (path) => {
        const before = requestScopedInstances;
        expect(await scenario.get(`${path}/org_a`, key)).toMatchObject({ status: 200, body: { resource: 'first' } });
        expect(requestScopedInstances).toBe(before + 1);
        expect(await scenario.get(`${path}/org_b`, key)).toMatchObject(MISMATCH);
      },
    );

    it.each(['/transient', '/function'])('that is transient, or a function: %s', async (path) => {
      expect(await scenario.get(`${path}/org_a`, key)).toMatchObject({ status: 200 });
      expect(await scenario.get(`${path}/org_b`, key)).toMatchObject(MISMATCH);
    });
  });
});
