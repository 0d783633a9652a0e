import { NotFoundException, type ExecutionContext } from '@nestjs/common';
import { ApiKeyRefusedException } from '../responses/api-key-refused.exception.js';
import { formOf, refusalFor } from './refusal-form.js';

const contextOf = (type: string, args: readonly unknown[]) =>
  ({ getType: () => type, getArgs: () => args }) as unknown as ExecutionContext;
const ws = contextOf('ws', [{}, 'payload', 'pattern']);
const rpc = contextOf('rpc', ['payload', {}]);
const graphql = contextOf('graphql', [{}, {}, {}, { fieldName: 'a', fieldNodes: [] }]);

const refusal = () => {
  const body = { statusCode: 429, error: 'Too Many Requests', message: 'Slow down', code: 'RATE_LIMITED' } as const;
  return new ApiKeyRefusedException('RATE_LIMITED', { ...body }, { 'Cache-Control': 'no-store', 'Retry-After': '7' });
};

describe('the form of a refusal', () => {
  it('of messages is known once the package of their exceptions is loaded', async () => {
    await jest.isolateModulesAsync(async () => {
      jest.doMock('@nestjs/websockets', () => {
        throw new Error('not installed');
      });
      const isolated = await import('./refusal-form.js');
      const exception = refusal();
      await isolated.formOf(ws);
      expect(isolated.formOf(ws)).toBeUndefined();
      expect(isolated.refusalFor(ws, exception)).toBe(exception);
      jest.dontMock('@nestjs/websockets');
    });
    await Promise.all([formOf(ws), formOf(rpc)]);
    expect([formOf(ws), formOf(rpc), formOf(graphql), formOf(contextOf('http', []))]).toEqual(Array(4).fill(undefined));
  });

  it.each([
    ['WsException', ws],
    ['RpcException', rpc],
  ])('is a %s that is recognized as our refusal, too', async (name, context) => {
    await formOf(context);
    const sent = refusalFor(context, refusal()) as Error & { getError(): unknown; code: string; getStatus(): number };
    expect(Object.getPrototypeOf(sent).constructor.name).toBe(name);
    expect(sent).toBeInstanceOf(ApiKeyRefusedException);
    expect([sent.code, sent.getStatus(), sent.message]).toEqual(['RATE_LIMITED', 429, 'Slow down']);
    expect(sent.getError()).toEqual({
      statusCode: 429,
      error: 'Too Many Requests',
      message: 'Slow down',
      code: 'RATE_LIMITED',
      retry_after: 7,
    });
  });

  it('of a field is the same exception, with extensions', () => {
    const exception = refusal();
    const sent = refusalFor(graphql, exception);
    expect(sent).toBe(exception);
    expect(exception.getStatus()).toBe(429);
    expect(sent).toMatchObject({
      extensions: { code: 'RATE_LIMITED', http: { status: 429, headers: { 'Retry-After': '7' } } },
    });
  });

  it.each([graphql, ws, rpc])('of what is hidden names no route', async (context) => {
    await formOf(context);
    const sent = refusalFor(context, new NotFoundException('Cannot POST /graphql'));
    expect(sent.message).toBe('Not Found');
    expect(sent).not.toBeInstanceOf(ApiKeyRefusedException);
  });
});
