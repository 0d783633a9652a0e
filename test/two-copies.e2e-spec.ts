import { Catch, Controller, Get, Logger, UseGuards, type ArgumentsHost } from '@nestjs/common';
import * as first from 'nestjs-kinde-api-key';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';

type Library = typeof first;

/** Loads the library a second time, as two versions in node_modules or two module formats do. */
function anotherCopy(): Library {
  let copy: Library | undefined;
  // Nest stays the same for both.
  const shared = ['@nestjs/common', '@nestjs/core', '@nestjs/axios', 'rxjs'];
  const loaded = shared.map((name) => [name, jest.requireActual<object>(name)] as const);
  jest.isolateModules(() => {
    for (const [name, nest] of loaded) jest.doMock(name, () => nest);
    copy = jest.requireActual<Library>('../libs/kinde-api-key/src/index.ts');
  });
  if (!copy) throw new Error('the library was not loaded');
  return copy;
}

const second = anotherCopy();

@Controller('rules/:orgCode')
@UseGuards(first.ApiKeyGuard)
class WithForeignRules {
  @Get('scopes')
  @second.RequireScopes('admin')
  scopes() {
    return 'ok';
  }
  @Get('org')
  @second.OrgScoped()
  org() {
    return 'ok';
  }
  @Get('public')
  @second.PublicRoute()
  open() {
    return 'ok';
  }
}

@Controller('guard')
@UseGuards(second.ApiKeyGuard)
class WithForeignGuard {
  @Get()
  @first.RequireScopes('admin')
  find() {
    return 'ok';
  }
}

// The registration of the first copy makes every refusal.
@Catch(second.ApiKeyRefusedException)
class RefusalFilter {
  catch(refusal: first.ApiKeyRefusedException, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<{ status(code: number): { send(body: unknown): void } }>();
    response.status(refusal.getStatus()).send({ caught: refusal.code });
  }
}

describe('the second copy', () => {
  it('has classes of its own', () => {
    expect(second.ApiKeyGuard).not.toBe(first.ApiKeyGuard);
    expect(second.ApiKeyRefusedException).not.toBe(first.ApiKeyRefusedException);
  });

  it('makes errors that are instances of the same classes of the first', () => {
    const unavailable = new second.KindeApiKeyUnavailableError('away', { retryAfterSeconds: 1 });
    expect(unavailable).toBeInstanceOf(first.KindeApiKeyUnavailableError);
    expect(unavailable).toBeInstanceOf(first.KindeApiKeyError);
    expect(unavailable).not.toBeInstanceOf(first.KindeApiKeyMisconfiguredError);
    expect(unavailable).not.toBeInstanceOf(first.ApiKeyRefusedException);
    expect(new second.KindeApiKeyConfigurationError('x', [])).toBeInstanceOf(first.KindeApiKeyConfigurationError);
    expect(new second.KindeApiKeyManagementError('NOT_FOUND', 'x')).toBeInstanceOf(first.KindeApiKeyManagementError);
    class Own extends first.KindeApiKeyUnavailableError {}
    expect(unavailable).not.toBeInstanceOf(Own);
    for (const other of [new Error('x'), null, undefined, 'x', { name: 'KindeApiKeyUnavailableError', code: 'x' }])
      expect(other).not.toBeInstanceOf(first.KindeApiKeyError);
  });
});

describeAdapters('two copies of the library in one process', (adapter) => {
  let scenario: Scenario;
  let reader: string;

  beforeAll(async () => {
    scenario = await startScenario({
      adapter,
      controllers: [WithForeignRules, WithForeignGuard],
      options: { cache: false, kinde: { retries: 0 } },
      prepare: (app) => void app.useGlobalFilters(new RefusalFilter()),
    });
    reader = scenario.emulator.createKey({ scopes: ['read'], orgCode: 'org_b' }).key;
  });
  afterAll(() => scenario.close());

  it.each([
    ['scopes', 403, 'INSUFFICIENT_SCOPE'],
    ['org', 403, 'ORG_MISMATCH'],
  ])('keep the rules of each other: %s', async (path, status, caught) => {
    expect(await scenario.get(`/rules/org_a/${path}`, reader)).toMatchObject({ status, body: { caught } });
  });

  it('keep @PublicRoute() of each other', async () => {
    expect(await scenario.get('/rules/org_a/public')).toMatchObject({ status: 200 });
  });

  it('let a filter of the second catch refusals of the first', async () => {
    expect(await scenario.get('/guard')).toMatchObject({ status: 401, body: { caught: 'MISSING_KEY' } });
    expect(await scenario.get('/guard', reader)).toMatchObject({ status: 403, body: { caught: 'INSUFFICIENT_SCOPE' } });
  });

  it("answer 503 for an outage behind the other copy's guard", async () => {
    scenario.emulator.failNext(503);
    expect(await scenario.get('/guard', reader)).toMatchObject({
      status: 503,
      body: { caught: 'VERIFICATION_UNAVAILABLE' },
    });
  });
});

describe('two copies in one app', () => {
  const options = { domain: 'http://127.0.0.1:9', clientId: 'id', clientSecret: 'secret' };

  it('are reported when the module is registered, once', () => {
    const third = anotherCopy();
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    for (const _time of [1, 2]) third.KindeApiKeyModule.forRoot(options);
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/^3 copies of nestjs-kinde-api-key are loaded\./)]]);
    warn.mockClear();
    first.KindeApiKeyModule.forRootAsync({ useFactory: () => options });
    expect(warn.mock.calls).toEqual([[expect.stringContaining('Run `npm ls nestjs-kinde-api-key`')]]);
    warn.mockRestore();
  });
});
