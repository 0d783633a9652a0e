import 'reflect-metadata';
import { ancestorsOf, prototypesOf, type AnyFunction } from './ancestors.js';
import {
  decoratorOf,
  isRateLimitMetadata,
  type EffectiveMetadata,
  type HandlerMetadata,
  type RateLimitMetadata,
  type RuleMetadata,
} from './rule-metadata.js';

// Equal in every copy of the library that a process may have loaded.
const RULES = Symbol.for('nestjs-kinde-api-key:rules');

/** The metadata of a class and its ancestors, or of a method and those that it overrides: a list for each of them, nearest first. */
type MetadataChain = readonly (readonly RuleMetadata[])[];

/**
 * Returns a decorator that adds metadata to a class or a method.
 *
 * The metadata of a method is kept on the function *and* on its prototype and name. So it survives decorators that wrap the method, above
 * or below, a subclass that overrides it, mixins and stacking.
 */
export function ruleDecorator(metadata: RuleMetadata): ClassDecorator & MethodDecorator {
  return (target: object, property?: string | symbol, descriptor?: PropertyDescriptor): void => {
    const method: unknown = descriptor?.value;
    if (property !== undefined && (typeof method !== 'function' || typeof target === 'function')) {
      const owner = typeof target === 'function' ? target.name : target.constructor.name;
      throw new TypeError(
        `${decoratorOf(metadata)} goes on a class or an instance method, not on ${owner}.${String(property)}`,
      );
    }
    if (typeof method === 'function') addMetadata(metadata, method);
    addMetadata(metadata, target, property);
  };
}

/** Returns the metadata of a class: that of its ancestors first, each class's from top to bottom as written. */
export function classMetadata(owner: AnyFunction): readonly RuleMetadata[] {
  return unionOf(classChain(owner));
}

/** Returns the metadata of a method in the same order, after that of the methods it overrides. `handler`: the function that Nest calls. */
export function methodMetadata(owner: AnyFunction, name: string, handler?: AnyFunction): readonly RuleMetadata[] {
  return unionOf(methodChain(owner, name, handler));
}

/** Returns the metadata that reaches a handler, which stands for the methods with these names. */
export function handlerMetadata(owner: AnyFunction, names: readonly string[], handler: AnyFunction): HandlerMetadata {
  return {
    ofClass: effective([classChain(owner)]),
    ofMethod: effective(names.map((name) => methodChain(owner, name, handler))),
  };
}

function effective(chains: readonly MetadataChain[]): EffectiveMetadata {
  return {
    access: [...new Set(chains.flatMap(unionOf))].filter((metadata) => !isRateLimitMetadata(metadata)),
    rateLimits: [...new Set(chains.flatMap(nearestRateLimits))],
  };
}

function unionOf(chain: MetadataChain): readonly RuleMetadata[] {
  return [...new Set(chain.toReversed().flat())];
}

function nearestRateLimits(chain: MetadataChain): readonly RateLimitMetadata[] {
  return chain.map((metadata) => metadata.filter(isRateLimitMetadata)).find((limits) => limits.length > 0) ?? [];
}

function classChain(owner: AnyFunction): MetadataChain {
  return ancestorsOf(owner).map((ancestor) => ownMetadata(ancestor));
}

function methodChain(owner: AnyFunction, name: string, handler?: AnyFunction): MetadataChain {
  const [nearest = [], ...overridden] = prototypesOf(owner)
    .filter((prototype) => Object.hasOwn(prototype, name) || ownMetadata(prototype, name).length > 0)
    .map((prototype) => {
      const method: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
      return [...ownMetadata(prototype, name), ...(typeof method === 'function' ? ownMetadata(method) : [])];
    });
  // A function that was put on the instance, and is not on any prototype, counts as the nearest method.
  return [[...nearest, ...(handler ? ownMetadata(handler) : [])], ...overridden];
}

// Without a property, the metadata is that of the target itself. The types of reflect-metadata have two signatures for it.
function addMetadata(metadata: RuleMetadata, target: object, property?: string | symbol): void {
  // Decorators run from bottom to top. The list is replaced and never changed, because wrappers copy metadata by reference.
  Reflect.defineMetadata(RULES, [metadata, ...ownMetadata(target, property)], target, property as string);
}

function ownMetadata(target: object, property?: string | symbol): readonly RuleMetadata[] {
  return (Reflect.getOwnMetadata(RULES, target, property as string) as readonly RuleMetadata[] | undefined) ?? [];
}
