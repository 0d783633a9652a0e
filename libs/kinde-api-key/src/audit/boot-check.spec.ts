import 'reflect-metadata';
import {
  Controller,
  Get,
  Injectable,
  Module,
  type CanActivate,
  type DynamicModule,
  type ExecutionContext,
  type INestApplication,
  type ModuleMetadata,
  RequestMethod,
  type Type,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { APP_GUARD, RouterModule } from '@nestjs/core';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import {
  AnyValidKey,
  ApiKeyGuard,
  KindeApiKeyConfigurationError,
  KindeApiKeyModule,
  type KindeApiKeyModuleExtras,
  type KindeApiKeyOptions,
  OrgScoped,
  PublicRoute,
  RequireAnyScope,
  RequireScopes,
  UserScoped,
} from '../index.js';

const CONNECTION = {
  domain: 'http://127.0.0.1:9',
  clientId: 'id',
  clientSecret: 'secret',
  verifyAtBoot: false,
} as const;
const SUMMARY = 'The rules on these handlers cannot be kept:';

interface AppOptions {
  readonly kinde?: Partial<KindeApiKeyOptions & KindeApiKeyModuleExtras>;
  readonly imports?: ModuleMetadata['imports'];
  readonly providers?: ModuleMetadata['providers'];
  readonly override?: (builder: TestingModuleBuilder) => TestingModuleBuilder;
  readonly prepare?: (app: INestApplication) => void;
}

const opened: INestApplication[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((app) => app.close()));
});

/** Boots a small app, and returns what it logged. */
async function boot(controllers: Type[], options: AppOptions = {}): Promise<string[]> {
  const lines: string[] = [];
  const keep = (message: unknown): void => void lines.push(String(message));
  const builder = Test.createTestingModule({
    imports: [KindeApiKeyModule.forRoot({ ...CONNECTION, ...options.kinde }), ...(options.imports ?? [])],
    providers: options.providers ?? [],
    controllers,
  }).setLogger({ log: keep, error: keep, warn: keep });
  const app = (await (options.override?.(builder) ?? builder).compile()).createNestApplication();
  opened.push(app);
  options.prepare?.(app);
  await app.init();
  return lines.filter((line) => /routes guarded|a second registration|a CacheInterceptor/.test(line));
}

async function problemsOf(controllers: Type[], options?: AppOptions): Promise<readonly string[]> {
  const error = await boot(controllers, options).catch((thrown: unknown) => thrown);
  if (!(error instanceof KindeApiKeyConfigurationError))
    throw new Error(`booted, or failed otherwise: ${String(error)}`);
  return error.problems;
}

@Controller('users')
@RequireScopes('read:users')
class UsersController {
  @Get()
  list(): string {
    return 'users';
  }
}

@Controller('users')
class PlainController {
  @Get()
  list(): string {
    return 'users';
  }
}

const REPORT = '1 routes guarded, 0 public, oldest accepted answer 300 s, cache on, shared no';

