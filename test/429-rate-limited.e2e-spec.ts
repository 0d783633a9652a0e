import { Controller, Get, UseGuards, type Type } from '@nestjs/common';
import {
  AnyValidKey,
  ApiKeyGuard,
  apiKeyTracker,
  KindeApiKeyConfigurationError,
  PublicRoute,
  RateLimit,
  RequireScopes,
  SkipRateLimit,
  type ApiKeyDecision,
  type KindeApiKeyModuleExtras,
  type KindeApiKeyOptions,
} from 'nestjs-kinde-api-key';
import type { Answer } from './support/http.js';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';

@Controller('plain')
@UseGuards(ApiKeyGuard)
class PlainController {
  @Get()
  find(): string {
    return 'ok';
  }
  @Get('write')
  @RequireScopes('write')
  write(): string {
    return 'ok';
  }
  @Get('own')
  @RateLimit({ limit: 2, windowMs: 10_000 })
  own(): string {
    return 'ok';
  }
  @Get('skipped')
  @SkipRateLimit()
  skipped(): string {
    return 'ok';
  }
  @Get('open')
  @PublicRoute()
  open(): string {
    return 'ok';
  }
}

@Controller('limited')
@UseGuards(ApiKeyGuard)
@RateLimit({ limit: 3, windowMs: 10_000 })
class LimitedController {
  @Get('first')
  first(): string {
    return 'ok';
  }
  @Get('second')
  second(): string {
    return 'ok';
  }
  @Get('own')
  @RateLimit({ limit: 1, windowMs: 10_000 })
  own(): string {
    return 'ok';
  }
  @Get('skipped')
  @SkipRateLimit()
  skipped(): string {
    return 'ok';
  }
}

@Controller('inherited')
class InheritedController extends LimitedController {
  @Get('own')
  override own(): string {
    return 'ok';
  }
}

@Controller('replaced')
@RateLimit({ limit: 1, windowMs: 10_000 })
class ReplacedController extends LimitedController {}

const CONTROLLERS = [PlainController, LimitedController, InheritedController, ReplacedController];

