import type { Type } from '@nestjs/common';
import { ContextIdFactory, ModuleRef, type ContextId, type ModulesContainer } from '@nestjs/core';
import type { AnyFunction } from './ancestors.js';
import type { HttpRequest } from './http-request.js';
import type { ResolverHandle } from './org-reader.js';
import type { OrgResolver } from './org-target.js';
import { findAllProviders, findVisibleProvider, type FoundProvider, type NestModule } from './provider-lookup.js';

/** Finds the providers behind `@OrgScoped({ resolve: Class })`, request-scoped ones included. */
export class ResolverBinding {
  readonly #modules: ModulesContainer;
  /** The context of each request for which Nest itself has not made one. */
  readonly #contextIds = new WeakMap<object, ContextId>();

  constructor(modules: ModulesContainer) {
    this.#modules = modules;
  }

  /**
   * Finds a resolver: in the controller's own module, then in the modules that it imports, then in the whole app if only one provides it.
   *
   * @param controller the class whose decorator names the resolver
   * @returns a function that gets the resolver for a request, or what is wrong
   */
  bind(controller: AnyFunction, resolver: Type<OrgResolver>): ResolverHandle | string {
    const visible = this.#modulesOf(controller)
      .map((module) => findVisibleProvider(module, resolver))
      .filter((found) => found !== undefined);
    const candidates = unique(visible.length > 0 ? visible : findAllProviders(this.#modules.values(), resolver));
    const [found] = candidates;
    if (!found)
      return `names ${resolver.name}, which no module provides: add it to the providers of the controller's module`;
    if (candidates.length > 1) {
      const hosts = candidates.map(({ host }) => host.name).join(', ');
      return `names ${resolver.name}, which several modules provide (${hosts}): add it to the providers of the controller's module`;
    }
    return this.#handleOf(found, resolver);
  }

  #modulesOf(controller: AnyFunction): NestModule[] {
    return [...this.#modules.values()].filter((module) =>
      [...module.controllers.values()].some(({ metatype }) => metatype === controller),
    );
  }

  #handleOf({ host, wrapper }: FoundProvider, resolver: Type<OrgResolver>): ResolverHandle {
    if (wrapper.isDependencyTreeStatic() && !wrapper.isTransient) return () => wrapper.instance as OrgResolver;
    const moduleRef = host.getProviderByKey<ModuleRef>(ModuleRef).instance;
    return (request) =>
      moduleRef.resolve(resolver, this.#contextIdOf(request, moduleRef, wrapper.isDependencyTreeDurable()), {
        strict: true,
      });
  }

  #contextIdOf(request: HttpRequest, moduleRef: ModuleRef, isDurable: boolean): ContextId {
    const known = this.#contextIds.get(request);
    if (known) return known;
    const contextId: ContextId & { payload?: unknown } = ContextIdFactory.getByRequest(request);
    // A second call returns the same context only if Nest's router attached it. Then REQUEST is registered already.
    if (ContextIdFactory.getByRequest(request) !== contextId) {
      moduleRef.registerRequestByContextId(isDurable ? (contextId.payload ?? request) : request, contextId);
    }
    this.#contextIds.set(request, contextId);
    return contextId;
  }
}

function unique(found: readonly FoundProvider[]): readonly FoundProvider[] {
  return [...new Map(found.map((provider) => [provider.wrapper, provider])).values()];
}
