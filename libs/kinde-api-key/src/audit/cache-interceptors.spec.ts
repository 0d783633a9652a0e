import { UseInterceptors, type NestInterceptor, type Type } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { cacheInterceptorWarning } from './cache-interceptors.js';

/** Has the shape and the name of the class in `@nestjs/cache-manager`. */
class CacheInterceptor implements NestInterceptor {
  intercept(_context: unknown, next: { handle(): never }) {
    return next.handle();
  }
  trackBy(): string {
    return '/url';
  }
}
class Renamed extends CacheInterceptor {}
class PerKey extends CacheInterceptor {
  override trackBy(): string {
    return 'key';
  }
}

function warningsWith(interceptor?: Type<NestInterceptor>, config = new ApplicationConfig()): string[] {
  class Users {
    find(): void {}
  }
  if (interceptor) UseInterceptors(interceptor)(Users);
  return cacheInterceptorWarning({ registered: Users, name: 'find', handler: Users.prototype['find'] }, config);
}

describe('cacheInterceptorWarning()', () => {
  it.each([CacheInterceptor, Renamed])('names a guarded route with %p', (interceptor) => {
    expect(warningsWith(interceptor)).toEqual([expect.stringContaining('a CacheInterceptor stands on Users.find')]);
  });

  it('finds one that is global', () => {
    const config = new ApplicationConfig();
    config.addGlobalInterceptor(new CacheInterceptor());
    expect(warningsWith(undefined, config)).toHaveLength(1);
  });

  it('is silent without one, and for one with a trackBy of its own', () => {
    expect(warningsWith()).toEqual([]);
    expect(warningsWith(PerKey)).toEqual([]);
  });
});
