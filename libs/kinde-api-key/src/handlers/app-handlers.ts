import { MetadataScanner, type ApplicationConfig, type ModulesContainer } from '@nestjs/core';
import { chainOf, namesOn, type AnyFunction } from './ancestors.js';
import { classHostsOf, classToldBy, type ClassHost } from './class-hosts.js';
import type { ExternalHandler } from './external-handlers.js';
import type { GuardLookup, Transport } from './guard-lookup.js';
import type { ClassInUse } from './linked-classes.js';
import {
  GATEWAY,
  GRAPHQL_OPTIONS,
  MESSAGE_PATTERN,
  PATH,
  RESOLVED_FIELD,
  RESOLVED_REFERENCE,
  RESOLVER_TYPE,
  SUBSCRIBED_MESSAGE,
} from './nest-metadata.js';
import type { NestModule } from './provider-lookup.js';
import { NO_ROUTE, routeNamesOf, type RouteNames } from './route-names.js';
import { routePathsOf, type RoutedClass } from './route-paths.js';

/** A function that Nest calls, the method that it stands for, and its class. */
export interface HandlerInUse extends ClassInUse {
  readonly name: string;
  /** What Nest calls and tells the guard: the instance's function, which may differ from the prototype's. */
  readonly handler: AnyFunction;
  readonly routeNames: RouteNames;
}

/** A handler of the app. */
export interface AppHandler extends HandlerInUse {
  readonly transport: Transport;
  /** Every path of a route. Empty for other transports. */
  readonly paths: readonly string[];
  /** The guards that Nest runs before it, global ones included. */
  readonly guards: readonly unknown[];
}

/** Tells which handlers an app has: the class, function, transport and guards of each, all as Nest itself finds them. */
export class AppHandlers {
  readonly #scanner = new MetadataScanner();

  constructor(
    private readonly modules: ModulesContainer,
    private readonly config: ApplicationConfig,
    private readonly guards: GuardLookup,
  ) {}

  /** Returns the handlers of a module that Nest's own decorators declare. */
  declaredIn(module: NestModule): readonly AppHandler[] {
    return classHostsOf(module).flatMap((host) => {
      const routesOfClass = this.#routesOf(host);
      return this.#methodsOf(host).flatMap(({ name, method }) =>
        transportsOf(host, method).flatMap((transport) => this.#describe(host, name, method, transport, routesOfClass)),
      );
    });
  }

  /** Describes a handler that was passed to `ExternalContextCreator`. */
  describeExternal({ instance, handler, name, hasGuards, isResolver }: ExternalHandler): AppHandler {
    const host = this.hostOf(instance);
    const told = classToldBy(instance) ?? Object;
    const inUse = host ?? { registered: told, told, prototype: Object.getPrototypeOf(instance) as object | null };
    const transport = isResolver ? 'graphql' : 'external';
    const guards = hasGuards ? this.guards.guardsOf(instance, handler, host?.module, transport) : [];
    return { ...pick(inUse), name, handler, transport, routeNames: NO_ROUTE, paths: [], guards };
  }

  /** Returns the controller or provider that an instance is, or that its class is registered for. */
  hostOf(instance: object): ClassHost | undefined {
    const told = classToldBy(instance);
    const hosts = this.#hosts();
    return hosts.find((host) => host.instance === instance) ?? hosts.find((host) => host.told === told);
  }

