import {
  Controller,
  forwardRef,
  Get,
  Inject,
  Injectable,
  Scope,
  UseGuards,
  type ExecutionContext,
  type Type,
} from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { AnyValidKey, ApiKeyGuard, CurrentApiKey, RequireScopes, type VerifiedApiKey } from 'nestjs-kinde-api-key';
import { describeAdapters, startScenario } from './support/scenario.js';

@Injectable()
class Usage {
  constructor(@Inject(forwardRef(() => CircularGuard)) readonly guard: unknown) {}
}

@Injectable()
class CircularGuard extends ApiKeyGuard {
  @Inject(forwardRef(() => Usage))
  readonly usage: unknown;
}

@Injectable()
class AsyncGuard extends ApiKeyGuard {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    return super.canActivate(context);
  }
}

@Injectable({ scope: Scope.REQUEST })
class GuardPerRequest extends ApiKeyGuard {
  @Inject(REQUEST)
  readonly request: unknown;
}

describeAdapters('a guard that extends ApiKeyGuard', (adapter) => {
  it.each<[string, Type<ApiKeyGuard>]>([
    ['and needs a provider that needs the guard', CircularGuard],
    ['with an asynchronous canActivate()', AsyncGuard],
    ['and is made for each request', GuardPerRequest],
  ])('%s decides like it', async (_kind, guard) => {
    @Controller()
    @UseGuards(guard)
    class KeysController {
      @Get('any')
      @AnyValidKey()
      any(@CurrentApiKey() { keyId }: VerifiedApiKey): string {
        return keyId;
      }

      @Get('scope')
      @RequireScopes('admin')
      scope(): string {
        return 'ok';
      }
    }
    const scenario = await startScenario({ adapter, controllers: [KeysController], providers: [Usage, CircularGuard] });
    const { key, keyId } = scenario.emulator.createKey();
    expect(await scenario.get('/any')).toMatchObject({ status: 401, body: { code: 'MISSING_KEY' } });
    expect(await scenario.get('/any', key)).toMatchObject({ status: 200, body: keyId });
    expect(await scenario.get('/scope', key)).toMatchObject({ status: 403, body: { code: 'INSUFFICIENT_SCOPE' } });
    await scenario.close();
  });
});
