import type { ApplicationConfig, ExternalContextCreator, HttpAdapterHost } from '@nestjs/core';
import type { AnyFunction } from './ancestors.js';
import { GUARDS } from './nest-metadata.js';
import type { NestModule } from './provider-lookup.js';

/** How Nest calls a handler. `external`: through `ExternalContextCreator`, as packages of queues do. */
export type Transport = 'http' | 'graphql' | 'ws' | 'rpc' | 'external';

/** The part of Nest's own `GuardsContextCreator` that knows the class of an instance; private in all of Nest 10, 11 and 12. */
interface GuardsContextCreator {
  reflectClassMetadata(instance: object, key: string): unknown;
}

/** Tells which guards Nest runs before a handler: classes or instances, as they were given to Nest. */
export class GuardLookup {
  readonly #nest: GuardsContextCreator | undefined;

  constructor(
    private readonly config: ApplicationConfig,
    private readonly http: HttpAdapterHost,
    creator: ExternalContextCreator,
  ) {
    const { guardsContextCreator } = creator as unknown as { guardsContextCreator?: GuardsContextCreator };
    this.#nest = typeof guardsContextCreator?.reflectClassMetadata === 'function' ? guardsContextCreator : undefined;
  }

  /** @param module of the instance; without it, Nest finds no guard that is given as a class */
  guardsOf(
    instance: object,
    handler: AnyFunction,
    module: NestModule | undefined,
    transport: Transport,
  ): readonly unknown[] {
    const local = [this.#ofClass(instance), Reflect.getMetadata(GUARDS, handler) as unknown].flat();
    return [...this.#global(transport), ...local.filter((guard) => isFound(guard, module))];
  }

  /**
   * Counts a global guard only where Nest runs it for certain: the microservices of a hybrid app have them only with `inheritAppConfig`, which is
   * not visible here.
   */
  #global(transport: Transport): readonly unknown[] {
    if (transport === 'rpc' && isPresent(this.http.httpAdapter)) return [];
    if (transport === 'ws' && !this.#reachesGateways) return [];
    // Nest makes these for HTTP requests only.
    if (transport !== 'http') return this.config.getGlobalGuards();
    const perRequest = this.config
      .getGlobalRequestGuards()
      .flatMap(({ metatype, inject }): unknown[] => [metatype, ...(inject ?? [])]);
    return [...this.config.getGlobalGuards(), ...perRequest];
  }

  /** Since Nest 12, whose configuration has this method as well. */
  get #reachesGateways(): boolean {
    return 'registerPreRequestHook' in this.config;
  }

  /** Where a class was replaced, Nest's versions differ in which one they ask. A Nest that cannot be asked counts as without guards. */
  #ofClass(instance: object): unknown {
    if (this.#nest) return this.#nest.reflectClassMetadata(instance, GUARDS);
    const prototype = Object.getPrototypeOf(instance) as { readonly constructor?: object } | null;
    const isOrdinary = prototype?.constructor === instance.constructor;
    return isOrdinary ? Reflect.getMetadata(GUARDS, instance.constructor) : [];
  }
}

/** Whether Nest finds a guard. It looks for a class among those that the module's scan brought up, and drops one that is missing. */
function isFound(guard: unknown, module: NestModule | undefined): boolean {
  if (typeof guard !== 'function') return true;
  return (
    module?.injectables.has(guard) === true || typeof (guard as { canActivate?: unknown }).canActivate === 'function'
  );
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}