  /**
   * Returns what a guard is called for, found by what Nest tells it. More than one class may use the same two.
   *
   * @returns `undefined` for a class that is not in the app
   */
  find(told: AnyFunction, handler: AnyFunction): readonly HandlerInUse[] | undefined {
    const hosts = this.#hosts().filter((host) => host.told === told);
    if (hosts.length === 0) return undefined;
    return hosts.flatMap((host) => {
      const names = chainOf(host.prototype).flatMap((prototype) => namesOn(prototype, handler));
      const ofMethod = host.isController ? routeNamesOf(this.#routedBy(host), handler) : [];
      const routeNames = ofMethod.length > 0 ? { ofMethod, ofClass: this.#routesOf(host) } : NO_ROUTE;
      return [...new Set(names)].map((name) => ({ ...pick(host), name, handler, routeNames }));
    });
  }

  /** Returns the methods of a class, inherited ones included. */
  #methodsOf({ prototype }: ClassInUse): readonly { readonly name: string; readonly method: AnyFunction }[] {
    const methods = (prototype ?? {}) as Readonly<Record<string, AnyFunction>>;
    return this.#scanner.getAllMethodNames(methods).flatMap((name) => {
      const method = methods[name];
      return method ? [{ name, method }] : [];
    });
  }

  /** Returns the names of all routes of a class. */
  #routesOf(host: ClassHost): readonly string[] {
    if (!host.isController) return [];
    const routed = this.#routedBy(host);
    return this.#methodsOf(host).flatMap(({ method }) => routeNamesOf(routed, method));
  }

  #describe(
    host: ClassHost,
    name: string,
    method: AnyFunction,
    transport: Transport,
    ofClass: readonly string[],
  ): AppHandler[] {
    const own = (host.instance as Readonly<Record<string, unknown>>)[name];
    const called = typeof own === 'function' ? own : method;
    // Gateways call the prototype's function, and microservices do so before Nest 11.
    const handlers = new Set(transport === 'http' ? [called] : [called, method]);
    const routed = this.#routedBy(host);
    const isRoute = transport === 'http';
    const paths = isRoute ? routePathsOf(routed, method) : [];
    const routeNames = isRoute ? { ofMethod: routeNamesOf(routed, method), ofClass } : NO_ROUTE;
    return [...handlers].map((handler) => {
      const hasGuards = transport !== 'graphql' || Reflect.hasMetadata(RESOLVER_TYPE, method) || this.#guardsFields();
      const guards = hasGuards ? this.guards.guardsOf(host.instance, handler, host.module, transport) : [];
      return { ...pick(host), name, handler, transport, routeNames, paths, guards };
    });
  }

  /** Whether guards run before every resolver of a field of an object. By default they run before those of operations alone. */
  #guardsFields(): boolean {
    const all = [...this.modules.values()].flatMap(({ providers }) => providers.get(GRAPHQL_OPTIONS)?.instance ?? []);
    const enhancers = all.map((one) => (one as { readonly fieldResolverEnhancers?: unknown }).fieldResolverEnhancers);
    return enhancers.length > 0 && enhancers.every((given) => Array.isArray(given) && given.includes('guards'));
  }

  #routedBy({ module, registered: controller }: ClassHost): RoutedClass {
    return { module, applicationId: this.modules.applicationId, controller, config: this.config };
  }

  #hosts(): readonly ClassHost[] {
    return [...this.modules.values()].flatMap(classHostsOf);
  }
}

function pick({ registered, told, prototype }: ClassInUse): ClassInUse {
  return { registered, told, prototype };
}

/** Returns how Nest calls a method: not at all, or for one with several decorators in several ways. */
function transportsOf(host: ClassHost, method: AnyFunction): readonly Transport[] {
  const isMarked = (key: string): boolean => Reflect.hasMetadata(key, method);
  const isGateway = host.isMadeByNest && Reflect.hasMetadata(GATEWAY, host.registered);
  const transports: Record<Exclude<Transport, 'external'>, boolean> = {
    http: host.isController && isMarked(PATH),
    rpc: host.isController && isMarked(MESSAGE_PATTERN),
    ws: !host.isController && isGateway && isMarked(SUBSCRIBED_MESSAGE),
    graphql: !host.isController && [RESOLVER_TYPE, RESOLVED_FIELD, RESOLVED_REFERENCE].some(isMarked),
  };
  return (Object.keys(transports) as (keyof typeof transports)[]).filter((transport) => transports[transport]);
}
