import { All, Controller, Get, Module, Post, UseGuards, Version, VersioningType, type Type } from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import { ApiKeyGuard, KindeApiKeyConfigurationError, RateLimit } from 'nestjs-kinde-api-key';
import { describeAdapters, startScenario, type Scenario, type ScenarioOptions } from './support/scenario.js';

const five = { limit: 5, windowMs: 60_000 };

class Answering {
  @Get('inherited')
  @RateLimit(five)
  inherited(): string {
    return 'ok';
  }
}

@Controller('alpha')
@UseGuards(ApiKeyGuard)
class AlphaController extends Answering {
  @All('any')
  @RateLimit(five)
  any(): string {
    return 'ok';
  }
  @Post(['b', 'a'])
  @RateLimit(five)
  twoPaths(): string {
    return 'ok';
  }
  @Get('named')
  @RateLimit({ ...five, name: 'exports of "all"' })
  named(): string {
    return 'ok';
  }
}

@Controller('beta')
@UseGuards(ApiKeyGuard)
@RateLimit(five)
class BetaController extends Answering {
  @Get('first')
  first(): string {
    return 'ok';
  }
  @Get('second')
  second(): string {
    return 'ok';
  }
  @Get('named')
  @RateLimit({ ...five, name: 'exports of "all"' })
  named(): string {
    return 'ok';
  }
}

@Controller({ path: 'versioned', version: '1' })
@UseGuards(ApiKeyGuard)
@RateLimit(five)
class VersionedController {
  @Get()
  find(): string {
    return 'ok';
  }
  @Get('own')
  @Version(['3', '2'])
  @RateLimit(five)
  own(): string {
    return 'ok';
  }
}

describeAdapters('the budget of a rate limit', (adapter) => {
  let scenario: Scenario;
  afterEach(() => scenario.close());

  async function start(controllers: Type[], more: Partial<ScenarioOptions> = {}): Promise<string> {
    const options = { rateLimit: { limit: 100, headers: 'always' as const } };
    scenario = await startScenario({ adapter, controllers, options, ...more });
    return scenario.emulator.createKey().key;
  }
  const policyOf = async (path: string, key: string, method = 'GET', headers = {}) => {
    const { status, headers: answered } = await scenario.get(path, key, { method, headers });
    return [status, answered['ratelimit-policy']];
  };

  it('is named after the method and the path of the route, or the first route of the class, and not after classes', async () => {
    const key = await start([AlphaController, BetaController]);
    const named = (name: string, status = 200) => [status, `"${name}";q=5;w=60`];
    expect(await policyOf('/alpha/inherited', key)).toEqual(named('GET /alpha/inherited'));
    expect(await policyOf('/beta/inherited', key)).toEqual(named('GET /beta/inherited'));
    expect(await policyOf('/alpha/any', key, 'DELETE')).toEqual(named('ALL /alpha/any'));
    expect(await policyOf('/alpha/a', key, 'POST')).toEqual(named('POST /alpha/a, POST /alpha/b', 201));
    expect(await policyOf('/beta/first', key)).toEqual(named('class of GET /beta/first'));
    expect(await policyOf('/beta/second', key)).toEqual(named('class of GET /beta/first'));
  });

  it('is shared by limits with the same name, and only by these', async () => {
    const key = await start([AlphaController, BetaController]);
    expect(await policyOf('/alpha/named', key)).toEqual([200, '"exports of \\"all\\"";q=5;w=60']);
    for (const path of ['/beta/named', '/alpha/named', '/beta/named', '/alpha/named'])
      expect(await scenario.get(path, key)).toMatchObject({ status: 200 });
    expect(await scenario.get('/beta/named', key)).toMatchObject({ status: 429 });
    expect(await scenario.get('/beta/inherited', key)).toMatchObject({ status: 200 });
  });

  it('is separate for two classes that have the same path', async () => {
    const [first, second] = ['x', 'y'].map((path) => {
      @Controller('same')
      @UseGuards(ApiKeyGuard)
      @RateLimit({ limit: 1, windowMs: 60_000 })
      class Same {
        @Get(path)
        find(): string {
          return 'ok';
        }
      }
      return Same;
    });
    const key = await start([first, second].filter((one) => one !== undefined));
    for (const path of ['/same/x', '/same/y'])
      for (const status of [200, 429]) expect(await scenario.get(path, key)).toMatchObject({ status });
  });

  it('has the global prefix and the path of the module, of each module that registers the class', async () => {
    @Module({ controllers: [BetaController] })
    class First {}
    @Module({ controllers: [BetaController] })
    class Second {}
    const routes = RouterModule.register([
      { path: 'z', module: First },
      { path: 'm', module: Second },
    ]);
    const key = await start([], {
      imports: [First, Second, routes],
      prepare: (app) => app.setGlobalPrefix('api'),
    });
    for (const path of ['/api/m/beta', '/api/z/beta']) {
      expect(await policyOf(`${path}/inherited`, key)).toEqual([
        200,
        '"GET /api/m/beta/inherited, GET /api/z/beta/inherited";q=5;w=60',
      ]);
      expect(await policyOf(`${path}/first`, key)).toEqual([200, '"class of GET /api/m/beta/first";q=5;w=60']);
    }
  });

  it('has the host, and the path of the class that Nest registered where a mixin names another', async () => {
    class Mixin {
      @Get('mixed')
      @RateLimit(five)
      mixed(): string {
        return 'ok';
      }
    }
    @Controller({ path: 'target', host: '127.0.0.1' })
    @UseGuards(ApiKeyGuard)
    class Target {}
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(Mixin.prototype)))
      Object.defineProperty(Target.prototype, name, descriptor);
    const key = await start([Target], {
      prepare: (app) => app.setGlobalPrefix('api', { exclude: ['target/mixed'] }),
    });
    expect(await policyOf('/target/mixed', key)).toEqual([200, '"GET 127.0.0.1/target/mixed";q=5;w=60']);
  });

  it('has the version of the route: in its path, else behind it', async () => {
    const headers = { 'x-version': '3' };
    let key = await start([VersionedController], {
      prepare: (app) => app.enableVersioning({ type: VersioningType.URI }),
    });
    expect(await policyOf('/v1/versioned', key)).toEqual([200, '"class of GET /v1/versioned";q=5;w=60']);
    expect(await policyOf('/v3/versioned/own', key)).toEqual([
      200,
      '"GET /v2/versioned/own, GET /v3/versioned/own";q=5;w=60',
    ]);
    await scenario.close();
    key = await start([VersionedController], {
      prepare: (app) => app.enableVersioning({ type: VersioningType.HEADER, header: 'X-Version' }),
    });
    expect(await policyOf('/versioned/own', key, 'GET', headers)).toEqual([
      200,
      '"GET /versioned/own version 2|3";q=5;w=60',
    ]);
    await scenario.close();
    key = await start([VersionedController]);
    expect(await policyOf('/versioned/own', key)).toEqual([200, '"GET /versioned/own";q=5;w=60']);
  });
});

