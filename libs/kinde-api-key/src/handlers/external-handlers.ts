import type { ExternalContextCreator } from '@nestjs/core';
import type { AnyFunction } from './ancestors.js';

/** A handler that another package calls through Nest's `ExternalContextCreator`: a GraphQL resolver, a queue consumer. */
export interface ExternalHandler {
  readonly instance: object;
  readonly handler: AnyFunction;
  readonly name: string;
  /** Whether Nest runs guards before it. */
  readonly hasGuards: boolean;
  /** Whether it is called for a field of a GraphQL operation. */
  readonly isResolver: boolean;
}

type Create = (...args: Parameters<ExternalContextCreator['create']>) => unknown;

/**
 * Sees each handler that is passed to Nest's `ExternalContextCreator`. Such handlers have no decorator in common by which they could be
 * found, and this is where Nest learns of them, too.
 */
export class ExternalHandlers {
  #early: ExternalHandler[] = [];
  #onLate: ((handler: ExternalHandler) => void) | undefined;

  constructor(creator: ExternalContextCreator) {
    const create = creator.create.bind(creator) as Create;
    const seeing: Create = (...args) => {
      const [instance, handler, name, , , , , options, contextType] = args;
      const isResolver = contextType === 'graphql';
      this.#see({ instance: instance as object, handler, name, hasGuards: options?.guards ?? true, isResolver });
      return create(...args);
    };
    Object.assign(creator, { create: seeing });
  }

  /**
   * Returns the handlers that were seen so far.
   *
   * @param onLate called for each later one before Nest uses it, e.g. of a module that is loaded lazily; what it throws goes to the caller
   */
  take(onLate: (handler: ExternalHandler) => void): readonly ExternalHandler[] {
    const early = this.#early;
    this.#early = [];
    this.#onLate = onLate;
    return early;
  }

  #see(handler: ExternalHandler): void {
    if (typeof handler.instance !== 'object' || typeof handler.handler !== 'function') return;
    if (this.#onLate) this.#onLate(handler);
    else this.#early.push(handler);
  }
}
