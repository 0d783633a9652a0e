import { HttpException } from '@nestjs/common';
import { refusedWithoutStack } from './api-key-refused.exception.js';

const BODY = Object.freeze({
  statusCode: 401,
  error: 'Unauthorized',
  message: 'Invalid API key',
  code: 'INVALID_KEY',
} as const);

describe('refusedWithoutStack', () => {
  it('makes a true error of its own for each request, with the body that they share', () => {
    const [one, other] = [refusedWithoutStack('INVALID_KEY', BODY), refusedWithoutStack('INVALID_KEY', BODY)];
    expect(one).not.toBe(other);
    expect(one).toBeInstanceOf(HttpException);
    expect(Object.prototype.toString.call(one)).toBe('[object Error]');
    expect([one.getResponse(), other.getResponse()]).toEqual([BODY, BODY]);
    expect(one.getResponse()).toBe(other.getResponse());
    expect(one.name).toBe('ApiKeyRefusedException');
  });

  it('walks no stack, and leaves the stacks of all other errors as they were', () => {
    expect(refusedWithoutStack('INVALID_KEY', BODY).stack).not.toContain('\n');
    const limit = Error.stackTraceLimit;
    expect(new Error('somebody else').stack).toContain('\n    at ');
    Error.stackTraceLimit = 3;
    refusedWithoutStack('INVALID_KEY', BODY);
    expect(Error.stackTraceLimit).toBe(3);
    Error.stackTraceLimit = limit;
  });

  it('refuses all the same where the limit cannot be written, as with frozen intrinsics', () => {
    const limit = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit') ?? {};
    Object.defineProperty(Error, 'stackTraceLimit', { ...limit, writable: false });
    expect(refusedWithoutStack('INVALID_KEY', BODY).code).toBe('INVALID_KEY');
    Object.defineProperty(Error, 'stackTraceLimit', limit);
  });
});