describe('budgets with the same name', () => {
  async function problemsOf(controllers: Type[], options: ScenarioOptions['options'] = {}): Promise<readonly string[]> {
    try {
      await (await startScenario({ adapter: 'express', controllers, options })).close();
      return [];
    } catch (error) {
      if (error instanceof KindeApiKeyConfigurationError) return error.problems;
      throw error;
    }
  }
  function limited(path: string, limit: Parameters<typeof RateLimit>[0], onClass: Parameters<typeof RateLimit>[0]) {
    @Controller(path)
    @UseGuards(ApiKeyGuard)
    @RateLimit(onClass)
    class Limited {
      @Get('own')
      @RateLimit(limit)
      own(): string {
        return 'ok';
      }
      @Get()
      find(): string {
        return 'ok';
      }
    }
    return Limited;
  }

  it.each([
    ['another limit', { ...five, limit: 6, name: 'shared' }],
    ['another window', { ...five, windowMs: 1_000, name: 'shared' }],
  ])('stop the boot if one has %s, naming both routes and the cure', async (_case, other) => {
    const first = limited('a', { ...five, name: 'shared' }, five);
    class Second extends limited('b', other, five) {}
    expect(await problemsOf([first, Controller('b')(Second) ?? Second])).toEqual([
      expect.stringMatching(
        /^Second.own counts against the same budget as Limited.own, "shared", .* another limit or window: .*name/,
      ),
    ]);
  });

  it('stop the boot if a name is that of the option and the limits differ', async () => {
    const rateLimit = { limit: 5, windowMs: 60_000 };
    const named = (limit: number) => limited('a', { ...five, limit, name: 'default' }, { ...five, name: 'default' });
    @Controller('other')
    @UseGuards(ApiKeyGuard)
    class Other {
      @Get()
      find(): string {
        return 'ok';
      }
    }
    expect(await problemsOf([Other, named(5)], { rateLimit })).toEqual([]);
    expect(await problemsOf([Other, named(6)], { rateLimit })).toEqual([
      expect.stringContaining('the same budget as Other.find, "default"'),
    ]);
  });
});
