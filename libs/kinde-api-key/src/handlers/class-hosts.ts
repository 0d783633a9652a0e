import type { AnyFunction } from './ancestors.js';
import type { ClassInUse } from './linked-classes.js';
import type { NestModule } from './provider-lookup.js';

/** A class of the app and the instance that Nest calls. */
export interface ClassHost extends ClassInUse {
  readonly module: NestModule;
  readonly isController: boolean;
  /** Whether Nest made the instance itself: it looks for gateways among these only. */
  readonly isMadeByNest: boolean;
  /** Of a class that is made per request: an object with its prototype, which Nest explores instead. */
  readonly instance: object;
}

/** Returns the controllers and providers of a module that are objects with a class. */
export function classHostsOf(module: NestModule): readonly ClassHost[] {
  return [...hostsIn(module, module.controllers, true), ...hostsIn(module, module.providers, false)];
}

function hostsIn(module: NestModule, wrappers: NestModule['providers'], isController: boolean): ClassHost[] {
  return [...wrappers.values()].flatMap((wrapper): ClassHost[] => {
    const { instance, isNotMetatype: isMadeByApp, isAlias } = wrapper;
    if (isAlias || typeof instance !== 'object' || instance === null || instance instanceof Promise) return [];
    const prototype = Object.getPrototypeOf(instance) as object | null;
    const made: unknown = isMadeByApp ? prototype?.constructor : wrapper.metatype;
    if (typeof made !== 'function' || made === Object) return [];
    const told = classToldBy(instance) ?? made;
    return [{ module, isController, isMadeByNest: !isMadeByApp, instance, registered: made, told, prototype }];
  });
}

/** Returns the class that Nest tells a guard. */
export function classToldBy(instance: object): AnyFunction | undefined {
  try {
    const { constructor: told }: { constructor: unknown } = instance;
    return typeof told === 'function' ? told : undefined;
  } catch {
    return undefined; // A proxy of the app that does not want to be looked at.
  }
}
