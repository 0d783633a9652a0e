import { HttpException, NotFoundException } from '@nestjs/common';
import { ApiKeyRefusedException, hidden, refused } from './api-key-refused.exception.js';

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

describe('instanceof ApiKeyRefusedException', () => {
  class Special extends ApiKeyRefusedException {}

  it('is true for an exception of any copy of the library, and of a subclass', () => {
    let copy: typeof import('./api-key-refused.exception.js') | undefined;
    jest.isolateModules(() => (copy = require('./api-key-refused.exception.js') as typeof copy));
    const ofCopy = copy?.refused('INVALID_KEY', { ...BODY }, {});
    expect(ofCopy?.constructor).not.toBe(ApiKeyRefusedException);
    expect(ofCopy instanceof ApiKeyRefusedException).toBe(true);
    expect(refused('INVALID_KEY', { ...BODY }, {}) instanceof ApiKeyRefusedException).toBe(true);
    expect(new Special('INVALID_KEY', { ...BODY }) instanceof ApiKeyRefusedException).toBe(true);
  });

  it('is false for other exceptions, and for what is not an exception', () => {
    for (const other of [
      new HttpException({ ...BODY }, 401),
      new NotFoundException(),
      new Error('x'),
      BODY,
      null,
      undefined,
    ])
      expect(other instanceof ApiKeyRefusedException).toBe(false);
  });

  it('is exact for a subclass of the app', () => {
    expect(new Special('INVALID_KEY', { ...BODY }) instanceof Special).toBe(true);
    expect(refused('INVALID_KEY', { ...BODY }, {}) instanceof Special).toBe(false);
  });
});

describe('hidden()', () => {
  it.each([
    ['Express', { method: 'GET', originalUrl: '/api/users/1', url: '/users/1' }, 'Cannot GET /api/users/1'],
    ['Fastify', { method: 'X', url: '/x', raw: { method: 'POST', url: '/users/1' } }, 'Cannot POST /users/1'],
    ['a test without a request', undefined, 'Cannot undefined undefined'],
    ['Express, whose app has set "raw"', { method: 'POST', url: '/users/1', raw: 'a text' }, 'Cannot POST /users/1'],
    ['a request without a raw one', { raw: null }, 'Cannot undefined undefined'],
  ])(
    'is what Nest throws for a missing route, with a stack that names neither guard nor library: %s',
    (_case, request, message) => {
      const exception = hidden(request);
      expect(exception.constructor).toBe(NotFoundException);
      expect(exception.getResponse()).toEqual(new NotFoundException(message).getResponse());
      expect(exception.stack).toBe(`NotFoundException: ${message}\n    at callback (RoutesResolver)`);
    },
  );

  it('is made while Error.stackTraceLimit is 0, because a captured stack is expensive', () => {
    const descriptor = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit') ?? {};
    const limits: number[] = [];
    Object.defineProperty(Error, 'stackTraceLimit', {
      configurable: true,
      get: () => 7,
      set(limit: number) {
        limits.push(limit);
      },
    });
    try {
      hidden({ method: 'GET', url: '/' });
    } finally {
      Object.defineProperty(Error, 'stackTraceLimit', descriptor);
    }
    expect(limits).toEqual([0, 7]);
  });
});