describe('a rule on a route without ApiKeyGuard', () => {
  it('stops the boot, naming the handler and the cure', async () => {
    await expect(boot([UsersController])).rejects.toThrow(
      `${SUMMARY}\n` +
        "  - UsersController.list carries @RequireScopes('read:users') but no ApiKeyGuard reaches it: add @UseGuards(ApiKeyGuard) to the " +
        'class or the method, set globalGuard: true, or name your own guard that calls ApiKeyGuard in the option guardedBy',
    );
  });

  it('is listed with every other one', async () => {
    @Controller('orders')
    class OrdersController {
      @Get('any')
      @AnyValidKey()
      any(): void {}
      @Get('user')
      @UserScoped()
      user(): void {}
      @Get('open')
      @PublicRoute()
      open(): void {}
      @Get('guarded')
      @UseGuards(ApiKeyGuard)
      @RequireScopes('a')
      guarded(): void {}
      @Get('undecided')
      undecided(): void {}
    }
    expect(await problemsOf([UsersController, OrdersController])).toEqual([
      expect.stringContaining('UsersController.list carries @RequireScopes'),
      expect.stringContaining('OrdersController.any carries @AnyValidKey()'),
      expect.stringContaining('OrdersController.user carries @UserScoped()'),
    ]);
  });

  it('is reported with each of its decorators once', async () => {
    @Controller()
    @RequireScopes('a')
    class C {
      @Get()
      @RequireScopes('a')
      @RequireAnyScope('b', 'c')
      find(): void {}
    }
    expect(await problemsOf([C])).toEqual([
      expect.stringContaining("C.find carries @RequireScopes('a') @RequireAnyScope('b', 'c') but no ApiKeyGuard"),
    ]);
  });

  it('stops the boot if an override inherits it', async () => {
    class Base {
      @Get()
      @RequireScopes('a')
      find(): void {}
    }
    @Controller()
    class Sub extends Base {
      @Get()
      override find(): void {}
    }
    expect(await problemsOf([Sub])).toEqual([expect.stringContaining("Sub.find carries @RequireScopes('a')")]);
  });

  it('stops the boot although another guard protects the route', async () => {
    @Injectable()
    class OtherGuard implements CanActivate {
      canActivate(): boolean {
        return true;
      }
    }
    @Controller()
    @UseGuards(OtherGuard)
    class C {
      @Get()
      @RequireScopes('a')
      find(): void {}
    }
    const providers = [{ provide: APP_GUARD, useClass: OtherGuard }];
    expect(await problemsOf([C], { providers })).toHaveLength(1);
  });

  it('stops the boot if a function without the guards of the method replaced it on the instance', async () => {
    @Controller()
    class C {
      constructor() {
        this.find = () => 'replaced';
      }
      @Get()
      @UseGuards(ApiKeyGuard)
      @RequireScopes('a')
      find(): string {
        return 'original';
      }
    }
    expect(await problemsOf([C])).toEqual([expect.stringContaining("C.find carries @RequireScopes('a')")]);
  });
});

describe('a CacheInterceptor', () => {
  class CacheInterceptor {
    intercept(_context: unknown, next: { handle(): never }) {
      return next.handle();
    }
  }

  it('is warned about on a guarded route, and not on a public one', async () => {
    @Controller()
    @UseInterceptors(CacheInterceptor)
    class C {
      @Get('guarded')
      @RequireScopes('a')
      guarded(): void {}
      @Get('open')
      @PublicRoute()
      open(): void {}
    }
    const lines = await boot([C], { kinde: { globalGuard: true } });
    expect(lines.filter((line) => line.includes('a CacheInterceptor'))).toEqual([
      expect.stringContaining('a CacheInterceptor stands on C.guarded: it keeps answers by their URL'),
    ]);
  });
});

