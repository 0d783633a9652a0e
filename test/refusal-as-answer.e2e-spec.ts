import {
  Catch,
  Controller,
  ForbiddenException,
  Get,
  HttpException,
  Injectable,
  NotFoundException,
  UseGuards,
  type ArgumentsHost,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
} from '@nestjs/common';
import { BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import {
  ApiKeyGuard,
  ApiKeyProblemDetailsFilter,
  ApiKeyRefusedException,
  RequireScopes,
  type ApiKeyDecision,
  type KindeApiKeyOptions,
} from 'nestjs-kinde-api-key';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';

interface Reply {
  status(code: number): Reply;
  send(body: unknown): unknown;
  header(name: string, value: string): unknown;
  hijack?(): void;
  readonly raw?: ServerResponse;
}

/** Lets a request in by its cookie if the key is refused. */
@Injectable()
class KeyOrCookieGuard implements CanActivate {
  constructor(private readonly keys: ApiKeyGuard) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    try {
      return await this.keys.canActivate(context);
    } catch (error) {
      if (!(error instanceof HttpException) || error.getStatus() === 500) throw error;
      const { cookie } = context.switchToHttp().getRequest<{ headers: { cookie?: string } }>().headers;
      if (cookie === 'session=good') return true;
      throw error;
    }
  }
}

/** Sets a header through the framework, before the other guards run. */
class PrivateGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    context.switchToHttp().getResponse<Reply>().header('Cache-Control', 'private');
    return true;
  }
}

@Controller()
class KeysController {
  @Get('key')
  @UseGuards(ApiKeyGuard)
  key(): string {
    return 'ok';
  }

  @Get('scope')
  @RequireScopes('write:users', 'read:users')
  @UseGuards(ApiKeyGuard)
  scope(): string {
    return 'ok';
  }

  @Get('either')
  @UseGuards(KeyOrCookieGuard)
  either(): string {
    return 'ok';
  }

  @Get('either/missing')
  @UseGuards(KeyOrCookieGuard)
  missing(): string {
    throw new NotFoundException();
  }

  @Get('either/forbidden')
  @UseGuards(KeyOrCookieGuard)
  async forbidden(): Promise<string> {
    throw new ForbiddenException();
  }

  @Get('either/unauthorized')
  @UseGuards(KeyOrCookieGuard)
  unauthorized(): string {
    throw new HttpException('Your session is too old', 401);
  }
}

const TRACES = ['www-authenticate', 'cache-control', 'retry-after', 'ratelimit', 'ratelimit-policy'];
const COOKIE = { headers: { cookie: 'session=good' } };

type Answering = (error: unknown, reply: Reply, host: ArgumentsHost) => void;
const statusOf = (error: unknown) => (error instanceof HttpException ? error.getStatus() : 500);

function filterOf(answering: Answering, ...caught: Parameters<typeof Catch>): ExceptionFilter {
  @Catch(...caught)
  class AppFilter implements ExceptionFilter {
    catch(error: unknown, host: ArgumentsHost): void {
      answering(error, host.switchToHttp().getResponse<Reply>(), host);
    }
  }
  return new AppFilter();
}

/** Filters as apps have them, with the status that they answer 401 with. */
const FILTERS: [string, ExceptionFilter, number][] = [
  [
    'writes into the body',
    filterOf((error, reply) => {
      const body = (error as HttpException).getResponse() as Record<string, unknown>;
      body['path'] = '/x';
      reply.status(statusOf(error)).send(body);
    }, HttpException),
    401,
  ],
  [
    'catches everything and writes its own body',
    filterOf((error, reply) => void reply.status(statusOf(error)).send({ failed: true })),
    401,
  ],
  [
    'does not look at the exception',
    filterOf((_error, reply) => void reply.status(401).send('no'), ApiKeyRefusedException),
    401,
  ],
  ['changes the status', filterOf((_error, reply) => void reply.status(418).send({ failed: true })), 418],
  [
    'reads the second line of the stack',
    filterOf((error, reply) => {
      const [, second = ''] = (error as Error).stack?.split('\n') ?? [];
      reply.status(statusOf(error)).send({ at: second.trim().length > 0 });
    }),
    401,
  ],
  [
    'answers through the raw response',
    filterOf((error, reply) => {
      reply.hijack?.();
      const raw = reply.raw ?? (reply as unknown as ServerResponse);
      raw.writeHead(statusOf(error), { 'Content-Type': 'text/plain' });
      raw.end('no');
    }),
    401,
  ],
  [
    'answers later',
    filterOf((error, reply) => void setImmediate(() => void reply.status(statusOf(error)).send({ failed: true }))),
    401,
  ],
];

