import { HttpException } from '@nestjs/common';
import { refusedWithoutStack } from './api-key-refused.exception.js';

const BODY = Object.freeze({
  statusCode: 401,
  error: 'Unauthorized',
  message: 'Invalid API key',
  code: 'INVALID_KEY',
} as const);

describe('refusedWithoutStack()', () => {
  it('returns a new Error each time, with a shared body', () => {
    const [one, other] = [refusedWithoutStack('INVALID_KEY', BODY), refusedWithoutStack('INVALID_KEY', BODY)];
    expect(one).not.toBe(other);
    expect(one).toBeInstanceOf(HttpException);
    expect(Object.prototype.toString.call(one)).toBe('[object Error]');
    expect([one.getResponse(), other.getResponse()]).toEqual([BODY, BODY]);
    expect(one.getResponse()).toBe(other.getResponse());
    expect(one.name).toBe('ApiKeyRefusedException');
  });

  it('captures no stack, and restores the limit for other errors', () => {
    expect(refusedWithoutStack('INVALID_KEY', BODY).stack).not.toContain('\n');
    const limit = Error.stackTraceLimit;
    expect(new Error('another').stack).toContain('\n    at ');
    Error.stackTraceLimit = 3;
    refusedWithoutStack('INVALID_KEY', BODY);
    expect(Error.stackTraceLimit).toBe(3);
    Error.stackTraceLimit = limit;
  });

  it('returns the exception if Error.stackTraceLimit is read-only, as with frozen intrinsics', () => {
    const limit = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit') ?? {};
    Object.defineProperty(Error, 'stackTraceLimit', { ...limit, writable: false });
    expect(refusedWithoutStack('INVALID_KEY', BODY).code).toBe('INVALID_KEY');
    Object.defineProperty(Error, 'stackTraceLimit', limit);
  });
});
