import { RequestMethod, VERSION_NEUTRAL } from '@nestjs/common';
import type { AnyFunction } from './ancestors.js';
import { HOST, METHOD, PATH } from './nest-metadata.js';
import { hasVersionInPath, routePathsOf, versionsOf, type RoutedClass } from './route-paths.js';

/**
 * Names of a route and of all routes of its class by what a client sends, e.g. `GET /reports/:id`. Other than the names of classes and methods
 * they are the same in every build of an app: a minifier renames classes, in the order in which it finds them.
 */
export interface RouteNames {
  /** One for each path of the route. Empty for a handler that has no path. */
  readonly ofMethod: readonly string[];
  /** Those of every route of the class. No other class has the same. */
  readonly ofClass: readonly string[];
}

/** The names of a handler that has no path. */
export const NO_ROUTE: RouteNames = { ofMethod: [], ofClass: [] };

/** Returns a name for each path of a route. Host and version are part of it where Nest tells routes apart by these. */
export function routeNamesOf(routed: RoutedClass, method: AnyFunction): readonly string[] {
  if (!Reflect.hasMetadata(PATH, method)) return [];
  const { config, controller } = routed;
  const verb = RequestMethod[(Reflect.getMetadata(METHOD, method) as RequestMethod | undefined) ?? RequestMethod.GET];
  const hosts = Reflect.getMetadata(HOST, controller) as string | RegExp | (string | RegExp)[] | undefined;
  const versions = hasVersionInPath(config) ? [] : versionsOf(routed, method);
  const texts = versions.map((version) => (version === VERSION_NEUTRAL ? 'neutral' : String(version)));
  const suffix = texts.length > 0 ? ` version ${texts.toSorted().join('|')}` : '';
  return [hosts ?? '']
    .flat()
    .flatMap((host) => routePathsOf(routed, method).map((path) => `${verb} ${String(host)}${path}${suffix}`));
}

/** Returns the names of all routes together, each once and in an order that does not depend on the app's code. */
export function mergedNames(all: readonly RouteNames[]): RouteNames {
  const merged = (names: readonly string[]): readonly string[] => [...new Set(names)].toSorted();
  return {
    ofMethod: merged(all.flatMap(({ ofMethod }) => ofMethod)),
    ofClass: merged(all.flatMap(({ ofClass }) => ofClass)),
  };
}