describeAdapters('a refusal', (adapter) => {
  let scenario: Scenario;
  let decisions: ApiKeyDecision[];
  const start = async (
    options: KindeApiKeyOptions = {},
    filter?: ExceptionFilter,
    before?: (app: Scenario['app']) => void,
  ) => {
    decisions = [];
    scenario = await startScenario({
      adapter,
      controllers: [KeysController],
      providers: [KeyOrCookieGuard],
      options: { guardedBy: [KeyOrCookieGuard], onDecision: (decision) => void decisions.push(decision), ...options },
      prepare: (app) => {
        if (filter) app.useGlobalFilters(filter);
        before?.(app);
      },
    });
  };
  const codes = () => decisions.map(({ code }) => code);
  afterEach(() => scenario.close());

  it.each(FILTERS)('keeps its headers under a filter that %s', async (_what, filter, status) => {
    await start({}, filter);
    const answer = await scenario.get('/key');
    expect(answer).toMatchObject({
      status,
      headers: { 'www-authenticate': 'Bearer realm="api"', 'cache-control': 'no-store' },
    });
    expect(codes()).toEqual(['MISSING_KEY']);
  });

  it('keeps its headers under a filter that extends BaseExceptionFilter', async () => {
    @Catch()
    class AppFilter extends BaseExceptionFilter {}
    await start({}, undefined, (app) => app.useGlobalFilters(new AppFilter(app.get(HttpAdapterHost).httpAdapter)));
    expect(await scenario.get('/key')).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer realm="api"', 'cache-control': 'no-store' },
    });
  });

  it('has a body and headers of its own, which a filter may change', async () => {
    await start(
      {},
      filterOf((error, reply) => {
        const refusal = error as ApiKeyRefusedException;
        const body = refusal.getResponse();
        body.required_scopes?.sort().push('more');
        refusal.headers['Cache-Control'] += ', private';
        reply.header('WWW-Authenticate', 'Custom');
        reply.status(refusal.getStatus()).send(body);
      }, ApiKeyRefusedException),
    );
    const { key } = scenario.emulator.createKey();
    for (let count = 0; count < 2; count += 1)
      expect(await scenario.get('/scope', key)).toMatchObject({
        status: 403,
        headers: { 'cache-control': 'no-store, private', 'www-authenticate': 'Custom' },
        body: { required_scopes: ['read:users', 'write:users', 'more'] },
      });
  });

  it.each<[string, (headers: Record<string, string | undefined>) => void]>([
    ['deletes', (headers) => Object.keys(headers).forEach((name) => delete headers[name])],
    ['unsets', (headers) => Object.keys(headers).forEach((name) => (headers[name] = undefined))],
  ])('is sent without the headers that a filter %s', async (_how, take) => {
    const answering = filterOf((error, reply) => {
      take((error as ApiKeyRefusedException).headers);
      reply.status(statusOf(error)).send({ failed: true });
    });
    await start({}, answering, (app) => app.useGlobalGuards(new PrivateGuard()));
    const { status, headers, body } = await scenario.get('/key');
    expect([status, body]).toEqual([401, { failed: true }]);
    expect([headers['www-authenticate'], headers['cache-control']]).toEqual([undefined, 'private']);
  });

  it('is not cached where middleware has allowed it', async () => {
    await start({}, undefined, (app) => {
      app.use((_request: unknown, response: ServerResponse, next: () => void) => {
        response.setHeader('Cache-Control', 'public, max-age=60');
        next();
      });
    });
    expect((await scenario.get('/key')).headers['cache-control']).toBe('no-store');
    expect((await scenario.get('/key', scenario.emulator.createKey().key)).headers['cache-control']).toBe(
      'public, max-age=60',
    );
  });

  it.each([
    ['success', '/either', 200],
    ['failure', '/either/missing', 404],
    ['later failure', '/either/forbidden', 403],
    ['failure with the same status', '/either/unauthorized', 401],
  ])('leaves no trace on the %s of a request that another guard lets in', async (_what, path, status) => {
    await start({
      failedAttempts: { limit: 1, windowMs: 60_000 },
      rateLimit: { limit: 1, windowMs: 60_000, headers: 'always' },
    });
    for (const key of [
      undefined,
      'k_live_unknown_to_kinde_0',
      'k_live_unknown_to_kinde_1',
      'short',
      scenario.emulator.issueToken(),
    ]) {
      const answer = await scenario.get(path, key, COOKIE);
      expect(answer.status).toBe(status);
      for (const name of TRACES) expect(answer.headers).not.toHaveProperty(name);
    }
    expect(decisions).toEqual([]);
    const { key } = scenario.emulator.createKey();
    expect(await scenario.get('/key', key)).toMatchObject({ status: 200 });
    scenario.emulator.failUntilCleared({ status: 503 });
    const unverified = await scenario.get(path, 'k_live_unknown_to_kinde_2', COOKIE);
    for (const name of TRACES) expect(unverified.headers).not.toHaveProperty(name);
  });

  it.each(['raw', 'code'])('leaves a value of the app alone that stands on the response as "%s"', async (name) => {
    let response: Record<string, unknown> | undefined;
    await start({ failedAttempts: { limit: 1, windowMs: 60_000 } }, undefined, (app) => {
      app.use((_request: unknown, made: Record<string, unknown>, next: () => void) => {
        response = Object.assign(made, { [name]: 'a text' });
        next();
      });
    });
    expect(await scenario.get('/key')).toMatchObject({ status: 401, headers: { 'cache-control': 'no-store' } });
    expect(response?.[name]).toBe('a text');
    const { status, headers } = await scenario.get('/either/missing', 'k_live_unknown_to_kinde_0', COOKIE);
    expect(status).toBe(404);
    for (const trace of TRACES) expect(headers).not.toHaveProperty(trace);
  });

  it('is the answer where no other guard lets the request in', async () => {
    await start({ failedAttempts: { limit: 1, windowMs: 60_000 } });
    expect(await scenario.get('/either', 'k_live_unknown_to_kinde_0')).toMatchObject({
      status: 401,
      headers: { 'cache-control': 'no-store', 'www-authenticate': 'Bearer realm="api", error="invalid_token"' },
    });
    expect(await scenario.get('/either', 'k_live_unknown_to_kinde_1')).toMatchObject({
      status: 429,
      headers: { 'retry-after': '60' },
    });
    expect(codes()).toEqual(['INVALID_KEY', 'TOO_MANY_FAILED_ATTEMPTS']);
  });

  it('of an access token is never a failed attempt', async () => {
    await start({ failedAttempts: { limit: 1, windowMs: 60_000 } });
    for (let count = 0; count < 3; count += 1)
      expect(await scenario.get('/key', scenario.emulator.issueToken())).toMatchObject({
        status: 401,
        body: { code: 'WRONG_CREDENTIAL_TYPE' },
      });
    expect(await scenario.get('/key', scenario.emulator.createKey().key)).toMatchObject({ status: 200 });
  });

  it.each<[string, ExceptionFilter | undefined]>([
    ["Nest's own filter", undefined],
    ['the filter for problem details', new ApiKeyProblemDetailsFilter()],
  ])(
    'is reported, as an acceptance is, where a time limit of the app has answered already, with %s',
    async (_with, filter) => {
      let reported = (): void => undefined;
      const isReported = new Promise<void>((resolve) => (reported = resolve));
      const options: KindeApiKeyOptions = {
        rateLimit: { limit: 9, windowMs: 60_000, headers: 'always' },
        credentials: [{ header: 'authorization', scheme: 'Bearer' }, { header: 'x-api-key' }],
        onDecision: (decision) => {
          if (decisions.push(decision) === 2) reported();
        },
      };
      await start(options, filter, (app) => {
        app.use((_request: unknown, response: ServerResponse, next: () => void) => {
          setImmediate(() => response.writeHead(503).end('too late'));
          next();
        });
      });
      const { key } = scenario.emulator.createKey();
      for (const rawKey of ['k_live_unknown_to_kinde_0', key])
        expect(await scenario.get('/key', rawKey)).toMatchObject({ status: 503, body: 'too late' });
      await isReported;
      expect(codes()).toEqual(expect.arrayContaining(['INVALID_KEY', null]));
    },
  );

  it('counts and is reported, although the client has gone before it', async () => {
    let reported = (): void => undefined;
    await start(
      {
        failedAttempts: { limit: 1, windowMs: 60_000 },
        onDecision: (decision) => {
          decisions.push(decision);
          reported();
        },
      },
      undefined,
      (app) => {
        app.use((request: IncomingMessage, _response: ServerResponse, next: () => void) => {
          // After the guard has asked Kinde, and before the answer.
          if (request.headers['x-leave']) setImmediate(() => request.socket.destroy());
          next();
        });
      },
    );
    const isReported = new Promise<void>((resolve) => (reported = resolve));
    const sent = scenario.get('/key', 'k_live_unknown_to_kinde_0', { headers: { 'x-leave': '1' } });
    await expect(sent).rejects.toMatchObject({ code: 'ECONNRESET' });
    await isReported;
    expect(await scenario.get('/key', 'k_live_unknown_to_kinde_1')).toMatchObject({ status: 429 });
    expect(codes()).toEqual(['INVALID_KEY', 'TOO_MANY_FAILED_ATTEMPTS']);
  });
});
