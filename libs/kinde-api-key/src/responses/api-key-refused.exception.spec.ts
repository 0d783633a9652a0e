import { HttpException } from '@nestjs/common';
import { refused } from './api-key-refused.exception.js';

const BODY = Object.freeze({
  statusCode: 401,
  error: 'Unauthorized',
  message: 'Invalid API key',
  code: 'INVALID_KEY',
} as const);

describe('refused()', () => {
  it('returns a new Error each time, with its own body', () => {
    const [one, other] = [refused('INVALID_KEY', { ...BODY }, {}), refused('INVALID_KEY', { ...BODY }, {})];
    expect(one).not.toBe(other);
    expect(one).toBeInstanceOf(HttpException);
    expect(Object.prototype.toString.call(one)).toBe('[object Error]');
    expect([one.getResponse(), other.getResponse()]).toEqual([BODY, BODY]);
    expect(one.getResponse()).not.toBe(other.getResponse());
    expect(one.name).toBe('ApiKeyRefusedException');
  });

  it('has a stack of two lines that is not captured, and restores the limit for other errors', () => {
    expect(refused('INVALID_KEY', { ...BODY }, {}).stack?.split('\n')).toEqual([
      'ApiKeyRefusedException: Invalid API key',
      '    at ApiKeyGuard.canActivate (nestjs-kinde-api-key)',
    ]);
    const limit = Error.stackTraceLimit;
    expect(new Error('another').stack).toContain('\n    at ');
    Error.stackTraceLimit = 3;
    refused('INVALID_KEY', { ...BODY }, {});
    expect(Error.stackTraceLimit).toBe(3);
    Error.stackTraceLimit = limit;
  });

  it('returns the exception if Error.stackTraceLimit is read-only, as with frozen intrinsics', () => {
    const limit = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit') ?? {};
    Object.defineProperty(Error, 'stackTraceLimit', { ...limit, writable: false });
    expect(refused('INVALID_KEY', { ...BODY }, {}).code).toBe('INVALID_KEY');
    Object.defineProperty(Error, 'stackTraceLimit', limit);
  });
});
