import type { ApplicationConfig } from '@nestjs/core';
import type { AppHandler } from '../handlers/app-handlers.js';

// Metadata key of `@UseInterceptors()`, the same in Nest 10, 11 and 12.
const INTERCEPTORS = '__interceptors__';

/**
 * Returns a warning if a `CacheInterceptor` of `@nestjs/cache-manager`, or a class that extends it without a `trackBy` of its own, stands on a
 * guarded route: it keeps answers by their URL, so one caller gets what another was allowed to see. It is recognized by its name, because the
 * package is not ours to import.
 */
export function cacheInterceptorWarning(
  { registered, name, handler }: Pick<AppHandler, 'registered' | 'name' | 'handler'>,
  config: ApplicationConfig,
): string[] {
  const wrapped = config.getGlobalRequestInterceptors().map(({ instance, metatype }) => instance ?? metatype);
  const stated: unknown[] = [Reflect.getMetadata(INTERCEPTORS, registered), Reflect.getMetadata(INTERCEPTORS, handler)];
  if (![...config.getGlobalInterceptors(), ...wrapped, ...stated.flat()].some(keepsAnswersByUrl)) return [];
  return [
    `a CacheInterceptor stands on ${registered.name}.${name}: it keeps answers by their URL, and gives one organization's answer to another. ` +
      'Extend it with a trackBy() that includes getVerifiedApiKey(request).keyId, or take it off',
  ];
}

function keepsAnswersByUrl(interceptor: unknown): boolean {
  let prototype: unknown =
    typeof interceptor === 'function' ? interceptor.prototype : Object.getPrototypeOf(interceptor ?? {});
  while (typeof prototype === 'object' && prototype !== null) {
    if (prototype.constructor.name === 'CacheInterceptor') return true;
    if (Object.hasOwn(prototype, 'trackBy')) return false;
    prototype = Object.getPrototypeOf(prototype);
  }
  return false;
}