describeAdapters('429 RATE_LIMITED', (adapter) => {
  let scenario: Scenario;
  const decisions: ApiKeyDecision[] = [];

  async function start(
    rateLimit: KindeApiKeyOptions['rateLimit'],
    options: KindeApiKeyOptions & KindeApiKeyModuleExtras = {},
    controllers: Type[] = CONTROLLERS,
  ): Promise<Scenario> {
    decisions.length = 0;
    const onDecision = (decision: ApiKeyDecision) => decisions.push(decision);
    scenario = await startScenario({
      adapter,
      controllers,
      options: { onDecision, ...(rateLimit && { rateLimit }), ...options },
    });
    return scenario;
  }
  afterEach(() => scenario.close());

  /** Sends at most 20 requests, one after the other. @returns how many were accepted before one was refused */
  async function acceptedUntilRefused(path: string, key: string): Promise<number> {
    for (let accepted = 0; accepted < 20; accepted += 1) {
      const { status } = await scenario.get(path, key);
      if (status !== 200) {
        expect(status).toBe(429);
        return accepted;
      }
    }
    return Infinity;
  }

  function statusesOf(answers: readonly Answer[]): Record<number, number> {
    const counts: Record<number, number> = {};
    for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  }

  it('accepts exactly 100 of 1,000 concurrent requests, by default in any 60 seconds', async () => {
    await start({});
    const { key } = scenario.emulator.createKey();
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => scenario.get('/plain', key)));
    expect(statusesOf(answers)).toEqual({ 200: 100, 429: 900 });
    expect(scenario.emulator.counters.verifies).toBe(1);
    scenario.clock.advance(59_999);
    expect(await scenario.get('/plain', key)).toMatchObject({ status: 429 });
    scenario.clock.advance(1);
    expect(await acceptedUntilRefused('/plain', key)).toBe(Infinity);
  });

  it('answers with a code, Retry-After and RateLimit headers, and without WWW-Authenticate', async () => {
    await start({ limit: 2, windowMs: 60_000 });
    const { key, keyId } = scenario.emulator.createKey();
    for (const waitMs of [20_500, 10_000]) {
      const { status, headers } = await scenario.get('/plain', key);
      expect(status).toBe(200);
      for (const name of ['ratelimit', 'ratelimit-policy', 'retry-after']) expect(headers).not.toHaveProperty(name);
      scenario.clock.advance(waitMs);
    }
    const { status, headers, body } = await scenario.get('/plain', key);
    expect({ status, body }).toEqual({
      status: 429,
      body: {
        statusCode: 429,
        error: 'Too Many Requests',
        message: 'Rate limit exceeded. Please try again later.',
        code: 'RATE_LIMITED',
        hint: 'Send the request again after as many seconds as the header "Retry-After" says. Until then, every request is refused.',
      },
    });
    expect(headers).toMatchObject({
      'retry-after': '30', // 29.5 s
      'cache-control': 'no-store',
      ratelimit: '"default";r=0;t=30',
      'ratelimit-policy': '"default";q=2;w=60',
    });
    expect(headers).not.toHaveProperty('www-authenticate');
    expect(decisions.at(-1)).toMatchObject({
      outcome: 'refused',
      code: 'RATE_LIMITED',
      route: 'PlainController.find',
      keyId,
      orgCode: null,
      userId: null,
      cached: true,
    });
    scenario.clock.advance(30_000);
    expect(await scenario.get('/plain', key)).toMatchObject({ status: 200 });
    expect(await scenario.get('/plain', key)).toMatchObject({ status: 429 });
  });

  it("sends RateLimit headers with every counted request when headers is 'always'", async () => {
    await start({ limit: 3, windowMs: 60_000, headers: 'always' });
    const { key } = scenario.emulator.createKey();
    expect(await scenario.get('/plain', key)).toMatchObject({
      status: 200,
      headers: { ratelimit: '"default";r=2;t=60', 'ratelimit-policy': '"default";q=3;w=60' },
    });
    scenario.clock.advance(15_000);
    expect(await scenario.get('/plain/write', key)).toMatchObject({
      status: 403,
      headers: { ratelimit: '"default";r=1;t=45', 'ratelimit-policy': '"default";q=3;w=60' },
    });
    expect(await scenario.get('/limited/first', key)).toMatchObject({
      status: 200,
      headers: {
        ratelimit: '"class of GET /limited/first";r=2;t=10',
        'ratelimit-policy': '"class of GET /limited/first";q=3;w=10',
      },
    });
    for (const path of ['/plain/skipped', '/plain/open']) {
      const { status, headers } = await scenario.get(path, key);
      expect(status).toBe(200);
      expect(headers).not.toHaveProperty('ratelimit');
    }
  });

  it('applies the nearest limit, each with its own budget', async () => {
    await start({ limit: 5, windowMs: 10_000 });
    const { key } = scenario.emulator.createKey();
    expect(await scenario.get('/plain', key)).toMatchObject({ status: 200 });
    expect({
      'a method in place of the option': await acceptedUntilRefused('/plain/own', key),
      'the class, for two methods together': [
        (await scenario.get('/limited/second', key)).status,
        await acceptedUntilRefused('/limited/first', key),
        await acceptedUntilRefused('/limited/second', key),
      ],
      'a method in place of its class': await acceptedUntilRefused('/limited/own', key),
      'no limit, by a method': [
        await acceptedUntilRefused('/plain/skipped', key),
        await acceptedUntilRefused('/limited/skipped', key),
      ],
      'an inherited class, in a budget of the subclass': await acceptedUntilRefused('/inherited/first', key),
      'an overridden method that says nothing itself': await acceptedUntilRefused('/inherited/own', key),
      'a subclass in place of its ancestor': await acceptedUntilRefused('/replaced/second', key),
      'the option, for the rest': await acceptedUntilRefused('/plain', key),
    }).toEqual({
      'a method in place of the option': 2,
      'the class, for two methods together': [200, 2, 0],
      'a method in place of its class': 1,
      'no limit, by a method': [Infinity, Infinity],
      'an inherited class, in a budget of the subclass': 3,
      'an overridden method that says nothing itself': 1,
      'a subclass in place of its ancestor': 1,
      'the option, for the rest': 4,
    });
  });

  it('limits a route by its decorator alone, and does not limit a route without decorator and option', async () => {
    await start(undefined);
    const { key } = scenario.emulator.createKey();
    expect(await acceptedUntilRefused('/plain/own', key)).toBe(2);
    expect(await acceptedUntilRefused('/plain', key)).toBe(Infinity);
  });

  it('counts by the id of the key: a rotation does not refill the budget, and another key has its own', async () => {
    await start({ limit: 3, windowMs: 60_000 });
    const { keyId, key } = scenario.emulator.createKey({ orgCode: 'org_a' });
    expect(await scenario.get('/plain', key)).toMatchObject({ status: 200 });
    const rotated = scenario.emulator.rotateKey(keyId);
    expect(rotated.key).not.toBe(key);
    expect(await acceptedUntilRefused('/plain', rotated.key)).toBe(2);
    expect(await acceptedUntilRefused('/plain', scenario.emulator.createKey({ orgCode: 'org_a' }).key)).toBe(3);
  });

  it('counts requests that are refused for their scopes, but not those with a bad key or without a key', async () => {
    await start({ limit: 2, windowMs: 60_000 });
    const { key } = scenario.emulator.createKey();
    for (let count = 0; count < 5; count += 1) {
      expect(await scenario.get('/plain')).toMatchObject({ status: 401 });
      expect(await scenario.get('/plain', `k_live_${'0'.repeat(20)}`)).toMatchObject({ status: 401 });
      expect(await scenario.get('/plain/open', key)).toMatchObject({ status: 200 });
    }
    for (const status of [403, 403, 429]) expect(await scenario.get('/plain/write', key)).toMatchObject({ status });
    expect(await scenario.get('/plain', key)).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } });
  });

  it('counts a request once when a global guard and the guard of its class see it', async () => {
    @Controller('twice')
    @UseGuards(ApiKeyGuard)
    @AnyValidKey()
    class TwiceController {
      @Get()
      find(): string {
        return 'ok';
      }
    }
    await start({ limit: 4, windowMs: 60_000 }, { globalGuard: true }, [TwiceController]);
    expect(await acceptedUntilRefused('/twice', scenario.emulator.createKey().key)).toBe(4);
  });

  it('takes the limit from a function of the verified key', async () => {
    await start({ limit: ({ orgCode }) => (orgCode === 'org_large' ? 4 : 1), windowMs: 60_000 });
    const limits = ['org_large', 'org_small'].map((orgCode) =>
      acceptedUntilRefused('/plain', scenario.emulator.createKey({ orgCode }).key),
    );
    expect(await Promise.all(limits)).toEqual([4, 1]);
  });

  it('refuses while the limit function throws, and accepts again once it works', async () => {
    let isBroken = true;
    const limit = () => {
      if (isBroken) throw new Error('no plan');
      return 1;
    };
    await start({ limit, windowMs: 60_000 });
    const { key } = scenario.emulator.createKey();
    expect(await scenario.get('/plain', key)).toMatchObject({
      status: 429,
      headers: { 'retry-after': '5' },
      body: { code: 'RATE_LIMITED' },
    });
    isBroken = false;
    expect(await acceptedUntilRefused('/plain', key)).toBe(1);
  });

  it('identifies the key to rate limiters of the app by apiKeyTracker', async () => {
    const trackers: string[] = [];
    @Controller('tracked')
    @UseGuards(ApiKeyGuard, {
      canActivate: (context) => trackers.push(apiKeyTracker(context.switchToHttp().getRequest())) > 0,
    })
    class TrackedController {
      @Get()
      find(): string {
        return 'ok';
      }
      @Get('open')
      @PublicRoute()
      open(): string {
        return 'ok';
      }
    }
    await start(undefined, {}, [TrackedController]);
    const { key, keyId } = scenario.emulator.createKey();
    await scenario.get('/tracked', key);
    await scenario.get('/tracked/open', key);
    expect(trackers).toEqual([keyId, expect.stringMatching(/127\.0\.0\.1$/)]);
  });
});

