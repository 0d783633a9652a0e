import type { Type } from '@nestjs/common';
import { ContextIdFactory, ModuleRef, type ContextId, type ModulesContainer } from '@nestjs/core';
import type { AnyFunction } from '../handlers/ancestors.js';
import type { HttpRequest } from './http-request.js';
import type { OrgReader } from './org-reader.js';
import type { OrgResolver } from './org-target.js';
import { findAllProviders, findVisibleProvider, type FoundProvider } from '../handlers/provider-lookup.js';

/** Finds the providers behind `@OrgScoped({ resolve: Class })`, request-scoped ones included. */
export class ResolverBinding {
  /** The context of each request for which Nest itself has not made one. */
  readonly #contextIds = new WeakMap<object, ContextId>();

  constructor(private readonly modules: ModulesContainer) {}

  /**
   * Finds a resolver: in the controller's own module, then in the modules that it imports, then in the whole app if only one provides it.
   *
   * @returns a reader that calls the resolver, or what is wrong
   */
  bind(controller: AnyFunction, resolver: Type<OrgResolver>): OrgReader | string {
    const modules = [...this.modules.values()];
    const visible = modules
      .filter(({ controllers }) => [...controllers.values()].some(({ metatype }) => metatype === controller))
      .map((module) => findVisibleProvider(module, resolver))
      .filter((found) => found !== undefined);
    const candidates = visible.length > 0 ? visible : findAllProviders(modules, resolver);
    const [found, ...others] = new Map(candidates.map((candidate) => [candidate.wrapper, candidate])).values();
    if (!found)
      return `@OrgScoped({ resolve }) names ${resolver.name}, which no module provides: add it to the providers of the controller's module`;
    if (others.length === 0) return this.#readerOf(found, resolver);
    const hosts = [found, ...others].map(({ host }) => host.name).join(', ');
    return `@OrgScoped({ resolve }) names ${resolver.name}, which several modules provide (${hosts}): add it to the providers of the controller's module`;
  }

  #readerOf({ host, wrapper }: FoundProvider, resolver: Type<OrgResolver>): OrgReader {
    if (wrapper.isDependencyTreeStatic() && !wrapper.isTransient)
      return (context, _request, apiKey) => (wrapper.instance as OrgResolver).resolveOrgCode(context, apiKey);
    const moduleRef = host.getProviderByKey<ModuleRef>(ModuleRef).instance;
    return async (context, request, apiKey) => {
      const contextId = this.#contextIdOf(request, moduleRef, wrapper.isDependencyTreeDurable());
      const instance = await moduleRef.resolve(resolver, contextId, { strict: true });
      return instance.resolveOrgCode(context, apiKey);
    };
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
