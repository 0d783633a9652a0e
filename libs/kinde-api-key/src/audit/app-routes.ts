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
  return controllersOf(module).flatMap(({ instance, controller }) =>
    methodNames(controller)
      .filter((name) => Reflect.hasMetadata(PATH, prototypeMethod(controller, name)))
      .map((name): AppRoute => {
        const handler = instance[name] as AnyFunction;
        return {
          module,
          controller,
          name,
          handler,
          paths: [
            config.getGlobalPrefix(),
            ...modulePath(module, modules),
            ...pathsOn(controller),
            ...pathsOn(prototypeMethod(controller, name)),
          ],
          guards: [...guardsOn(controller), ...guardsOn(handler)],
        };
      }),
  );
}

/** Returns the methods of a module's classes that are not HTTP routes: `ApiKeyGuard` does not protect them. */
export function otherMethodsOf(
  module: NestModule,
): readonly { readonly owner: AnyFunction; readonly name: string; readonly isHandler: boolean }[] {
  const controllers = new Set<unknown>(controllersOf(module).map(({ controller }) => controller));
  const providers = [...module.providers.values()].map(({ metatype }) => metatype).filter(isClass);
  return [...new Set([...providers, ...controllers])].filter(isClass).flatMap((owner) =>
    methodNames(owner)
      .filter((name) => !controllers.has(owner) || !Reflect.hasMetadata(PATH, prototypeMethod(owner, name)))
      .map((name) => ({ owner, name, isHandler: Reflect.hasMetadata(MESSAGE_PATTERN, prototypeMethod(owner, name)) })),
  );
}

/** Returns the provider classes of a module that are not controllers anywhere in the app: `ApiKeyGuard` does not protect them. */
export function providerClassesOf(module: NestModule, modules: ModulesContainer): readonly AnyFunction[] {
  const controllers = new Set<unknown>(
    [...modules.values()].flatMap((one) => [...one.controllers.values()].map(({ metatype }) => metatype)),
  );
  return [...module.providers.values()]
    .map(({ metatype }) => metatype)
    .filter(isClass)
    .filter((provider) => !controllers.has(provider));
}

function controllersOf(module: NestModule): { instance: Record<string, unknown>; controller: AnyFunction }[] {
  return [...module.controllers.values()]
    .map(({ instance }) => instance as Record<string, unknown> | null)
    .filter((instance) => instance !== null && instance !== undefined)
    .map((instance) => ({ instance, controller: instance.constructor as AnyFunction }));
}

function methodNames(owner: AnyFunction): string[] {
  return new MetadataScanner().getAllMethodNames(owner.prototype as object);
}

function prototypeMethod(owner: AnyFunction, name: string): object {
  return (owner.prototype as Record<string, object>)[name] ?? {};
}

function modulePath({ metatype }: NestModule, { applicationId }: ModulesContainer): string[] {
  return textsOf(
    Reflect.getMetadata(MODULE_PATH + applicationId, metatype) ?? Reflect.getMetadata(MODULE_PATH, metatype),
  );
}

function pathsOn(target: object): string[] {
  return textsOf(Reflect.getMetadata(PATH, target));
}

function textsOf(value: unknown): string[] {
  return [value].flat().filter((text) => typeof text === 'string');
}

function guardsOn(target: object): readonly unknown[] {
  const guards: unknown = Reflect.getMetadata(GUARDS, target);
  return Array.isArray(guards) ? guards : [];
}

function isClass(value: unknown): value is AnyFunction {
  return typeof value === 'function' && typeof value.prototype === 'object' && value.prototype !== null;
}
