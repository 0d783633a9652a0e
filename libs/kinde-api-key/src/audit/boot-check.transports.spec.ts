import 'reflect-metadata';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  UseGuards,
  type INestApplication,
  type ModuleMetadata,
  type OnApplicationBootstrap,
  type OnModuleInit,
  type Type,
} from '@nestjs/common';
import { APP_GUARD, ExternalContextCreator, LazyModuleLoader } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import {
  AnyValidKey,
  ApiKeyGuard,
  KindeApiKeyConfigurationError,
  KindeApiKeyModule,
  OrgScoped,
  PublicRoute,
  RateLimit,
  RequireScopes,
  type KindeApiKeyModuleExtras,
  type KindeApiKeyOptions,
} from '../index.js';

const CONNECTION = {
  domain: 'http://127.0.0.1:9',
  clientId: 'id',
  clientSecret: 'secret',
  verifyAtBoot: false,
} as const;

interface Parts
  extends
    KindeApiKeyModuleExtras,
    Pick<KindeApiKeyOptions, 'rpcCredential'>,
    Pick<ModuleMetadata, 'providers' | 'imports'> {
  readonly controllers?: Type[];
}

const opened: INestApplication[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((app) => app.close()));
});

/** Boots an app, and returns its warnings. */
async function boot({ controllers = [], providers = [], imports = [], ...extras }: Parts): Promise<string[]> {
  const warnings: string[] = [];
  const warn = (message: unknown): void => void warnings.push(String(message));
  const testing = Test.createTestingModule({
    imports: [KindeApiKeyModule.forRoot({ ...CONNECTION, ...extras }), ...imports],
    controllers,
    providers,
  }).setLogger({ log: () => undefined, error: () => undefined, warn });
  const app = (await testing.compile()).createNestApplication();
  opened.push(app);
  await app.init();
  return warnings;
}

async function problemsOf(parts: Parts): Promise<readonly string[]> {
  const error: unknown = await boot(parts).catch((thrown: unknown) => thrown);
  if (!(error instanceof KindeApiKeyConfigurationError))
    throw new Error(`booted, or failed otherwise: ${String(error)}`);
  return error.problems;
}

// What the decorators of @nestjs/microservices, @nestjs/websockets and @nestjs/graphql leave on a class or a method.
const MessagePattern: MethodDecorator = (_target, _name, { value }) =>
  Reflect.defineMetadata('microservices:pattern', ['find'], value as object);
const WebSocketGateway: ClassDecorator = (target) => Reflect.defineMetadata('websockets:is_gateway', true, target);
const SubscribeMessage: MethodDecorator = (_target, _name, { value }) =>
  Reflect.defineMetadata('websockets:message_mapping', true, value as object);
const Query: MethodDecorator = (_target, _name, { value }) =>
  Reflect.defineMetadata('graphql:resolver_type', 'Query', value as object);

/** A provider that Nest calls for the jobs of a queue, from the moment at which a queue package asks for it. */
function consumer(
  rule: MethodDecorator,
  moment: 'constructor' | 'onModuleInit' | 'onApplicationBootstrap',
  guards = true,
): Type {
  @Injectable()
  class JobConsumer implements OnModuleInit, OnApplicationBootstrap {
    constructor(@Inject(ExternalContextCreator) private readonly creator: ExternalContextCreator) {
      if (moment === 'constructor') this.register();
    }
    onModuleInit(): void {
      if (moment === 'onModuleInit') this.register();
    }
    onApplicationBootstrap(): void {
      if (moment === 'onApplicationBootstrap') this.register();
    }
    private register(): void {
      const options = { guards, interceptors: true, filters: true };
      this.creator.create(
        this,
        this.onJob.bind(this),
        'onJob',
        undefined,
        undefined,
        undefined,
        undefined,
        options,
        'rmq',
      );
    }
    @rule
    onJob(): string {
      return 'done';
    }
  }
  return JobConsumer;
}

/** A handler of each transport other than HTTP, with a rule. */
const HANDLERS: Readonly<Record<string, (rule: MethodDecorator) => Parts>> = {
  'a message handler': (rule) => {
    @Controller()
    class Handling {
      @MessagePattern
      @rule
      onJob(): void {}
    }
    return { controllers: [Handling] };
  },
  'a gateway': (rule) => {
    @WebSocketGateway
    class Handling {
      @SubscribeMessage
      @rule
      onJob(): void {}
    }
    return { providers: [Handling] };
  },
  'a resolver': (rule) => {
    @Injectable()
    class Handling {
      @Query
      @rule
      onJob(): void {}
    }
    return { providers: [Handling] };
  },
  'a queue consumer': (rule) => ({ providers: [consumer(rule, 'onModuleInit')] }),
  'a queue consumer that is registered last': (rule) => ({ providers: [consumer(rule, 'onApplicationBootstrap')] }),
};

const noRule: MethodDecorator = () => undefined;

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

const RULES: readonly (readonly [string, MethodDecorator])[] = [
  ["@RequireScopes('a')", RequireScopes('a')],
  ['@AnyValidKey()', AnyValidKey()],
  ['@RateLimit({ limit: 1, windowMs: 1000 })', RateLimit({ limit: 1, windowMs: 1_000 })],
];

