import 'reflect-metadata';
import { ancestorsOf, prototypesOf, type AnyFunction } from '../handlers/ancestors.js';
import { linkedClasses, ordinary, type ClassInUse } from '../handlers/linked-classes.js';
import { decoratedClasses, noteDecorated } from './decorated-classes.js';
import {
  decoratorOf,
  isRateLimitMetadata,
  metadataList,
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
    noteDecorated(target);
  };
}

/** Returns the metadata of a class: that of its ancestors first, each class's from top to bottom as written. */
export function classMetadata(owner: AnyFunction): readonly RuleMetadata[] {
  return unionOf(classChain(owner));
}

/** Returns the metadata of a method in the same order, after that of the methods it overrides. `handler`: the function that Nest calls. */
export function methodMetadata(owner: AnyFunction, name: string, handler?: AnyFunction): readonly RuleMetadata[] {
  return unionOf(methodChain(prototypesOf(owner), name, handler));
}

/**
 * Returns the metadata that reaches a handler: of every class that stands behind it.
 *
 * @param names of the methods that the handler stands for
 * @param inUse the class as Nest sees it; default: an ordinary class
 */
export function handlerMetadata(
  owner: AnyFunction,
  names: readonly string[],
  handler: AnyFunction,
  inUse: ClassInUse = ordinary(owner),
): HandlerMetadata {
  const { classes, prototypes, hasHandler } = linkedClasses(inUse, handler, decoratedClasses);
  const ofClass = (one: AnyFunction): readonly RuleMetadata[] =>
    one === inUse.registered || hasHandler(one.prototype as object) ? ownMetadata(one) : requirementsOf(one);
  return {
    ofClass: effective(classes.map((chain) => chain.map(ofClass))),
    ofMethod: effective(
      names.flatMap((name) => prototypes.map((chain) => methodChain(chain, name, handler, hasHandler))),
    ),
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

function methodChain(
  prototypes: readonly object[],
  name: string,
  handler?: AnyFunction,
  hasHandler: (prototype: object) => boolean = () => true,
): MetadataChain {
  const [nearest = [], ...overridden] = prototypes
    .filter((prototype) => Object.hasOwn(prototype, name) || ownMetadata(prototype, name).length > 0)
    .map((prototype) => {
      const read = hasHandler(prototype) ? ownMetadata : requirementsOf;
      const method: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
      return [...read(prototype, name), ...(typeof method === 'function' ? read(method) : [])];
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
  return metadataList(Reflect.getOwnMetadata(RULES, target, property as string));
}

/** A class that is linked, but does not have the handler, adds requirements and cannot make the handler public. */
function requirementsOf(target: object, property?: string | symbol): readonly RuleMetadata[] {
  return ownMetadata(target, property).filter(({ kind }) => kind !== 'public');
}
