import { RequestMethod, VERSION_NEUTRAL, VersioningType } from '@nestjs/common';
import type { ApplicationConfig } from '@nestjs/core';
import type { AnyFunction } from './ancestors.js';
import { METHOD, MODULE_PATH, PATH, VERSION } from './nest-metadata.js';
import type { NestModule } from './provider-lookup.js';

/** A controller, and where its paths begin. */
export interface RoutedClass {
  readonly module: NestModule;
  readonly applicationId: string;
  readonly controller: AnyFunction;
  readonly config: ApplicationConfig;
}

/**
 * Returns every path of a route: each path of the controller with each of the method, below that of the module, the version where it is part of
 * the path, and the global prefix.
 */
export function routePathsOf(routed: RoutedClass, method: AnyFunction): readonly string[] {
  const { module, applicationId, controller, config } = routed;
  const modulePath: unknown =
    Reflect.getMetadata(MODULE_PATH + applicationId, module.metatype) ??
    Reflect.getMetadata(MODULE_PATH, module.metatype);
  const paths = pathList(modulePath).flatMap((first) =>
    pathList(Reflect.getMetadata(PATH, controller)).flatMap((second) =>
      pathList(Reflect.getMetadata(PATH, method)).map((third) => joined(first, second, third)),
    ),
  );
  const requestMethod: unknown = Reflect.getMetadata(METHOD, method);
  const prefixes = versionPrefixesOf(versionsOf(routed, method), config);
  return paths.flatMap((path) => {
    const prefix = isExcluded(path, requestMethod, config) ? '' : config.getGlobalPrefix();
    return prefixes.map((version) => joined(prefix, version, path));
  });
}

/** Returns the versions of a route, as Nest's router finds them. */
export function versionsOf({ controller, config }: RoutedClass, method: AnyFunction): readonly unknown[] {
  const versioning = config.getVersioning();
  if (!versioning) return [];
  const ofMethod: unknown = Reflect.getMetadata(VERSION, method);
  const versions: unknown = ofMethod || (Reflect.getMetadata(VERSION, controller) ?? versioning.defaultVersion);
  return [versions ?? []].flat();
}

/** Whether versions are a part of the path. */
export function hasVersionInPath(config: ApplicationConfig): boolean {
  return config.getVersioning()?.type === VersioningType.URI;
}

function versionPrefixesOf(versions: readonly unknown[], config: ApplicationConfig): readonly string[] {
  const versioning = config.getVersioning();
  if (versioning?.type !== VersioningType.URI || versions.length === 0) return [''];
  const prefix = versioning.prefix === false ? '' : (versioning.prefix ?? 'v');
  return versions.map((version) => (version === VERSION_NEUTRAL ? '' : `${prefix}${String(version)}`));
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
