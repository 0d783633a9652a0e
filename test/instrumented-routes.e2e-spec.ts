import { Controller, Get, Scope, UseGuards } from '@nestjs/common';
import { RouterExecutionContext } from '@nestjs/core/router/router-execution-context';
import { AnyValidKey, ApiKeyGuard, PublicRoute, RateLimit, RequireScopes } from 'nestjs-kinde-api-key';
import { describeAdapters, startScenario } from './support/scenario.js';

type Handler = (this: unknown, ...args: unknown[]) => unknown;

/** Puts a function in front of each handler, as `@opentelemetry/instrumentation-nestjs-core` does. `copy`: which metadata it takes over. */
function instrument(copy: (key: unknown) => boolean): () => void {
  const { prototype } = RouterExecutionContext as unknown as { prototype: { create: Handler } };
  const { create } = prototype;
  prototype.create = function (instance, handler, ...rest) {
    const wrapper = async function (this: unknown, ...args: unknown[]): Promise<unknown> {
      return (handler as Handler).apply(this, args);
    };
    Object.defineProperty(wrapper, 'name', { value: (handler as Handler).name });
    for (const key of (Reflect.getMetadataKeys(handler as Handler) as unknown[]).filter(copy))
      Reflect.defineMetadata(key, Reflect.getMetadata(key, handler as Handler), wrapper);
    return create.call(this, instance, wrapper, ...rest);
  };
  return () => void (prototype.create = create);
}

@Controller('keys')
@RequireScopes('read')
@UseGuards(ApiKeyGuard)
class KeysController {
  @Get('class')
  ofClass(): string {
    return 'ok';
  }

  @Get('method')
  @RequireScopes('admin')
  ofMethod(): string {
    return 'ok';
  }

  @Get('public')
  @PublicRoute()
  open(): string {
    return 'ok';
  }

  @Get('limited')
  @RateLimit({ limit: 1, windowMs: 60_000 })
  limited(): string {
    return 'ok';
  }
}

@Controller({ path: 'request', scope: Scope.REQUEST })
@UseGuards(ApiKeyGuard)
class KeysPerRequestController extends KeysController {}

@Controller('plain')
@UseGuards(ApiKeyGuard)
class PlainController {
  @Get()
  @AnyValidKey()
  one(): string {
    return 'ok';
  }
}

describeAdapters('a route with an instrumentation in front of its handler', (adapter) => {
  let restore: () => void;
  afterEach(() => restore());

  it.each(['/keys', '/request'])('is guarded by the rules of the handler: %s', async (path) => {
    restore = instrument(() => true);
    const scenario = await startScenario({ adapter, controllers: [KeysController, KeysPerRequestController] });
    const { key } = scenario.emulator.createKey({ scopes: ['read'] });
    const statusOf = async (name: string, rawKey?: string) => (await scenario.get(path + name, rawKey)).status;
    expect([await statusOf('/class'), await statusOf('/class', key)]).toEqual([401, 200]);
    expect([await statusOf('/method'), await statusOf('/method', key)]).toEqual([401, 403]);
    expect(await statusOf('/public')).toBe(200);
    expect([await statusOf('/limited', key), await statusOf('/limited', key)]).toEqual([200, 429]);
    await scenario.close();
  });

  it.each<[string, (key: unknown) => boolean]>([
    ['has less metadata', (key) => key !== 'path'],
    ['has no metadata', () => false],
  ])('is refused where the function in front %s: nothing says what it stands for', async (_what, copy) => {
    restore = instrument(copy);
    const scenario = await startScenario({ adapter, controllers: [PlainController] });
    const { key } = scenario.emulator.createKey();
    expect(await scenario.get('/plain', key)).toMatchObject({ status: 500, body: { code: 'UNSUPPORTED_CONTEXT' } });
    await scenario.close();
  });
});
