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

  it.each([
    ['an instance', { instance: new CacheInterceptor(), metatype: null }],
    ['a class that is made for each request', { instance: undefined, metatype: CacheInterceptor }],
  ])('finds a provider of APP_INTERCEPTOR: %s', (_case, wrapper) => {
    const config = new ApplicationConfig();
    config.addGlobalRequestInterceptor(wrapper as never);
    expect(isFound(undefined, config)).toBe(true);
  });

  it('finds one on a method', () => {
    class Users {
      @UseInterceptors(CacheInterceptor)
      find(): void {}
    }
    const handler = Users.prototype['find'];
    expect(hasCacheByUrl({ registered: Users, handler }, new ApplicationConfig())).toBe(true);
  });

  it('finds nothing in what is not an interceptor', () => {
    const config = new ApplicationConfig();
    for (const odd of [undefined, null, 'CacheInterceptor', () => undefined]) config.addGlobalInterceptor(odd as never);
    expect(isFound(undefined, config)).toBe(false);
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
      "a CacheInterceptor stands on Users.find, Users.list: it keeps answers by their URL, and gives one organization's answer to another. " +
        'Extend it with a trackBy() that includes getVerifiedApiKey(request).keyId, or take it off',
    ]);
  });
});
