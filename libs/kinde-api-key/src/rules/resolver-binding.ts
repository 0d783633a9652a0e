import type { Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import type { AnyFunction } from '../handlers/ancestors.js';
import type { OrgReader } from './org-reader.js';
import type { OrgResolver } from './org-target.js';
import type { ProviderInstances } from '../handlers/provider-instances.js';
import { findAllProviders, findVisibleProvider, type FoundProvider } from '../handlers/provider-lookup.js';

/** Finds the providers behind `@OrgScoped({ resolve: Class })`, request-scoped ones included. */
export class ResolverBinding {
  constructor(
    private readonly modules: ModulesContainer,
    private readonly instances: ProviderInstances,
  ) {}

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

  #readerOf(found: FoundProvider, resolver: Type<OrgResolver>): OrgReader {
    const instanceFor = this.instances.of(found, resolver);
    return (context, request, caller) => {
      const instance = instanceFor(request);
      if (instance instanceof Promise) return instance.then((made) => made.resolveOrgCode(context, caller));
      return instance.resolveOrgCode(context, caller);
    };
  }
}
