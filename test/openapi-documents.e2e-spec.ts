import { Validator } from '@seriousme/openapi-schema-validator';
import {
  All,
  Controller,
  Get,
  Injectable,
  Module,
  Patch,
  Post,
  RequestMethod,
  UseGuards,
  Version,
  VERSION_NEUTRAL,
  VersioningType,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  type ModuleMetadata,
  type Type,
} from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  ApiBearerAuth,
  ApiExcludeEndpoint,
  ApiNotFoundResponse,
  ApiOperation,
  ApiResponse,
  ApiSecurity,
  DocumentBuilder,
  SwaggerModule,
  type OpenAPIObject,
  type SwaggerDocumentOptions,
} from '@nestjs/swagger';
import { Test } from '@nestjs/testing';
import {
  AnyValidKey,
  ApiKeyGuard,
  ApiKeyRouteAudit,
  KindeApiKeyModule,
  OrgScoped,
  PublicRoute,
  RateLimit,
  RequireAnyScope,
  RequireScopes,
  type ApiKeyRuleDecorator,
  type KindeApiKeyModuleExtras,
  type KindeApiKeyOptions,
} from 'nestjs-kinde-api-key';
import { documentApiKeys } from 'nestjs-kinde-api-key/openapi';
import { kindeAccessTokens } from 'nestjs-kinde-api-key/tokens';
import { operationsOf, type DocumentedOperation } from './support/documented-answers.js';
import { HeaderUser } from './support/documented-app.js';
import { ADAPTERS, type Adapter } from './support/scenario.js';

const KINDE = { domain: 'http://127.0.0.1:9', clientId: 'id', clientSecret: 'secret', verifyAtBoot: false } as const;

interface Making extends Pick<ModuleMetadata, 'imports' | 'providers'> {
  readonly adapter?: Adapter;
  readonly controllers?: Type[];
  readonly options?: KindeApiKeyOptions & KindeApiKeyModuleExtras;
  readonly prepare?: (app: INestApplication) => void;
  readonly config?: (builder: DocumentBuilder) => DocumentBuilder;
  readonly create?: SwaggerDocumentOptions;
  readonly version?: string;
}

async function appOf({ adapter = 'express', controllers = [], options = {}, prepare, ...metadata }: Making) {
  const testing = await Test.createTestingModule({
    imports: [KindeApiKeyModule.forRoot({ ...KINDE, ...options }), ...(metadata.imports ?? [])],
    providers: metadata.providers ?? [],
    controllers,
  }).compile();
  const platform = adapter === 'fastify' ? new FastifyAdapter() : new ExpressAdapter();
  const app = testing.createNestApplication(platform, { logger: false });
  prepare?.(app);
  return app;
}

const created = (app: INestApplication, { config = (builder) => builder, create, version = '3.1.0' }: Making = {}) =>
  SwaggerModule.createDocument(app, config(new DocumentBuilder().setOpenAPIVersion(version)).build(), create);

/** @returns the document of an app that has not started */
async function documentOf(making: Making): Promise<OpenAPIObject> {
  const app = await appOf(making);
  const document = documentApiKeys(app, created(app, making));
  await app.close();
  return document;
}

/** @returns `get /users/{id}: read:users`, or `none` without a requirement */
const summaryOf = (document: object): string[] =>
  operationsOf(document).map(({ method, path, security }) => {
    const scopes = security?.map((one) => Object.values(one).flat().join('+') || 'key');
    return `${method} ${path}: ${scopes?.join(' or ') ?? 'none'}`;
  });

const only = (document: object): DocumentedOperation => operationsOf(document)[0] as DocumentedOperation;

/** @returns a controller whose one route has these decorators */
function controllerWith(...decorators: ((MethodDecorator & ClassDecorator) | MethodDecorator)[]): Type {
  @Controller('things')
  @UseGuards(ApiKeyGuard)
  class ThingsController {
    @Get()
    find() {
      return [];
    }
  }
  const descriptor = Object.getOwnPropertyDescriptor(ThingsController.prototype, 'find') as PropertyDescriptor;
  for (const decorate of decorators) decorate(ThingsController.prototype, 'find', descriptor);
  return ThingsController;
}

