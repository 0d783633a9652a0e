import { Controller, Get, Injectable, Scope, UseGuards, type Type } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { Args, Field, ObjectType, Parent, Query, ResolveField, Resolver, type GqlModuleOptions } from '@nestjs/graphql';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  AnyValidKey,
  ApiKeyGuard,
  ApiKeyRouteAudit,
  KindeApiKeyConfigurationError,
  OrgScoped,
  PublicRoute,
  RequireScopes,
} from 'nestjs-kinde-api-key';
import { startScenario, type Scenario } from '../support/scenario.js';
import { DRIVERS } from './support/graphql-drivers.js';
import { PLATFORMS } from './support/socket-clients.js';

const none: MethodDecorator = () => undefined;

@ObjectType()
class Report {
  @Field(() => String)
  id!: string;
}

/** A REST controller, a resolver, a gateway and a consumer, whose handlers carry a rule. */
function handlersWith(rule: MethodDecorator): { controllers: Type[]; providers: Type[] } {
  @Controller('reports')
  class ReportsController {
    @Get()
    @rule
    rest() {
      return { by: 'rest' };
    }
  }
  @Controller()
  @UseGuards(ApiKeyGuard)
  class ReportsConsumer {
    @MessagePattern('reports')
    @rule
    message() {
      return 'message';
    }
  }
  @Resolver(() => Report)
  class ReportsResolver {
    @Query(() => Report)
    @rule
    report() {
      return { id: '1' };
    }
    @ResolveField(() => String)
    @rule
    bare() {
      return 'field without parameters';
    }
    @ResolveField(() => String)
    @rule
    title(@Parent() { id }: Report) {
      return `field of ${id}`;
    }
  }
  @WebSocketGateway()
  class ReportsGateway {
    @SubscribeMessage('reports')
    @rule
    socket() {
      return { event: 'answer', data: 'socket' };
    }
  }
  return { controllers: [ReportsController, ReportsConsumer], providers: [ReportsResolver, ReportsGateway] };
}

const HANDLERS = [
  'ReportsController.rest',
  'ReportsConsumer.message',
  'ReportsResolver.report',
  'ReportsResolver.bare',
  'ReportsResolver.title',
  'ReportsGateway.socket',
];