describe('a route counts as guarded', () => {
  it.each<[string, AppOptions]>([
    ['globalGuard: true', { kinde: { globalGuard: true } }],
    ['APP_GUARD, useExisting', { providers: [{ provide: APP_GUARD, useExisting: ApiKeyGuard }] }],
    ['APP_GUARD, useClass', { providers: [{ provide: APP_GUARD, useClass: ApiKeyGuard }] }],
    [
      'APP_GUARD, useFactory',
      { providers: [{ provide: APP_GUARD, useFactory: (guard: ApiKeyGuard) => guard, inject: [ApiKeyGuard] }] },
    ],
    ['useGlobalGuards', { prepare: (app) => app.useGlobalGuards(app.get(ApiKeyGuard)) }],
  ])('by a global guard: %s', async (_case, options) => {
    expect(await boot([UsersController], options)).toEqual([REPORT]);
  });

  it('by a global guard that is built for each request', async () => {
    @Injectable()
    class PerRequest extends ApiKeyGuard {}
    const providers = [{ provide: APP_GUARD, useClass: PerRequest, scope: 2 }];
    expect(await boot([UsersController], { providers })).toEqual([REPORT]);
  });

  it('by a guard on the class or on the method', async () => {
    @UseGuards(ApiKeyGuard)
    @Controller('class')
    @RequireScopes('a')
    class OnClass {
      @Get()
      find(): void {}
    }
    @Controller('method')
    class OnMethod {
      @Get()
      @RequireScopes('a')
      @UseGuards(ApiKeyGuard)
      find(): void {}
    }
    expect(await boot([OnClass, OnMethod])).toEqual([REPORT.replace('1 routes', '2 routes')]);
  });

  it('by a subclass of ApiKeyGuard', async () => {
    class Own extends ApiKeyGuard {}
    @UseGuards(Own)
    @Controller()
    @RequireScopes('a')
    class C {
      @Get()
      find(): void {}
    }
    expect(await boot([C])).toEqual([REPORT]);
  });

  it('by a guard in guardedBy, or a subclass of it', async () => {
    class Composite implements CanActivate {
      canActivate(_context: ExecutionContext): boolean {
        return true;
      }
    }
    class Derived extends Composite {}
    @UseGuards(Composite)
    @Controller('a')
    @RequireScopes('a')
    class A {
      @Get()
      find(): void {}
    }
    @UseGuards(new Derived())
    @Controller('b')
    @RequireScopes('a')
    class B {
      @Get()
      find(): void {}
    }
    expect(await boot([A, B], { kinde: { guardedBy: [Composite] } })).toEqual([REPORT.replace('1 routes', '2 routes')]);
    expect(await problemsOf([A, B])).toHaveLength(2);
  });

  it.each<[string, () => CanActivate]>([
    ['an object literal', () => ({ canActivate: () => true })],
    ['an object without a prototype', () => Object.assign(Object.create(null) as object, { canActivate: () => true })],
  ])('by a stub that replaces ApiKeyGuard in a test: %s', async (_case, makeStub) => {
    const override = (builder: TestingModuleBuilder) => builder.overrideProvider(ApiKeyGuard).useValue(makeStub());
    expect(await boot([UsersController], { override, kinde: { globalGuard: true } })).toEqual([REPORT]);
    expect(
      await boot([UsersController], { override, providers: [{ provide: APP_GUARD, useExisting: ApiKeyGuard }] }),
    ).toEqual([REPORT]);
  });

  it('by a global guard beside others of any shape', async () => {
    const prepare = (app: INestApplication): void => {
      app.useGlobalGuards(
        Object.assign(Object.create(null) as object, { canActivate: () => true }),
        undefined as never,
      );
      app.useGlobalGuards(app.get(ApiKeyGuard));
    };
    expect(await boot([UsersController], { prepare })).toEqual([REPORT]);
  });
});

describe('@PublicRoute() beside a requirement', () => {
  it('on one method stops the boot', async () => {
    @UseGuards(ApiKeyGuard)
    @Controller()
    class C {
      @Get()
      @PublicRoute()
      @RequireScopes('a')
      find(): void {}
    }
    expect(await problemsOf([C])).toEqual([
      "C.find is public and required at once: @RequireScopes('a') and @PublicRoute() both stand on the method " +
        '(a method that it overrides counts); remove one of them',
    ]);
  });

  it('on a method and on the method it overrides stops the boot', async () => {
    class Base {
      @Get()
      @RequireScopes('a')
      find(): void {}
    }
    @UseGuards(ApiKeyGuard)
    @Controller()
    class Sub extends Base {
      @Get()
      @PublicRoute()
      override find(): void {}
    }
    expect(await problemsOf([Sub])).toEqual([expect.stringContaining('Sub.find is public and required at once')]);
  });

  it('on one class stops the boot', async () => {
    @UseGuards(ApiKeyGuard)
    @Controller()
    @PublicRoute()
    @UserScoped()
    class C {
      @Get()
      find(): void {}
    }
    expect(await problemsOf([C])).toEqual([expect.stringContaining('both stand on the class')]);
  });

  it('on class and method does not stop the boot', async () => {
    @UseGuards(ApiKeyGuard)
    @Controller('a')
    @RequireScopes('a')
    class Guarded {
      @Get('open')
      @PublicRoute()
      open(): void {}
      @Get('closed')
      closed(): void {}
    }
    @UseGuards(ApiKeyGuard)
    @Controller('b')
    @PublicRoute()
    class Open {
      @Get('open')
      open(): void {}
      @Get('closed')
      @AnyValidKey()
      closed(): void {}
    }
    expect(await boot([Guarded, Open])).toEqual([
      '2 routes guarded, 2 public, oldest accepted answer 300 s, cache on, shared no',
    ]);
  });
});

