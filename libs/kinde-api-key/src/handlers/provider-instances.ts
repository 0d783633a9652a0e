import { ContextIdFactory, ModuleRef, type ContextId } from '@nestjs/core';
import type { Type } from '@nestjs/common';
import type { FoundProvider } from './provider-lookup.js';

/** Returns the instance of a provider that Nest would inject for a request. */
export type InstanceOf<T> = (request: object) => T | Promise<T>;

/** Gets providers as Nest itself would inject them, request-scoped ones included. */
export class ProviderInstances {
  /** The context of each request for which Nest itself has not made one. */
  readonly #contextIds = new WeakMap<object, ContextId>();

  /** Returns a function that gets a provider. It returns a promise only if a request needs an instance of its own. */
  of<T>({ host, wrapper }: FoundProvider, token: Type<T>): InstanceOf<T> {
    if (wrapper.isDependencyTreeStatic() && !wrapper.isTransient) return () => wrapper.instance as T;
    const moduleRef = host.getProviderByKey<ModuleRef>(ModuleRef).instance;
    return (request) => {
      const contextId = this.#contextIdOf(request, moduleRef, wrapper.isDependencyTreeDurable());
      return moduleRef.resolve(token, contextId, { strict: true });
    };
  }

  #contextIdOf(request: object, moduleRef: ModuleRef, isDurable: boolean): ContextId {
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
