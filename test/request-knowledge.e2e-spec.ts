import { Controller, Get, Param, UseGuards, type ExecutionContext } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import {
  ApiKeyGuard,
  ApiKeyVerificationService,
  apiKeyTracker,
  getRefusedApiKey,
  getVerifiedApiKey,
  KindeApiKeyModule,
  OrgScoped,
  RequireScopes,
  type KindeApiKeyOptions,
} from 'nestjs-kinde-api-key';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { send } from './support/http.js';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';
import { verifiedKey } from './support/verified-key.js';

@Controller()
@UseGuards(ApiKeyGuard)
class UsersController {
  @Get('any')
  any(): string {
    return 'ok';
  }

  @Get('scope')
  @RequireScopes('admin')
  scope(): string {
    return 'ok';
  }

  @Get('orgs/:orgCode')
  @OrgScoped()
  org(@Param('orgCode') orgCode: string): string {
    return orgCode;
  }

  @Get('query')
  @OrgScoped({ query: 'orgCode' })
  query(): string {
    return 'ok';
  }

  @Get('body')
  @OrgScoped({ body: 'orgCode' })
  body(): string {
    return 'ok';
  }

  @Get('header')
  @OrgScoped({ header: 'orgCode' })
  header(): string {
    return 'ok';
  }

  @Get('resolved')
  @OrgScoped({ resolve: resolveOrganization })
  resolved(): string {
    return 'ok';
  }
}

/** Finds the organization where a request has one: in any field, and one level deeper in the body. */
function resolveOrganization(context: ExecutionContext): string | undefined {
  const { params, query, headers, body } = context.switchToHttp().getRequest<Record<string, Fields | undefined>>();
  const project = body?.['project'] as Fields | undefined;
  const found = params?.['orgCode'] ?? query?.['orgCode'] ?? headers?.['orgcode'] ?? body?.['orgCode'];
  return (found ?? project?.['orgCode']) as string | undefined;
}

type Fields = Record<string, unknown>;