describe('@OrgScoped() for a route parameter', () => {
  function scoped(controllerPath: string | string[], methodPath: string | string[], target?: { param: string }): Type {
    @UseGuards(ApiKeyGuard)
    @Controller(controllerPath)
    class Scoped {
      @Get(methodPath)
      @OrgScoped(target)
      find(): void {}
    }
    return Scoped;
  }

  it('stops the boot if the path lacks the parameter, naming the handler and the cure', async () => {
    expect(await problemsOf([scoped('users', ':id')])).toEqual([
      'Scoped.find carries @OrgScoped() for the route parameter "orgCode", which is in none of its paths: add :orgCode to the path, ' +
        "or say where the organization stands, e.g. @OrgScoped({ param: 'id' }) or @OrgScoped({ resolve: MyOrgResolver })",
    ]);
  });

  it.each([
    ['users', ':orgCodes'],
    ['users', 'orgCode'],
    ['users', ':orgcode'],
    ['users', ':myorgCode'],
    ['users', '*orgCode'],
  ])('stops the boot on the path %s/%s', async (controllerPath, methodPath) => {
    expect(await problemsOf([scoped(controllerPath, methodPath)])).toHaveLength(1);
  });

  it.each<[string | string[], string | string[]]>([
    ['orgs/:orgCode', 'users'],
    ['orgs', ':orgCode/users'],
    ['orgs', 'of-:orgCode'],
    ['orgs', ':orgCode-suffix'],
    ['orgs', ':"orgCode"'],
    [['orgs/:orgCode', 'tenants/:orgCode'], 'users'],
    [
      ['orgs', 'tenants'],
      [':orgCode', ':orgCode/:id'],
    ],
  ])('accepts the parameter in every path of the class or the method: %j %j', async (...paths) => {
    expect(await boot([scoped(...paths)])).toEqual([REPORT]);
  });

  it.each<[string | string[], string | string[], string]>([
    [['p/:orgCode', 'q'], 'users', '/q/users'],
    ['users', [':id', ':orgCode/:id'], '/users/:id'],
    [['a/:orgCode', 'b', 'c'], ['x', 'y'], '/b/x and /b/y and /c/x and /c/y'],
    [['p/:orgCode', 'q{/:orgCode}'], 'users', '/q{/:orgCode}/users'],
  ])('stops the boot if one of the paths %j %j lacks the parameter', async (controllerPath, methodPath, lacking) => {
    expect(await problemsOf([scoped(controllerPath, methodPath)])).toEqual([
      expect.stringContaining(
        `for the route parameter "orgCode", which is not in ${lacking}: add :orgCode to the path`,
      ),
    ]);
  });

  it('stops the boot if a route with the parameter in the global prefix is excluded from it', async () => {
    const prepare = (app: INestApplication): void =>
      void app.setGlobalPrefix('orgs/:orgCode', { exclude: ['users', { path: 'posts', method: RequestMethod.POST }] });
    expect(await problemsOf([scoped('users', '')], { prepare })).toEqual([
      expect.stringContaining('is in none of its paths'),
    ]);
    expect(await boot([scoped('posts', '')], { prepare })).toEqual([REPORT]);
  });

  it('accepts the parameter in the global prefix', async () => {
    const prepare = (app: INestApplication): void => void app.setGlobalPrefix('orgs/:orgCode');
    expect(await boot([scoped('users', ':id')], { prepare })).toEqual([REPORT]);
  });

  it('accepts the parameter in the path of the module', async () => {
    @Module({ controllers: [scoped('users', ':id')] })
    class Feature {}
    const imports = [Feature, RouterModule.register([{ path: 'orgs/:orgCode', module: Feature }])];
    expect(await boot([], { imports })).toEqual([REPORT]);
  });

  it('compares the option orgParam, or the name in the decorator', async () => {
    const kinde = { orgParam: 'tenant' };
    expect(await boot([scoped('orgs/:tenant', 'users')], { kinde })).toEqual([REPORT]);
    expect(await problemsOf([scoped('orgs/:orgCode', 'users')], { kinde })).toEqual([
      expect.stringContaining('the route parameter "tenant"'),
    ]);
    expect(await boot([scoped('orgs/:id', 'users', { param: 'id' })])).toEqual([REPORT]);
    expect(await problemsOf([scoped('orgs/:id', 'users', { param: 'i' })])).toHaveLength(1);
    expect(await problemsOf([scoped('orgs/:id', 'users', { param: '.*' })])).toHaveLength(1);
  });

  it('on a class stops the boot for methods that lack the parameter, except public ones', async () => {
    @UseGuards(ApiKeyGuard)
    @Controller('orgs')
    @OrgScoped()
    class Orgs {
      @Get(':orgCode')
      one(): void {}
      @Get()
      all(): void {}
      @Get('health')
      @PublicRoute()
      health(): void {}
    }
    expect(await problemsOf([Orgs])).toEqual([expect.stringMatching(/^Orgs\.all carries/)]);
  });

  it('does not stop the boot if the target is not a route parameter', async () => {
    @UseGuards(ApiKeyGuard)
    @Controller('orgs')
    class Orgs {
      @Get('a')
      @OrgScoped({ from: 'key' })
      ofKey(): void {}
      @Get('b')
      @OrgScoped({ header: 'x-org' })
      header(): void {}
      @Get('c')
      @OrgScoped({ resolve: () => 'org_a' })
      callback(): void {}
    }
    expect(await boot([Orgs])).toEqual([REPORT.replace('1 routes', '3 routes')]);
  });
});