describe('a document with API keys', () => {
  it.each<[string, ApiKeyRuleDecorator[], object[]]>([
    ['@AnyValidKey()', [AnyValidKey()], [{ apiKey: [] }]],
    ["@RequireScopes('a', 'b')", [RequireScopes('a', 'b')], [{ apiKey: ['a', 'b'] }]],
    ["@RequireAnyScope('a', 'b')", [RequireAnyScope('a', 'b')], [{ apiKey: ['a'] }, { apiKey: ['b'] }]],
    [
      '@RequireScopes() with a choice, and one that it satisfies',
      [RequireScopes('a'), RequireAnyScope('a', 'b'), RequireAnyScope('c', 'd')],
      [{ apiKey: ['a', 'c'] }, { apiKey: ['a', 'd'] }],
    ],
  ])('follows when the decorator is changed to %s', async (_name, decorators, security) => {
    expect(only(await documentOf({ controllers: [controllerWith(...decorators)] })).security).toEqual(security);
  });

  it('is the same before and after the app has started, and making it leaves no trace in the rules', async () => {
    @Controller('things')
    class GloballyGuardedController {
      @Get()
      @RequireScopes('a')
      @RateLimit({ limit: 5, windowMs: 1_000 })
      find() {
        return [];
      }
    }
    const app = await appOf({ controllers: [GloballyGuardedController], options: { globalGuard: true } });
    const early = documentApiKeys(app, created(app));
    app.setGlobalPrefix('late');
    await app.init();
    const late = JSON.stringify(documentApiKeys(app, created(app)));
    expect(late.replaceAll('/late', '')).toBe(JSON.stringify(early));
    expect(app.get(ApiKeyRouteAudit).routes()[0]?.rateLimit?.name).toBe('GET /late/things');
    await app.close();
  });

  it('is changed and returned, and stays the same in a second call, also after it was written and read', async () => {
    const app = await appOf({
      controllers: [controllerWith(RequireScopes('a'), ApiOperation({ description: 'Mine' }))],
    });
    const document = created(app);
    expect(documentApiKeys(app, document)).toBe(document);
    const written = JSON.stringify(document);
    expect(JSON.stringify(documentApiKeys(app, document))).toBe(written);
    expect(JSON.stringify(documentApiKeys(app, JSON.parse(written) as OpenAPIObject))).toBe(written);
    expect(only(document).description).toBe('Mine\n\nRequires an API key with the scope `a`.');
    await app.close();
  });

  it('has no scopes in its requirements before OpenAPI 3.1, but names them in the text', async () => {
    const making = { controllers: [controllerWith(RequireAnyScope('a', 'b'))], version: '3.0.3' };
    const { security, description } = only(await documentOf(making));
    expect(security).toEqual([{ apiKey: [] }]);
    expect(description).toBe('Requires an API key with one of the scopes `a`, `b`.');
  });

  it('names the scopes in the text alone where there are too many combinations', async () => {
    const lists = ['a b c d e', 'f g h i j'].map((scopes) => RequireAnyScope(...scopes.split(' ')));
    const { security } = only(await documentOf({ controllers: [controllerWith(RequireScopes('z'), ...lists)] }));
    expect(security).toEqual([{ apiKey: ['z'] }]);
  });

  it('says which package is missing where the app has no KindeApiKeyModule', async () => {
    const testing = await Test.createTestingModule({}).compile();
    const app = testing.createNestApplication({ logger: false });
    expect(() => documentApiKeys(app, { openapi: '3.1.0', paths: {} })).toThrow(
      'documentApiKeys() found no KindeApiKeyModule in the app',
    );
    await app.close();
  });
});

