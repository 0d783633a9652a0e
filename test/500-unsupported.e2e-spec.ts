import { Controller, Get, UseGuards, type ExecutionContext } from '@nestjs/common';
import { ApiKeyGuard, ApiKeyRefusedException, RequireScopes, type ApiKeyDecision } from 'nestjs-kinde-api-key';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';

@Controller()
@UseGuards(ApiKeyGuard)
class AnyController {
  @Get()
  @RequireScopes('read:users')
  find() {
    return 'ok';
  }
}

describeAdapters('500', (adapter) => {
  let scenario: Scenario;
  const decisions: ApiKeyDecision[] = [];

  beforeAll(async () => {
    scenario = await startScenario({
      adapter,
      controllers: [AnyController],
      options: { onDecision: (decision) => decisions.push(decision) },
    });
  });
  afterAll(() => scenario.close());

  const context = (type: string, handler: () => unknown) =>
    ({
      getType: () => type,
      getClass: () => AnyController,
      getHandler: () => handler,
      switchToHttp: () => ({ getRequest: () => ({ headers: {} }), getResponse: () => ({ header: () => undefined }) }),
    }) as unknown as ExecutionContext;

  it.each([
    ['a handler that its class does not have', 'http', () => 'another function'],
    ['a WebSocket message', 'ws', AnyController.prototype.find],
    ['a microservice message', 'rpc', AnyController.prototype.find],
    ['a GraphQL field', 'graphql', AnyController.prototype.find],
    ['a context of an unknown type', 'carrier-pigeon', AnyController.prototype.find],
  ])('refuses %s with UNSUPPORTED_CONTEXT', (_what, type, handler) => {
    decisions.length = 0;
    const guard = scenario.app.get(ApiKeyGuard);
    const attempt = () => guard.canActivate(context(type, handler));
    expect(attempt).toThrow(ApiKeyRefusedException);
    expect(attempt).toThrow(
      expect.objectContaining({
        code: 'UNSUPPORTED_CONTEXT',
        response: {
          statusCode: 500,
          error: 'Internal Server Error',
          code: 'UNSUPPORTED_CONTEXT',
          message: expect.any(String),
        },
      }),
    );
    expect(decisions[0]).toMatchObject({ outcome: 'refused', code: 'UNSUPPORTED_CONTEXT' });
  });
});