describe('@OrgScoped({ resolve: Class })', () => {
  @Injectable()
  class Resolver {
    resolveOrgCode(): string {
      return 'org_a';
    }
  }

  function resolving(): Type {
    @UseGuards(ApiKeyGuard)
    @Controller('users')
    class Resolving {
      @Get()
      @OrgScoped({ resolve: Resolver })
      find(): void {}
    }
    return Resolving;
  }

  @Module({ providers: [Resolver] })
  class One {}
  @Module({ providers: [Resolver] })
  class Two {}

  it('stops the boot if the class is not provided', async () => {
    expect(await problemsOf([resolving()])).toEqual([
      "Resolving.find @OrgScoped({ resolve }) names Resolver, which no module provides: add it to the providers of the controller's module",
    ]);
  });

  it('stops the boot if several other modules provide the class', async () => {
    expect(await problemsOf([resolving()], { imports: [One, Two] })).toEqual([
      'Resolving.find @OrgScoped({ resolve }) names Resolver, which several modules provide (One, Two): ' +
        "add it to the providers of the controller's module",
    ]);
  });

  it.each<[string, AppOptions]>([
    ['in its own module', { providers: [Resolver] }],
    ['in its own module and in others', { providers: [Resolver], imports: [One, Two] }],
    ['in one other module', { imports: [One] }],
  ])('accepts a class that is provided %s', async (_case, options) => {
    expect(await boot([resolving()], options)).toEqual([REPORT]);
  });
});