describe.each(ADAPTERS)('the operations of a document on %s', (adapter) => {
  const wildcard = adapter === 'fastify' ? '*' : '*rest';

  @Controller(['users', 'people'])
  @UseGuards(ApiKeyGuard)
  class UsersController {
    @Get([':id', 'by-id/:id'])
    @RequireScopes('read:users')
    find() {
      return {};
    }

    @Patch(':userId')
    @RequireScopes('write:users')
    change() {
      return {};
    }

    @Get(`files/${wildcard}`)
    @RequireScopes('read:files')
    file() {
      return {};
    }

    @All('all')
    @RequireScopes('all')
    all() {
      return {};
    }

    @Get('from/:from-:to')
    @RequireScopes('range')
    range() {
      return {};
    }
  }

  const EXPECTED = (prefix: string, controller: string): string[] => {
    const path = `${prefix}/${controller}`;
    const rest = adapter === 'fastify' ? 'path' : 'rest';
    return [
      `get ${path}/{id}: read:users`,
      `get ${path}/by-id/{id}: read:users`,
      `patch ${path}/{userId}: write:users`,
      `get ${path}/files/{${rest}}: read:files`,
      ...['get', 'post', 'put', 'delete', 'patch', 'options', 'head', 'search'].map((one) => `${one} ${path}/all: all`),
      `get ${path}/from/{from}-{to}: range`,
    ];
  };
  const both = (prefix: string): string[] => [...EXPECTED(prefix, 'users'), ...EXPECTED(prefix, 'people')].toSorted();

  it('are found by every path, parameter, wildcard and method', async () => {
    const document = await documentOf({ adapter, controllers: [UsersController] });
    expect(summaryOf(document).toSorted()).toEqual(both(''));
  });

  it('are told apart by the names of their parameters', async () => {
    @Controller('things')
    @UseGuards(ApiKeyGuard)
    class NamesController {
      @Get(':id')
      @RequireScopes('by-id')
      byId() {
        return {};
      }

      @Get(':name')
      @RequireScopes('by-name')
      byName() {
        return {};
      }
    }
    expect(summaryOf(await documentOf({ adapter, controllers: [NamesController] }))).toEqual([
      'get /things/{id}: by-id',
      'get /things/{name}: by-name',
    ]);
  });

  it('are found below a global prefix, and in a document without it', async () => {
    const making: Making = {
      adapter,
      controllers: [UsersController],
      prepare: (app) => void app.setGlobalPrefix('/api/v1/'),
    };
    expect(summaryOf(await documentOf(making)).toSorted()).toEqual(both('/api/v1'));
    const without = await documentOf({ ...making, create: { ignoreGlobalPrefix: true } });
    expect(summaryOf(without).toSorted()).toEqual(both(''));
  });

  it('do not get the rules of a route with the prefix where another one is excluded from it', async () => {
    @Controller()
    @UseGuards(ApiKeyGuard)
    class ExcludedController {
      @Get('status')
      @RequireScopes('read:status')
      status() {
        return {};
      }

      @Get('inside/status')
      @RequireScopes('read:inside')
      inside() {
        return {};
      }

      @All('other')
      @RequireScopes('read:other')
      @ApiExcludeEndpoint()
      hidden() {
        return {};
      }
    }

    @Controller('other')
    class OtherController {
      @Post()
      open() {
        return {};
      }
    }
    const prepare = (app: INestApplication) =>
      void app.setGlobalPrefix('inside', {
        exclude: ['status', { path: 'other', method: RequestMethod.POST }],
      });
    const document = await documentOf({ adapter, controllers: [ExcludedController, OtherController], prepare });
    expect(summaryOf(document).toSorted()).toEqual([
      'get /inside/inside/status: read:inside',
      'get /status: read:status',
      'post /other: none',
    ]);
  });

  it('are found below the path of a module and with each version in the path', async () => {
    @Controller({ path: 'reports', version: ['1', '2'] })
    @UseGuards(ApiKeyGuard)
    class ReportsController {
      @Get()
      @RequireScopes('read:reports')
      find() {
        return {};
      }

      @Get()
      @Version('3')
      @RequireScopes('read:new')
      findNew() {
        return {};
      }

      @Get('neutral')
      @Version(VERSION_NEUTRAL)
      @RequireScopes('read:neutral')
      neutral() {
        return {};
      }
    }

    @Module({ controllers: [ReportsController] })
    class ReportsModule {}
    const document = await documentOf({
      adapter,
      imports: [ReportsModule, RouterModule.register([{ path: 'area', module: ReportsModule }])],
      prepare: (app) => void app.setGlobalPrefix('api').enableVersioning({ type: VersioningType.URI }),
    });
    expect(summaryOf(document).toSorted()).toEqual([
      'get /api/area/reports/neutral: read:neutral',
      'get /api/v1/area/reports: read:reports',
      'get /api/v2/area/reports: read:reports',
      'get /api/v3/area/reports: read:new',
    ]);
  });

  it('with several versions behind one path list what each of them demands', async () => {
    @Controller('reports')
    class ReportsController {
      @Get()
      @Version('1')
      @UseGuards(ApiKeyGuard)
      @RequireScopes('read:old')
      old() {
        return {};
      }

      @Get()
      @Version('2')
      @UseGuards(ApiKeyGuard)
      @OrgScoped({ query: 'org' })
      current() {
        return {};
      }

      @Get()
      @Version('3')
      @PublicRoute()
      open() {
        return {};
      }
    }
    const document = await documentOf({
      adapter,
      controllers: [ReportsController],
      prepare: (app) => void app.enableVersioning({ type: VersioningType.HEADER, header: 'x-version' }),
    });
    const { security, description, responses } = only(document);
    expect(security).toEqual([{ apiKey: ['read:old'] }, { apiKey: [] }, {}]);
    expect(description).toBe(
      'GET /reports version 1: Requires an API key with the scope `read:old`.\n\n' +
        'GET /reports version 2: Requires an API key. It must belong to the organization that the request is about.',
    );
    const [media] = Object.values(responses['403']?.content ?? {});
    expect(Object.keys(media?.examples ?? {})).toEqual(['INSUFFICIENT_SCOPE', 'ORG_REQUIRED', 'ORG_MISMATCH']);
  });
});

