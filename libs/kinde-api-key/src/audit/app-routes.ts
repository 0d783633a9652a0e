import { MetadataScanner, type ApplicationConfig, type ModulesContainer } from '@nestjs/core';
import type { AnyFunction } from '../rules/ancestors.js';
import type { NestModule } from '../rules/provider-lookup.js';

// Metadata keys of Nest's own decorators, the same in Nest 10, 11 and 12 (@nestjs/common/constants). Nest 12 does not export them.
const PATH = 'path';
const GUARDS = '__guards__';
const MODULE_PATH = '__module_path__';
const MESSAGE_PATTERN = 'microservices:pattern';

/** A handler of the app that Nest serves over HTTP. */
export interface AppRoute {
  readonly module: NestModule;
  readonly controller: AnyFunction;
  /** The method's name. */
  readonly name: string;
  /** The function that Nest calls: the instance's, which may differ from the prototype's. */
  readonly handler: AnyFunction;
  /** Every part of its paths: of the global prefix, module, controller and method, with all alternatives. */
  readonly paths: readonly string[];
  /** What was passed to `@UseGuards()` on the class and the method. */
  readonly guards: readonly unknown[];
}

/** Returns every route of a module's controllers. */
export function routesOf(
  module: NestModule,
  modules: ModulesContainer,
  config: ApplicationConfig,
): readonly AppRoute[] {
  return instancesOf(module).flatMap((instance) => {
    const controller = instance.constructor as AnyFunction;
    return methodsOf(controller)
      .filter(({ method }) => Reflect.hasMetadata(PATH, method))
      .map(({ name, method }): AppRoute => {
        const handler = (instance as Record<string, unknown>)[name] as AnyFunction;
        const paths: unknown[] = [
          config.getGlobalPrefix(),
          Reflect.getMetadata(MODULE_PATH + modules.applicationId, module.metatype) ??
            Reflect.getMetadata(MODULE_PATH, module.metatype),
          Reflect.getMetadata(PATH, controller),
          Reflect.getMetadata(PATH, method),
        ];
        const guards: unknown[] = [Reflect.getMetadata(GUARDS, controller), Reflect.getMetadata(GUARDS, handler)];
        return {
          module,
          controller,
          name,
          handler,
          paths: paths.flat().filter((path) => typeof path === 'string'),
          guards: guards.flat(),
        };
      });
  });
}

/** Returns the methods of a module's classes that are not HTTP routes: `ApiKeyGuard` does not protect them. */
export function otherMethodsOf(
  module: NestModule,
): readonly { readonly owner: AnyFunction; readonly name: string; readonly isHandler: boolean }[] {
  const controllers = new Set(instancesOf(module).map((instance) => instance.constructor as AnyFunction));
  return [...new Set([...classesOf(module.providers), ...controllers])].flatMap((owner) =>
    methodsOf(owner)
      .filter(({ method }) => !controllers.has(owner) || !Reflect.hasMetadata(PATH, method))
      .map(({ name, method }) => ({ owner, name, isHandler: Reflect.hasMetadata(MESSAGE_PATTERN, method) })),
  );
}

/** Returns the provider classes of a module that are not controllers anywhere in the app: `ApiKeyGuard` does not protect them. */
export function providerClassesOf(module: NestModule, modules: ModulesContainer): readonly AnyFunction[] {
  const controllers = new Set([...modules.values()].flatMap((one) => classesOf(one.controllers)));
  return classesOf(module.providers).filter((provider) => !controllers.has(provider));
}

function instancesOf(module: NestModule): readonly object[] {
  return [...module.controllers.values()]
    .map(({ instance }) => instance as object | null | undefined)
    .filter((instance) => instance !== null && instance !== undefined);
}

function classesOf(wrappers: NestModule['providers']): readonly AnyFunction[] {
  return [...wrappers.values()].map(({ metatype }): unknown => metatype).filter(isClass);
}

function methodsOf(owner: AnyFunction): readonly { readonly name: string; readonly method: object }[] {
  const prototype = owner.prototype as Record<string, object>;
  return new MetadataScanner().getAllMethodNames(prototype).map((name) => ({ name, method: prototype[name] ?? {} }));
}

function isClass(value: unknown): value is AnyFunction {
  return typeof value === 'function' && typeof value.prototype === 'object' && value.prototype !== null;
}