describe('globalGuard: true', () => {
  it('stops the boot for a handler without a decision', async () => {
    expect(await problemsOf([PlainController], { kinde: { globalGuard: true } })).toEqual([
      'PlainController.list has no decision, which globalGuard demands of every handler: add @RequireScopes(), @AnyValidKey() or ' +
        'another rule, @PublicRoute(), or name a controller that you cannot edit in globalGuard: { publicControllers: [...] }',
    ]);
  });

  it('exempts the controllers in publicControllers', async () => {
    const kinde = { globalGuard: { publicControllers: [PlainController] } };
    expect(await boot([PlainController], { kinde })).toEqual([
      '0 routes guarded, 1 public, oldest accepted answer 300 s, cache on, shared no',
    ]);
    @Controller('other')
    class Other {
      @Get()
      list(): void {}
    }
    expect(await problemsOf([PlainController, Other], { kinde })).toEqual([
      expect.stringContaining('Other.list has no decision'),
    ]);
  });

  it('works beside an async factory', async () => {
    const moduleRef = Test.createTestingModule({
      imports: [KindeApiKeyModule.forRootAsync({ useFactory: async () => CONNECTION, globalGuard: true })],
      controllers: [PlainController],
    });
    const app = (await moduleRef.compile()).createNestApplication({ logger: false });
    opened.push(app);
    await expect(app.init()).rejects.toThrow('PlainController.list has no decision');
  });

  it('alone demands a decision: APP_GUARD does not', async () => {
    const providers = [{ provide: APP_GUARD, useExisting: ApiKeyGuard }];
    expect(await boot([PlainController], { providers })).toEqual([REPORT]);
    expect(await boot([PlainController])).toEqual([REPORT.replace('1 routes', '0 routes')]);
  });
});

describe('a rule outside HTTP routes', () => {
  it('on the method of a provider stops the boot', async () => {
    @Injectable()
    class Mailer {
      @RequireScopes('send:mail')
      send(): void {}
    }
    expect(await problemsOf([], { providers: [Mailer] })).toEqual([
      "Mailer.send carries @RequireScopes('send:mail') but is no HTTP route, so nothing enforces it: remove the decorator, " +
        'or call ApiKeyVerificationService where the key arrives',
    ]);
  });

  it('on the class of a provider stops the boot', async () => {
    @Injectable()
    @UserScoped()
    class Gateway {
      onMessage(): void {}
    }
    expect(await problemsOf([], { providers: [Gateway] })).toEqual([
      expect.stringMatching(/^Gateway carries @UserScoped\(\) but is no HTTP route/),
    ]);
  });

  it('on a method of a controller without a path stops the boot', async () => {
    @UseGuards(ApiKeyGuard)
    @Controller()
    class C {
      @RequireScopes('a')
      helper(): void {}
    }
    expect(await problemsOf([C])).toEqual([expect.stringMatching(/^C\.helper carries/)]);
  });

  it('on a message handler or its class stops the boot, if it reads an organization where a message has none', async () => {
    // What @MessagePattern() of @nestjs/microservices leaves on a method.
    const MessageHandler: MethodDecorator = (_target, _property, descriptor) =>
      Reflect.defineMetadata('microservices:pattern', ['users.find'], descriptor.value as object);
    @UseGuards(ApiKeyGuard)
    @Controller()
    @OrgScoped({ query: 'orgCode' })
    class C {
      @Get()
      list(): void {}
      @MessageHandler
      onMessage(): void {}
    }
    expect(await problemsOf([C])).toEqual([
      expect.stringMatching(
        /^C\.onMessage carries @OrgScoped\(\) for \{ query: 'orgCode' \}, which messages of a microservice do not have/,
      ),
    ]);
  });

  it('does not stop the boot for a controller that is also a provider, nor for factories and values', async () => {
    @Module({ controllers: [UsersController], providers: [UsersController] })
    class Feature {}
    const providers = [
      UsersController,
      { provide: 'factory', useFactory: () => RequireScopes },
      { provide: 'old factory', useFactory: function factory() {} },
      { provide: 'value', useValue: UsersController },
    ];
    expect(await boot([], { imports: [Feature], providers, kinde: { globalGuard: true } })).toEqual([REPORT]);
  });
});

