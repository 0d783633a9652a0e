import type { ArgumentsHost } from '@nestjs/common';
import { ApiKeyRefusedException, type ApiKeyRefusalBody } from './api-key-refused.exception.js';
import { ApiKeyProblemDetailsFilter } from './problem-details.filter.js';

function answerTo(exception: ApiKeyRefusedException) {
  const answer = { status: 0, headers: {} as Record<string, string>, body: '' };
  const response = {
    header: (name: string, value: string) => {
      answer.headers[name] = value;
      return response;
    },
    status: (code: number) => {
      answer.status = code;
      return response;
    },
    send: (body: string) => {
      answer.body = body;
    },
  };
  new ApiKeyProblemDetailsFilter().catch(exception, {
    getType: () => 'http',
    switchToHttp: () => ({ getResponse: () => response }),
  } as unknown as ArgumentsHost);
  return { ...answer, body: JSON.parse(answer.body) as unknown };
}

describe('ApiKeyProblemDetailsFilter', () => {
  const body: ApiKeyRefusalBody = {
    statusCode: 403,
    error: 'Forbidden',
    message: 'Insufficient scope',
    code: 'INSUFFICIENT_SCOPE',
    hint: 'Create a new key.',
    required_scopes: ['a'],
    required_any_of: [['b', 'c']],
  };

  it('answers with the members of RFC 9457, and with code, hint and scopes as extension members', () => {
    expect(answerTo(new ApiKeyRefusedException('INSUFFICIENT_SCOPE', body))).toEqual({
      status: 403,
      headers: { 'Content-Type': 'application/problem+json' },
      body: {
        type: 'about:blank',
        title: 'Forbidden',
        status: 403,
        detail: 'Insufficient scope',
        code: 'INSUFFICIENT_SCOPE',
        hint: 'Create a new key.',
        required_scopes: ['a'],
        required_any_of: [['b', 'c']],
      },
    });
  });
});