describe.each(DRIVERS.filter(([name]) => name.includes('code first')))(
  'an app with every transport, %s',
  (_name, driver) => {
    let scenario: Scenario | undefined;
    afterEach(async () => {
      await scenario?.close();
      scenario = undefined;
    });

    const start = async (handlers: { controllers: Type[]; providers: Type[] }, graphql?: Partial<GqlModuleOptions>) => {
      scenario = await startScenario({
        adapter: driver.adapter,
        imports: [driver.module(graphql)],
        ...handlers,
        options: { globalGuard: true, rpcCredential: ({ apiKey }: { apiKey: string }) => apiKey },
        prepare: (app) => app.useWebSocketAdapter(new IoAdapter(app)),
      });
      return scenario;
    };
    const problemsOf = async (...args: Parameters<typeof start>): Promise<readonly string[]> => {
      const error: unknown = await start(...args).catch((thrown: unknown) => thrown);
      if (error instanceof KindeApiKeyConfigurationError) return error.problems;
      throw new Error(`it booted, or failed otherwise: ${String(error)}`);
    };
    const namesIn = (problems: readonly string[]) => problems.map((problem) => problem.replace(/ .*/, '')).toSorted();

    /** What each transport answers to a client with a key or without one. */
    const answers = async ({ url, send }: Scenario, key?: string) => {
      const headers = { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) };
      const body = JSON.stringify({ query: '{ report { bare title } }' });
      const [, platform] = PLATFORMS[0] ?? [];
      const client = await platform?.connect(url, headers);
      const all = {
        rest: (await send('/reports', { headers })).body,
        graphql: (await send('/graphql', { method: 'POST', headers, body })).body,
        socket: await client?.ask('reports'),
      };
      client?.close();
      return all;
    };

    it('boots if every handler has a decision, and guards each of them', async () => {
      const started = await start(handlersWith(RequireScopes('read:reports')));
      const routes = started.app.get(ApiKeyRouteAudit).routes();
      expect(routes.map(({ handler, access }) => `${handler} ${access}`).toSorted()).toEqual(
        HANDLERS.map((handler) => `${handler} guarded`).toSorted(),
      );
      const { key } = started.emulator.createKey({ scopes: ['read:reports'] });
      expect(await answers(started, key)).toEqual({
        rest: { by: 'rest' },
        graphql: { data: { report: { bare: 'field without parameters', title: 'field of 1' } } },
        socket: { event: 'answer', data: 'socket' },
      });
      expect(await answers(started)).toMatchObject({
        rest: { code: 'MISSING_KEY' },
        graphql: { errors: [{ extensions: { code: 'MISSING_KEY' } }] },
        socket: { event: 'exception', data: { code: 'MISSING_KEY' } },
      });
    });

    it('boots if every handler is public, and answers without a key', async () => {
      const started = await start(handlersWith(PublicRoute()));
      expect(await answers(started)).toEqual({
        rest: { by: 'rest' },
        graphql: { data: { report: { bare: 'field without parameters', title: 'field of 1' } } },
        socket: { event: 'answer', data: 'socket' },
      });
    });

    it('names every handler without a decision', async () => {
      const problems = await problemsOf(handlersWith(none));
      expect(namesIn(problems)).toEqual(HANDLERS.toSorted());
      for (const problem of problems) expect(problem).toContain('has no decision');
    });

    it('names fields whose rules no guard enforces, without guards among fieldResolverEnhancers', async () => {
      const problems = await problemsOf(handlersWith(RequireScopes('read:reports')), { fieldResolverEnhancers: [] });
      expect(namesIn(problems)).toEqual(['ReportsResolver.bare', 'ReportsResolver.title']);
      for (const problem of problems)
        expect(problem).toMatch(/no ApiKeyGuard reaches it.*fieldResolverEnhancers: \['guards'\]/);
    });

    it('names a resolver that is made for each request, too', async () => {
      @Resolver()
      @Injectable({ scope: Scope.REQUEST })
      class Scoped {
        @Query(() => String)
        scoped() {
          return 'scoped';
        }
      }
      expect(namesIn(await problemsOf({ controllers: [], providers: [Scoped] }))).toEqual(['Scoped.scoped']);
    });

    it.each([
      ['the route parameter', OrgScoped()],
      ['a parameter', OrgScoped({ param: 'orgCode' })],
      ['a query parameter', OrgScoped({ query: 'orgCode' })],
      ['a field of the body', OrgScoped({ body: 'orgCode' })],
    ])('names a resolver that compares %s, and says how', async (_what, rule) => {
      @Resolver()
      class Comparing {
        @Query(() => String)
        @rule
        compared(@Args('orgCode') orgCode: string) {
          return orgCode;
        }
      }
      expect(await problemsOf({ controllers: [], providers: [Comparing] })).toEqual([
        expect.stringMatching(
          /^Comparing\.compared carries .* GraphQL operations do not have: .*@OrgScoped\(\{ arg: 'orgCode' \}\)/,
        ),
      ]);
    });

    it('checks the key in a resolver that is made for each request', async () => {
      @Resolver()
      @Injectable({ scope: Scope.REQUEST })
      class Scoped {
        @Query(() => String)
        @AnyValidKey()
        report() {
          return 'scoped';
        }
      }
      const started = await start({ controllers: [], providers: [Scoped] });
      const ask = async (key?: string) => {
        const headers = { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) };
        return (await started.send('/graphql', { method: 'POST', headers, body: '{"query":"{ report }"}' })).body;
      };
      expect(await ask()).toMatchObject({ errors: [{ extensions: { code: 'MISSING_KEY' } }] });
      expect(await ask(started.emulator.createKey().key)).toEqual({ data: { report: 'scoped' } });
    });
  },
);