describe('two registrations', () => {
  const second: Partial<KindeApiKeyOptions & KindeApiKeyModuleExtras> = {
    ...CONNECTION,
    domain: 'http://127.0.0.1:10',
  };

  function featureWith(registration: DynamicModule, controller: Type): Type {
    @Module({ imports: [registration], controllers: [controller] })
    class Feature {}
    return Feature;
  }

  it('stop the boot if both are global', async () => {
    const error = boot([], { imports: [KindeApiKeyModule.forRoot(second)] });
    await expect(error).rejects.toThrow('KindeApiKeyModule is registered more than once:');
    expect(await problemsOf([], { imports: [KindeApiKeyModule.forRoot(second)] })).toEqual([
      'two global registrations: the order of imports would decide which one protects a route. Import KindeApiKeyModule.forRoot() once, ' +
        'in the root module; for a second Kinde domain pass isGlobal: false and import it in the feature modules that use it',
    ]);
  });

  it('stop the boot if both are global and one is in a feature module', async () => {
    const imports = [featureWith(KindeApiKeyModule.forRoot(second), PlainController)];
    expect(await problemsOf([], { imports })).toEqual([expect.stringContaining('two global registrations')]);
  });

  it('each check the routes of their own modules, if one is not global', async () => {
    @UseGuards(ApiKeyGuard)
    @Controller('tenants')
    class Tenants {
      @Get(':tenant')
      @OrgScoped()
      find(): void {}
      @Get()
      @PublicRoute()
      list(): void {}
    }
    @UseGuards(ApiKeyGuard)
    @Controller('orgs')
    class Orgs {
      @Get(':orgCode')
      @OrgScoped()
      find(): void {}
    }
    const registration = KindeApiKeyModule.forRoot({ ...second, isGlobal: false, orgParam: 'tenant', cache: false });
    const lines = await boot([Orgs], { imports: [featureWith(registration, Tenants)] });
    expect(lines.toSorted()).toEqual([
      '1 routes guarded, 0 public, oldest accepted answer 300 s, cache on, shared no',
      '1 routes guarded, 1 public, oldest accepted answer 0 s, cache off, shared no',
    ]);
  });

  it('for the same Kinde application log one warning', async () => {
    const registration = KindeApiKeyModule.forRoot({ ...CONNECTION, isGlobal: false });
    const lines = await boot([], { imports: [featureWith(registration, PlainController)] });
    expect(lines.filter((line) => !line.includes('routes guarded'))).toEqual([
      'a second registration asks http://127.0.0.1:9 as id: it has a cache and an M2M token of its own, and invalidate() reaches only one of ' +
        'them. Import one KindeApiKeyModule.forRoot() in the root module instead',
    ]);
  });

  it('check every route if neither is global', async () => {
    @UseGuards(ApiKeyGuard)
    @Controller('guarded')
    class Guarded {
      @Get()
      @RequireScopes('a')
      find(): void {}
    }
    @Module({ controllers: [UsersController] })
    class Unrelated {}
    const imports = [Unrelated, featureWith(KindeApiKeyModule.forRoot({ ...second, isGlobal: false }), Guarded)];
    expect(await problemsOf([], { imports, kinde: { isGlobal: false } })).toEqual([
      expect.stringContaining('UsersController.list carries'),
    ]);
  });
});

describe('the boot line', () => {
  it('counts the routes and states the oldest accepted answer', async () => {
    @UseGuards(ApiKeyGuard)
    @Controller('mixed')
    class Mixed {
      @Get('a')
      @RequireScopes('a')
      a(): void {}
      @Get('b')
      b(): void {}
      @Get('c')
      @PublicRoute()
      c(): void {}
      helper(): void {}
    }
    const kinde = { cache: { ttlMs: 30_000, staleIfErrorMs: 500 } };
    expect(await boot([Mixed, PlainController], { kinde })).toEqual([
      '2 routes guarded, 1 public, oldest accepted answer 30.5 s, cache on, shared no',
    ]);
  });

  it('states that the cache is off', async () => {
    expect(await boot([], { kinde: { cache: false } })).toEqual([
      '0 routes guarded, 0 public, oldest accepted answer 0 s, cache off, shared no',
    ]);
  });
});