describe('the rules in a document', () => {
  it('are those of class, method, ancestors and mixins, where a guard reaches them', async () => {
    function Listing(scope: string): Type<object> {
      @RequireScopes('mixed')
      abstract class ListingController {
        @Get()
        @RequireScopes(scope)
        list() {
          return [];
        }
      }
      return ListingController as Type<object>;
    }

    @Controller('mixed')
    @UseGuards(ApiKeyGuard)
    @RequireScopes('own')
    class MixedController extends Listing('listed') {}

    @Injectable()
    class OuterGuard implements CanActivate {
      constructor(private readonly inner: ApiKeyGuard) {}

      canActivate(context: ExecutionContext) {
        return this.inner.canActivate(context);
      }
    }

    @Controller('methods')
    class MethodsController {
      @Get('guarded')
      @UseGuards(ApiKeyGuard)
      guarded() {
        return {};
      }

      @Get('outer')
      @UseGuards(OuterGuard)
      @RequireScopes('outer')
      outer() {
        return {};
      }

      @Get('open')
      open() {
        return {};
      }
    }
    const document = await documentOf({
      controllers: [MixedController, MethodsController],
      providers: [OuterGuard],
      options: { guardedBy: [OuterGuard] },
    });
    expect(summaryOf(document).toSorted()).toEqual([
      'get /methods/guarded: key',
      'get /methods/open: none',
      'get /methods/outer: outer',
      'get /mixed: mixed+own+listed',
    ]);
  });

  it('leave an operation without a guard exactly as it was', async () => {
    @Controller('open')
    @ApiSecurity('mine')
    class OpenController {
      @Get()
      find() {
        return {};
      }
    }
    const app = await appOf({ controllers: [OpenController] });
    const before = JSON.stringify(created(app));
    expect(JSON.stringify(documentApiKeys(app, created(app)))).toBe(before);
    await app.close();
  });

  it('give a public operation no security, and nothing else', async () => {
    const publicRoute = controllerWith(PublicRoute());
    const plain = created(await appOf({ controllers: [publicRoute] }));
    const untouched = await documentOf({ controllers: [publicRoute] });
    expect(untouched).toEqual(plain);
    const config = (builder: DocumentBuilder) => builder.addSecurityRequirements('session');
    expect(only(await documentOf({ controllers: [publicRoute], config })).security).toEqual([]);
    const byHand = controllerWith(PublicRoute(), ApiBearerAuth('apiKey'));
    expect(only(await documentOf({ controllers: [byHand] })).security).toEqual([]);
    const other = controllerWith(PublicRoute(), ApiSecurity('tenant'));
    expect(only(await documentOf({ controllers: [other] })).security).toEqual([{ tenant: [] }]);
  });

  it('are those of the registration that protects each module', async () => {
    const moduleWith = (path: string, header: string): Type => {
      @Controller(path)
      @UseGuards(ApiKeyGuard)
      class FeatureController {
        @Get()
        @RequireScopes(path)
        find() {
          return {};
        }
      }

      @Module({
        imports: [KindeApiKeyModule.forRoot({ ...KINDE, isGlobal: false, credentials: [{ header }] })],
        controllers: [FeatureController],
      })
      class FeatureModule {}
      return FeatureModule;
    };
    const testing = await Test.createTestingModule({
      imports: [moduleWith('one', 'x-one'), moduleWith('two', 'x-two')],
    }).compile();
    const app = testing.createNestApplication({ logger: false });
    const document = documentApiKeys(app, created(app));
    expect(operationsOf(document).map(({ path, security }) => [path, security])).toEqual([
      ['/one', [{ apiKey: ['one'] }]],
      ['/two', [{ apiKey2: ['two'] }]],
    ]);
    expect(document.components?.securitySchemes).toMatchObject({
      apiKey: { name: 'x-one' },
      apiKey2: { name: 'x-two' },
    });
    await app.close();
  });

  it('name each credential and access tokens, but not where only keys are accepted', async () => {
    const making: Making = {
      controllers: [controllerWith(RequireScopes('a'))],
      providers: [HeaderUser],
      options: {
        credentials: [
          { header: 'authorization', scheme: 'ApiKey' },
          { header: 'X-Api-Key' },
          { header: 'x-b', scheme: 'Bearer' },
        ],
        principals: [kindeAccessTokens({ audience: 'https://api.example.com' }), HeaderUser],
      },
      config: (builder) => builder.addSecurityRequirements('session'),
    };
    const document = await documentOf(making);
    expect(only(document).security).toEqual([
      { apiKey: ['a'] },
      { 'apiKey-x-api-key': ['a'] },
      { 'apiKey-x-b': ['a'] },
      { accessToken: ['a'] },
      { session: [] },
    ]);
    expect(only(document).description).toBe(
      'Requires an API key, an access token or another login with the scope `a`.',
    );
    expect(document.components?.securitySchemes).toEqual({
      apiKey: { type: 'http', scheme: 'apikey', description: 'An API key' },
      'apiKey-x-api-key': { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'An API key' },
      'apiKey-x-b': { type: 'apiKey', in: 'header', name: 'x-b', description: '"Bearer " and an API key' },
      accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An access token of Kinde' },
    });
  });
});

