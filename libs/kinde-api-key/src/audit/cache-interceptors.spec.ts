import { UseInterceptors, type NestInterceptor, type Type } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { cacheWarnings, hasCacheByUrl } from './cache-interceptors.js';

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

function isFound(interceptor?: Type<NestInterceptor> | NestInterceptor, config = new ApplicationConfig()): boolean {
  class Users {
    find(): void {}
  }
  if (interceptor) UseInterceptors(interceptor)(Users);
  return hasCacheByUrl({ registered: Users, handler: Users.prototype['find'] }, config);
}

describe('hasCacheByUrl()', () => {
  it.each([CacheInterceptor, Renamed, new CacheInterceptor()])('finds %p on a class', (interceptor) => {
    expect(isFound(interceptor)).toBe(true);
  });

  it('finds one that is global', () => {
    const config = new ApplicationConfig();
    config.addGlobalInterceptor(new CacheInterceptor());
    expect(isFound(undefined, config)).toBe(true);
  });

  it('finds nothing without one, and for one with a trackBy of its own', () => {
    expect(isFound()).toBe(false);
    expect(isFound(PerKey)).toBe(false);
  });

  it('takes interceptors without a class', () => {
    const interceptor = { intercept: (_context: unknown, next: { handle(): never }) => next.handle() };
    const bare = Object.assign(Object.create(Object.create(null) as object) as object, interceptor);
    expect(isFound(bare)).toBe(false);
  });
});

describe('cacheWarnings()', () => {
  it('names every route in one warning', () => {
    expect(cacheWarnings(new Set())).toEqual([]);
    expect(cacheWarnings(new Set(['Users.find', 'Users.list']))).toEqual([
      expect.stringContaining('a CacheInterceptor stands on Users.find, Users.list: it keeps answers by their URL'),
    ]);
  });
});