describeAdapters('a rate limit that cannot be enforced', (adapter) => {
  async function problemsOf(
    controller: Type,
    options: KindeApiKeyOptions & KindeApiKeyModuleExtras = {},
  ): Promise<readonly string[]> {
    const started = await startScenario({ adapter, controllers: [controller], options }).catch(
      (error: unknown) => error,
    );
    if (started instanceof KindeApiKeyConfigurationError) return started.problems;
    await (started as Scenario).close?.();
    throw new Error(`the app started, or failed otherwise: ${String(started)}`);
  }

  it.each([
    ['limit', { limit: 0 }, 'rateLimit.limit must be a whole number from 1 to 10000'],
    ['windowMs', { windowMs: 999 }, 'rateLimit.windowMs must be a whole number from 1000 to 86400000'],
    ['headers', { headers: 'never' }, "rateLimit.headers must be 'refusals' or 'always'"],
    ['another name', { max: 5 }, 'rateLimit.max is not an option; known here: limit, windowMs, headers'],
  ])('stops the boot as an option with a wrong value: %s', async (_name, rateLimit, problem) => {
    expect(await problemsOf(PlainController, { rateLimit } as KindeApiKeyOptions)).toEqual([problem]);
  });

  it('stops the boot on a public route', async () => {
    @Controller()
    @UseGuards(ApiKeyGuard)
    class OpenController {
      @Get()
      @PublicRoute()
      @RateLimit({ limit: 5, windowMs: 60_000 })
      find(): void {}
    }
    expect(await problemsOf(OpenController)).toEqual([
      'OpenController.find carries @RateLimit({ limit: 5, windowMs: 60000 }) but is public: limits go by the key, and a public route looks at ' +
        'none; remove one of the two, or add @SkipRateLimit() to the method',
    ]);
  });

  it.each([
    ['@RateLimit({ limit: 5, windowMs: 60000 })', RateLimit({ limit: 5, windowMs: 60_000 })],
    ['@SkipRateLimit()', SkipRateLimit()],
  ])('stops the boot when no guard covers it: %s', async (text, decorate) => {
    @Controller()
    @decorate
    class LooseController {
      @Get()
      find(): void {}
    }
    expect(await problemsOf(LooseController)).toEqual([
      expect.stringContaining(`LooseController.find carries ${text} but no ApiKeyGuard reaches it`),
    ]);
  });

  it('stops the boot beside @SkipRateLimit() on the same method', async () => {
    @Controller()
    @UseGuards(ApiKeyGuard)
    class ContradictoryController {
      @Get()
      @SkipRateLimit()
      @RateLimit({ limit: 5, windowMs: 60_000 })
      find(): void {}
    }
    expect(await problemsOf(ContradictoryController)).toEqual([
      expect.stringContaining('on one method: keep one of them'),
    ]);
  });

  it('does not count as a decision about access: strict mode still demands one', async () => {
    @Controller()
    @RateLimit({ limit: 5, windowMs: 60_000 })
    class UndecidedController {
      @Get()
      @SkipRateLimit()
      find(): void {}
    }
    expect(await problemsOf(UndecidedController, { globalGuard: true })).toEqual([
      expect.stringContaining('UndecidedController.find has no decision'),
    ]);
  });
});