describe('what the app itself has documented', () => {
  const stated = (response: object) => [RequireScopes('a'), ApiResponse({ status: 403, ...response })];

  it('is kept, with ours beside it', async () => {
    const response = {
      description: 'Not on Sundays',
      headers: { 'WWW-Authenticate': { description: 'mine' }, 'X-Mine': { description: 'mine' } },
      content: {
        'application/json': { schema: { type: 'integer' }, example: 7 },
        'text/plain': { schema: { type: 'string' } },
      },
    };
    const { responses } = only(await documentOf({ controllers: [controllerWith(...stated(response))] }));
    const ours = { $ref: '#/components/schemas/ApiKeyRefusal' };
    expect(responses['403']).toMatchObject({
      description: 'Not on Sundays\n\nThe caller is not allowed to do this. Codes: `INSUFFICIENT_SCOPE`.',
      headers: response.headers,
      content: {
        'application/json': {
          schema: { anyOf: [{ type: 'integer' }, ours] },
          examples: { example: { value: 7 }, INSUFFICIENT_SCOPE: { value: { required_scopes: ['a'] } } },
        },
        'text/plain': { schema: { type: 'string' } },
      },
    });
  });

  it('is kept where it is a reference, and the component stays as it is', async () => {
    const app = await appOf({ controllers: [controllerWith(RequireScopes('a'))] });
    const document = created(app);
    const components = { responses: { Mine: { description: 'Mine' } }, schemas: { ApiKeyRefusal: { type: 'string' } } };
    Object.assign(document, { components });
    const operation = document.paths['/things']?.get as { responses: Record<string, object> };
    operation.responses = { 403: { $ref: '#/components/responses/Mine' }, 401: { $ref: 'elsewhere.json#/a' } };
    documentApiKeys(app, document);
    expect(components.responses.Mine).toEqual({ description: 'Mine' });
    expect(document.components?.schemas).toMatchObject({ ApiKeyRefusal: { type: 'string' }, ApiKeyRefusal2: {} });
    const { responses } = only(document);
    expect(responses['403']?.description).toMatch(/^Mine\n\nThe caller/);
    expect(document.paths['/things']?.get?.responses['401']).toEqual({ $ref: 'elsewhere.json#/a' });
    await app.close();
  });

  it('is kept for the scheme of keys, as far as it is the same scheme', async () => {
    const controllers = [controllerWith(RequireScopes('a'), ApiBearerAuth('apiKey'), ApiSecurity('tenant'))];
    const config = (builder: DocumentBuilder) =>
      builder.addBearerAuth({ type: 'http', scheme: 'bearer', description: 'Ask support' }, 'apiKey');
    const document = await documentOf({ controllers, config });
    expect(document.components?.securitySchemes).toMatchObject({ apiKey: { description: 'Ask support' } });
    expect(only(document).security).toEqual([{ apiKey: ['a'] }, { tenant: [] }]);
  });

  it('is kept for a 404 that hides, which has a body without a code', async () => {
    const controllers = [
      controllerWith(OrgScoped({ query: 'org' }), ApiNotFoundResponse({ description: 'No such thing' })),
    ];
    const { responses } = only(await documentOf({ controllers, options: { hideExistence: true } }));
    expect(Object.keys(responses)).toEqual(['400', '401', '404', '503']);
    expect(responses['404']?.description).toBe(
      'No such thing\n\nIt does not exist, or belongs to another organization.',
    );
    expect(JSON.stringify(responses)).not.toContain('ORG_');
  });

  it('is not changed where operations share an object', async () => {
    @Controller('shared')
    @UseGuards(ApiKeyGuard)
    @ApiResponse({ status: 403, description: 'Shared' })
    class SharedController {
      @Get()
      @RequireScopes('a')
      find() {
        return {};
      }

      @Post()
      @RequireScopes('b')
      add() {
        return {};
      }
    }
    const app = await appOf({ controllers: [SharedController] });
    for (const document of [documentApiKeys(app, created(app)), documentApiKeys(app, created(app))])
      for (const { responses } of operationsOf(document))
        expect(responses['403']?.description.match(/Codes/g)).toHaveLength(1);
    await app.close();
  });
});

