import {
  Catch,
  Controller,
  Get,
  HttpException,
  NotFoundException,
  UseGuards,
  type ArgumentsHost,
  type ExceptionFilter,
  type ExecutionContext,
  type Type,
} from '@nestjs/common';
import {
  ApiKeyGuard,
  ApiKeyProblemDetailsFilter,
  ApiKeyRefusedException,
  OrgScoped,
  type ApiKeyDecision,
} from 'nestjs-kinde-api-key';
import type { Answer } from './support/http.js';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';

const OWNERS: Readonly<Record<string, string>> = { 'user-of-a': 'org_a', 'user-of-b': 'org_b' };

function find(context: ExecutionContext): string {
  const { id } = context.switchToHttp().getRequest<{ params: { id: string } }>().params;
  const owner = OWNERS[id];
  if (!owner) throw new NotFoundException(`no user ${id}`);
  return owner;
}

@Controller()
@UseGuards(ApiKeyGuard)
class UsersController {
  @Get('now/:id')
  @OrgScoped({ resolve: find })
  now(): string {
    return 'ok';
  }

  @Get('later/:id')
  @OrgScoped({ resolve: async (context) => find(context) })
  later(): string {
    return 'ok';
  }
}

/** A filter of an app, which answers with all that it can learn of an exception. */
function filterOf(...caught: (abstract new (...args: never[]) => unknown)[]): ExceptionFilter {
  @Catch(...(caught as Type[]))
  class AppFilter implements ExceptionFilter<HttpException> {
    catch(exception: HttpException, host: ArgumentsHost): void {
      const { code, headers, cause } = exception as { code?: unknown; headers?: unknown; cause?: unknown };
      const { name: type } = exception.constructor;
      const learned = {
        ...Object.fromEntries(Object.entries(exception)),
        type,
        code,
        headers,
        cause,
        text: String(exception),
        body: exception.getResponse(),
      };
      const response = host.switchToHttp().getResponse<{ status(code: number): { send(body: unknown): void } }>();
      response.status(exception.getStatus()).send({ filter: caught.map(({ name }) => name), ...learned });
    }
  }
  return new AppFilter();
}

/** What a client sees, except for the time and its own path. */
function seen({ status, headers, body }: Answer, path: string): unknown {
  const fields = Object.entries(headers).filter(([name]) => !['date', 'etag', 'content-length'].includes(name));
  return { status, fields, body: JSON.stringify(body).replaceAll(path, '<path>') };
}

describeAdapters('hideExistence', (adapter) => {
  let scenario: Scenario;
  let decisions: ApiKeyDecision[];
  const start = async (hideExistence: boolean, prepare?: (app: Scenario['app']) => void) => {
    decisions = [];
    scenario = await startScenario({
      adapter,
      controllers: [UsersController],
      options: {
        hideExistence,
        rateLimit: { limit: 100, windowMs: 60_000, headers: 'always' },
        onDecision: (decision) => void decisions.push(decision),
      },
      ...(prepare && { prepare }),
    });
  };
  afterEach(() => scenario.close());

  it.each([
    ['plain answers', undefined],
    ['problem details', (app: Scenario['app']) => void app.useGlobalFilters(new ApiKeyProblemDetailsFilter())],
    ['a filter for everything', (app: Scenario['app']) => void app.useGlobalFilters(filterOf())],
    ['a filter for HttpException', (app: Scenario['app']) => void app.useGlobalFilters(filterOf(HttpException))],
    [
      'a filter for NotFoundException',
      (app: Scenario['app']) => void app.useGlobalFilters(filterOf(NotFoundException)),
    ],
    [
      'filters for NotFoundException and for refusals',
      (app: Scenario['app']) =>
        void app.useGlobalFilters(filterOf(NotFoundException), filterOf(ApiKeyRefusedException)),
    ],
    [
      'problem details and a filter for NotFoundException',
      (app: Scenario['app']) =>
        void app.useGlobalFilters(filterOf(NotFoundException), new ApiKeyProblemDetailsFilter()),
    ],
    ['CORS', (app: Scenario['app']) => app.enableCors({ origin: 'https://example.com' })],
  ])(
    'answers a foreign resource, a missing one and a missing route byte for byte alike, with %s',
    async (_what, prepare) => {
      await start(true, prepare);
      const { key } = scenario.emulator.createKey({ orgCode: 'org_a' });
      const keyWithoutOrganization = scenario.emulator.createKey().key;
      const requests: [string, string][] = ['now', 'later'].flatMap((route): [string, string][] => [
        [`/${route}/user-of-b?page=1`, key],
        [`/${route}/no-user-xx?page=1`, key],
        [`/${route}/user-of-a?page=1`, keyWithoutOrganization],
      ]);
      const missing = seen(await scenario.get('/none', key), '/none');
      expect(missing).toMatchObject({
        status: 404,
        body: expect.stringContaining(
          JSON.stringify({ message: 'Cannot GET <path>', error: 'Not Found', statusCode: 404 }),
        ),
      });
      for (const [path, withKey] of requests) expect(seen(await scenario.get(path, withKey), path)).toEqual(missing);
      expect(decisions.map(({ code }) => code)).toEqual([
        'ORG_MISMATCH',
        'ORG_MISMATCH',
        'ORG_REQUIRED',
        'ORG_MISMATCH',
        'ORG_MISMATCH',
        'ORG_REQUIRED',
      ]);
      expect(await scenario.get('/now/user-of-a', key)).toMatchObject({ status: 200 });
    },
  );

  it("leaves a resolver's own answer alone when it is off", async () => {
    await start(false);
    const { key } = scenario.emulator.createKey({ orgCode: 'org_a' });
    expect(await scenario.get('/later/nobody', key)).toMatchObject({
      status: 404,
      body: { message: 'no user nobody' },
    });
    expect(await scenario.get('/later/user-of-b', key)).toMatchObject({ status: 403 });
  });
});