describe('a rule that another version of the library stored', () => {
  const RULES = Symbol.for('nestjs-kinde-api-key:rules');

  it.each<[string, unknown]>([
    ['an unknown kind', [{ kind: 'unknown' }]],
    ['an unknown kind beside a known one', [{ kind: 'any-valid-key' }, { kind: 'unknown' }]],
    ['a kind that objects inherit', [{ kind: 'constructor' }]],
    ['no kind', [{}]],
    ['a field that is not known', [{ kind: 'scopes', scopes: ['a'], mode: 'strict' }]],
    ['a known kind without its field', [{ kind: 'scopes' }]],
    ['an unknown target', [{ kind: 'organization', target: { cookie: 'org' } }]],
    ['a limit that is a function', [{ kind: 'rate-limit', limit: () => 1, windowMs: 1_000 }]],
    ['an entry that is no object', ['scopes']],
    ['no list', { kind: 'any-valid-key', since: 2 }],
  ])('stops the boot: %s', async (_case, stored) => {
    @Controller()
    class OnClass {
      @Get()
      find(): void {}
    }
    @Controller()
    class OnMethod {
      @Get()
      find(): void {}
    }
    Reflect.defineMetadata(RULES, stored, OnClass);
    Reflect.defineMetadata(RULES, stored, OnMethod.prototype, 'find');
    for (const kinde of [{}, { globalGuard: true }])
      expect(await problemsOf([OnClass, OnMethod], { kinde })).toEqual([
        expect.stringMatching(
          /^OnClass\.find carries a rule of the kind .* that this copy of nestjs-kinde-api-key does not know/,
        ),
        expect.stringMatching(/^OnMethod\.find carries a rule of the kind/),
      ]);
  });
});

describe('a mixin that copies constructor', () => {
  function mixInto(derived: Type, base: Type): void {
    for (const name of Object.getOwnPropertyNames(base.prototype)) {
      const descriptor = Object.getOwnPropertyDescriptor(base.prototype, name) ?? {};
      Object.defineProperty(derived.prototype, name, descriptor);
    }
  }
  const kinde = { globalGuard: true };

  it('stops the boot if the class requires what the mixin makes public', async () => {
    @PublicRoute()
    class Crud {
      @Get()
      list(): void {}
    }
    @Controller('orgs/:orgCode/reports')
    @OrgScoped()
    @RequireScopes('admin')
    class Reports {}
    mixInto(Reports, Crud);
    expect(await problemsOf([Reports], { kinde })).toEqual([
      expect.stringContaining('Reports.list is public and required at once'),
    ]);
  });

  it('does not make other methods of the class public', async () => {
    @PublicRoute()
    class Crud {
      @Get()
      list(): void {}
    }
    @Controller('reports')
    class Reports {
      @Get('secret')
      secret(): void {}
    }
    mixInto(Reports, Crud);
    expect(await problemsOf([Reports], { kinde })).toEqual([expect.stringContaining('Reports.secret has no decision')]);
  });

  it('stops the boot if two classes with different rules look the same to a guard', async () => {
    class Crud {
      @Get()
      @AnyValidKey()
      list(): void {}
    }
    @Controller('reports')
    @RequireScopes('admin')
    class Reports {}
    @Controller('invoices')
    class Invoices {}
    for (const derived of [Reports, Invoices]) mixInto(derived, Crud);
    expect(await problemsOf([Reports, Invoices], { kinde })).toEqual([
      expect.stringMatching(/^Invoices\.list looks the same to a guard as Reports\.list, which has other rules/),
    ]);
    expect(await problemsOf([Invoices, Reports], { kinde })).toHaveLength(1);
  });

  it('boots if two classes have the same rules', async () => {
    class Crud {
      @Get()
      @AnyValidKey()
      list(): void {}
    }
    @Controller('reports')
    class Reports {}
    @Controller('invoices')
    class Invoices {}
    for (const derived of [Reports, Invoices]) mixInto(derived, Crud);
    expect(await boot([Reports, Invoices], { kinde })).toEqual([REPORT.replace('1 routes', '2 routes')]);
  });
});