describe('rate limits in a document', () => {
  it('are a sentence, an extension and headers', async () => {
    const rule = [AnyValidKey(), RateLimit({ limit: 100, windowMs: 60_000, name: 'reads' })];
    const operation = only(await documentOf({ controllers: [controllerWith(...rule)] }));
    expect(operation.description).toBe('Requires an API key. At most 100 requests of each caller in any 60 s.');
    expect(operation).toMatchObject({ 'x-access-rules': [{ rateLimit: { limit: 100, windowMs: 60_000 } }] });
    expect(operation.responses['429']?.headers).toMatchObject({
      'Retry-After': { schema: { type: 'integer' } },
      RateLimit: { example: '"reads";r=0;t=30' },
      'RateLimit-Policy': { example: '"reads";q=100;w=60' },
    });
    expect(operation.responses['200']?.headers).toBeUndefined();
  });

  it('of the app that are decided per key are described without a number, and on every answer with headers: always', async () => {
    const document = await documentOf({
      controllers: [controllerWith(AnyValidKey())],
      options: { rateLimit: { limit: () => 5, windowMs: 1_500, headers: 'always' } },
    });
    const { description, responses } = only(document);
    expect(description).toContain('The number of requests of each caller in any 1.5 s is limited.');
    expect(Object.keys(responses['200']?.headers ?? {})).toEqual(['RateLimit', 'RateLimit-Policy']);
    expect(await new Validator().validate(document as unknown as Record<string, unknown>)).toEqual({ valid: true });
  });
});