describe.each(Object.entries(HANDLERS))('%s', (_name, partsWith) => {
  it('without a decision stops the boot under globalGuard, naming the cure', async () => {
    expect(await problemsOf({ ...partsWith(noRule), globalGuard: true })).toEqual([
      expect.stringMatching(
        /^\w+\.onJob has no decision, which globalGuard demands of every handler.*@PublicRoute\(\)/,
      ),
    ]);
  });

  it('with @PublicRoute() boots, with and without globalGuard', async () => {
    expect(await boot({ ...partsWith(PublicRoute()), globalGuard: true })).toEqual([]);
    expect(await boot(partsWith(PublicRoute()))).toEqual([]);
  });

  it.each(RULES)('with %s stops the boot where no guard reaches it or no key is known', async (text, rule) => {
    const [problem, ...others] = await problemsOf(partsWith(rule));
    expect(others).toEqual([]);
    expect(problem).toMatch(
      new RegExp(
        `^\\w+\\.onJob carries ${escaped(text)} but (no ApiKeyGuard reaches it|is called by|is no HTTP route)`,
      ),
    );
  });

  it('is exempted by its class in publicControllers', async () => {
    const parts = partsWith(noRule);
    const [publicController] = (parts.controllers ?? parts.providers ?? []) as Type[];
    const globalGuard = { publicControllers: publicController ? [publicController] : [] };
    expect(await boot({ ...parts, globalGuard })).toEqual([]);
  });

  it('without a decision boots without globalGuard', async () => {
    expect(await boot(partsWith(noRule))).toEqual([]);
  });
});

describe.each(['a message handler', 'a gateway', 'a resolver'])('%s with a guard of its own', (name) => {
  const guarded: MethodDecorator = UseGuards(ApiKeyGuard);
  const both =
    (rule: MethodDecorator): MethodDecorator =>
    (...target) => {
      rule(...target);
      guarded(...target);
    };
  const partsOf = (rule: MethodDecorator): Parts => HANDLERS[name]?.(both(rule)) ?? {};

  it.each(RULES.filter(([text]) => !text.startsWith('@RateLimit')))(
    'and %s boots, also under globalGuard',
    async (_text, rule) => {
      const rpcCredential = (): undefined => undefined;
      for (const globalGuard of [true, false])
        expect(await boot({ ...partsOf(rule), rpcCredential, globalGuard })).toEqual([]);
    },
  );
});

describe('a guard outside HTTP', () => {
  const providers = [{ provide: APP_GUARD, useExisting: ApiKeyGuard }];

  it('is reported where it refuses every call', async () => {
    @Controller()
    @UseGuards(ApiKeyGuard)
    class Messages {
      @MessagePattern
      find(): void {}
    }
    const parts = { controllers: [Messages], providers: [...providers, consumer(noRule, 'onModuleInit')] };
    expect(await boot(parts)).toEqual([
      expect.stringMatching(/^ApiKeyGuard refuses every call to JobConsumer\.onJob, Messages\.find, because/),
    ]);
  });

  it('is not reported where Nest runs no guards', async () => {
    const unguarded = consumer(noRule, 'onModuleInit', false);
    expect(await boot({ providers: [...providers, unguarded] })).toEqual([]);
  });

  it('is not reported where global guards do not reach: gateways, and microservices beside HTTP', async () => {
    const gateway = HANDLERS['a gateway']?.(noRule).providers ?? [];
    const controllers = HANDLERS['a message handler']?.(noRule).controllers ?? [];
    expect(await boot({ controllers, providers: [...providers, ...gateway] })).toEqual([]);
  });
});

describe('a method that is a route and a message handler', () => {
  it.each([
    ['with a rule that holds for both boots', RequireScopes('admin'), false],
    ['that reads a query parameter stops the boot, because messages have none', OrgScoped({ query: 'org' }), true],
    ['that reads an argument stops the boot, because requests have none', OrgScoped({ arg: 'org' }), true],
  ])('%s', async (_title, rule, stops) => {
    @Controller('jobs')
    @UseGuards(ApiKeyGuard)
    class Jobs {
      @Get()
      @MessagePattern
      @rule
      find(): void {}
    }
    const parts = { controllers: [Jobs], rpcCredential: () => undefined };
    if (stops)
      expect(await problemsOf(parts)).toEqual([expect.stringMatching(/^Jobs\.find carries @OrgScoped\(\) for/)]);
    else expect(await boot(parts)).toEqual([]);
  });
});

describe('a module that is loaded lazily', () => {
  it.each([
    ['without a decision is refused under globalGuard', noRule, 'JobConsumer.onJob has no decision'],
    ['with a rule is refused', RequireScopes('a'), "JobConsumer.onJob carries @RequireScopes('a')"],
  ])('and has a handler %s', async (_title, rule, problem) => {
    await boot({ globalGuard: true });
    @Module({ providers: [consumer(rule, 'constructor')] })
    class Lazy {}
    const load = opened[0]?.get(LazyModuleLoader).load(() => Lazy);
    await expect(load).rejects.toThrow(problem);
  });

  it('and has a public handler is loaded', async () => {
    await boot({ globalGuard: true });
    @Module({ providers: [consumer(PublicRoute(), 'constructor')] })
    class Lazy {}
    await expect(opened[0]?.get(LazyModuleLoader).load(() => Lazy)).resolves.toBeDefined();
  });
});
