import { RequestMethod } from '@nestjs/common';
import type { ApplicationConfig } from '@nestjs/core';
import type { AnyFunction } from './ancestors.js';
import { METHOD, MODULE_PATH, PATH } from './nest-metadata.js';
import type { NestModule } from './provider-lookup.js';

/**
 * Returns every path of a route: each path of the controller with each of the method, below that of the module and the global prefix. Versions
 * are left out, because they have no parameters.
 */
export function routePathsOf(
  module: NestModule,
  applicationId: string,
  controller: AnyFunction,
  method: object,
  config: ApplicationConfig,
): readonly string[] {
  const modulePath: unknown =
    Reflect.getMetadata(MODULE_PATH + applicationId, module.metatype) ??
    Reflect.getMetadata(MODULE_PATH, module.metatype);
  const paths = pathList(modulePath).flatMap((first) =>
    pathList(Reflect.getMetadata(PATH, controller)).flatMap((second) =>
      pathList(Reflect.getMetadata(PATH, method)).map((third) => joined(first, second, third)),
    ),
  );
  const requestMethod: unknown = Reflect.getMetadata(METHOD, method);
  return paths.map((path) => (isExcluded(path, requestMethod, config) ? path : joined(config.getGlobalPrefix(), path)));
}

/** Whether a route is excluded from the global prefix, as Nest's router decides it. */
function isExcluded(path: string, requestMethod: unknown, config: ApplicationConfig): boolean {
  const { exclude = [] } = config.getGlobalPrefixOptions();
  return exclude.some(
    (route) =>
      (route.requestMethod === RequestMethod.ALL || route.requestMethod === requestMethod) &&
      route.pathRegex.test(path),
  );
}

function pathList(paths: unknown): readonly string[] {
  const list = (Array.isArray(paths) ? paths : [paths]).filter((path) => typeof path === 'string');
  return list.length > 0 ? list : [''];
}

function joined(...parts: readonly string[]): string {
  return `/${parts
    .flatMap((part) => part.split('/'))
    .filter((segment) => segment !== '')
    .join('/')}`;
}