describeAdapters('after the guard', (adapter) => {
  let scenario: Scenario;
  let log: unknown[];
  const requestToResolver = async () => {
    await start();
    const { key } = scenario.emulator.createKey({ orgCode: 'org_a' });
    const request = { ip: '192.0.2.1', url: '/resolved', headers: {}, rawHeaders: ['Authorization', `Bearer ${key}`] };
    const pass = () =>
      ({
        getClass: () => UsersController,
        getHandler: () => UsersController.prototype.resolved,
        getType: () => 'http',
        switchToHttp: () => ({ getRequest: () => request, getResponse: () => ({ header: () => undefined }) }),
      }) as unknown as ExecutionContext;
    return { guard: scenario.app.get(ApiKeyGuard), request, pass };
  };
  const start = async (options: KindeApiKeyOptions = {}) => {
    log = [];
    scenario = await startScenario({
      adapter,
      controllers: [UsersController],
      options,
      prepare: (app) =>
        app.use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
          response.on('finish', () =>
            log.push([
              getVerifiedApiKey(request)?.keyId,
              getRefusedApiKey(request)?.keyId,
              getVerifiedApiKey(request) && apiKeyTracker(request),
            ]),
          );
          next();
        }),
    });
  };
  afterEach(() => scenario.close());

  it('an access log in middleware knows the key of an accepted and of a refused request', async () => {
    await start();
    const { keyId: id, key } = scenario.emulator.createKey();
    await scenario.get('/any', key);
    await scenario.get('/scope', key);
    await scenario.get('/any', 'k_live_unknown_to_kinde_0');
    await scenario.get('/any');
    expect(log).toEqual([
      [id, undefined, id],
      [undefined, id, undefined],
      [undefined, undefined, undefined],
      [undefined, undefined, undefined],
    ]);
  });

  it('an answer varies by a key header that shared caches do not know, and is private', async () => {
    await start({ credentials: [{ header: 'authorization', scheme: 'Bearer' }, { header: 'x-api-key' }] });
    const { key } = scenario.emulator.createKey();
    expect((await scenario.get('/any', key)).headers).toMatchObject({ vary: 'x-api-key', 'cache-control': 'private' });
    expect((await scenario.get('/any')).headers).toMatchObject({ 'cache-control': 'no-store' });
  });

  it('an answer to a key in Authorization says nothing about caches', async () => {
    await start();
    const { headers } = await scenario.get('/any', scenario.emulator.createKey().key);
    expect(headers).not.toHaveProperty('vary');
    expect(headers).not.toHaveProperty('cache-control');
  });

  it('two credentials are refused with the names of their headers', async () => {
    await start({ credentials: [{ header: 'authorization', scheme: 'Bearer' }, { header: 'x-api-key' }] });
    const { key } = scenario.emulator.createKey();
    const headers = { authorization: `Bearer ${scenario.emulator.issueToken()}`, 'x-api-key': key };
    expect(await scenario.send('/any', { headers })).toMatchObject({
      status: 400,
      body: {
        code: 'MALFORMED_REQUEST',
        message: expect.stringMatching(/^Two credentials, in the headers "authorization" and "x-api-key": /),
      },
    });
  });

  it.each([
    ['params', 'org'],
    ['query', 'query'],
    ['body', 'body'],
    ['headers', 'header'],
  ] as const)('a request that is handed on with other %s is checked again', async (field, handler) => {
    await start();
    const { key } = scenario.emulator.createKey({ orgCode: 'org_a' });
    const guard = scenario.app.get(ApiKeyGuard);
    const values: Record<string, string> = { [field === 'headers' ? 'orgcode' : 'orgCode']: 'org_a' };
    const request = {
      ip: '192.0.2.1',
      url: '/orgs/org_a',
      headers: {},
      rawHeaders: ['Authorization', `Bearer ${key}`],
      [field]: values,
    };
    const context = {
      getClass: () => UsersController,
      getHandler: () => UsersController.prototype[handler],
      getType: () => 'http',
      switchToHttp: () => ({ getRequest: () => request, getResponse: () => ({ header: () => undefined }) }),
    } as unknown as ExecutionContext;
    expect(await guard.canActivate(context)).toBe(true);
    expect(guard.canActivate(context)).toBe(true);
    expect(getVerifiedApiKey(request)).toBeDefined();
    for (const name in values) values[name] = 'org_b';
    expect(() => guard.canActivate(context)).toThrow('organization mismatch');
    expect(getVerifiedApiKey(request)).toBeUndefined();
    expect(getRefusedApiKey(request)).toBeDefined();
  });

  it.each(['params', 'query', 'headers', 'body'])(
    'a resolver is asked again where a request is handed on with other %s',
    async (field) => {
      const { guard, request, pass } = await requestToResolver();
      const values: Fields = { [field === 'headers' ? 'orgcode' : 'orgCode']: 'org_a' };
      Object.assign(request, { [field]: values });
      const context = pass();
      expect(await guard.canActivate(context)).toBe(true);
      expect(guard.canActivate(context)).toBe(true);
      for (const name in values) values[name] = 'org_b';
      expect(() => guard.canActivate(context)).toThrow('organization mismatch');
    },
  );

  it('a resolver is asked again each time that a request reaches a handler', async () => {
    const { guard, request, pass } = await requestToResolver();
    const project = { orgCode: 'org_a' };
    Object.assign(request, { body: { project } });
    expect(await guard.canActivate(pass())).toBe(true);
    project.orgCode = 'org_b';
    expect(() => guard.canActivate(pass())).toThrow('organization mismatch');
  });

  it('a test may replace the verification service by an object with verify() alone', async () => {
    await start();
    const testing = await Test.createTestingModule({
      imports: [KindeApiKeyModule.forRoot({ domain: scenario.emulator.domain, ...scenario.emulator.credentials })],
      controllers: [UsersController],
    })
      .overrideProvider(ApiKeyVerificationService)
      .useValue({ verify: async () => ({ accepted: true, apiKey: verifiedKey() }) })
      .compile();
    const app = testing.createNestApplication(adapter === 'fastify' ? new FastifyAdapter() : new ExpressAdapter(), {
      logger: false,
    });
    await app.listen(0, '127.0.0.1');
    const url = (await app.getUrl()).replace('[::1]', '127.0.0.1');
    const headers = { authorization: 'Bearer k_live_1234567890abcdef' };
    expect(await send(`${url}/any`, { headers })).toMatchObject({ status: 200 });
    await app.close();
  });
});
