import type { ApplicationConfig } from '@nestjs/core';
import type { AppHandler } from '../handlers/app-handlers.js';

// Metadata key of `@UseInterceptors()`, the same in Nest 10, 11 and 12.
const INTERCEPTORS = '__interceptors__';

/**
 * Whether a `CacheInterceptor` of `@nestjs/cache-manager`, or a class that extends it without a `trackBy` of its own, stands on a handler. It is
 * recognized by its name, because the package is not ours to import.
 */
export function hasCacheByUrl(
  { registered, handler }: Pick<AppHandler, 'registered' | 'handler'>,
  config: ApplicationConfig,
): boolean {
  const wrapped = config.getGlobalRequestInterceptors().map(({ instance, metatype }) => instance ?? metatype);
  const stated: unknown[] = [Reflect.getMetadata(INTERCEPTORS, registered), Reflect.getMetadata(INTERCEPTORS, handler)];
  return [...config.getGlobalInterceptors(), ...wrapped, ...stated.flat()].some(keepsAnswersByUrl);
}

/** Returns the warning about guarded routes with such an interceptor: it gives one caller what another was allowed to see. */
export function cacheWarnings(routes: ReadonlySet<string>): string[] {
  if (routes.size === 0) return [];
  return [
    `a CacheInterceptor stands on ${[...routes].join(', ')}: it keeps answers by their URL, and gives one organization's answer to another. ` +
      'Extend it with a trackBy() that includes getVerifiedApiKey(request).keyId, or take it off',
  ];
}

function keepsAnswersByUrl(interceptor: unknown): boolean {
  let prototype: unknown =
    typeof interceptor === 'function' ? interceptor.prototype : Object.getPrototypeOf(interceptor ?? {});
  while (typeof prototype === 'object' && prototype !== null) {
    const { constructor }: { constructor: unknown } = prototype;
    if (typeof constructor === 'function' && constructor.name === 'CacheInterceptor') return true;
    if (Object.hasOwn(prototype, 'trackBy')) return false;
    prototype = Object.getPrototypeOf(prototype);
  }
  return false;
}
