import { chainOf, namesOn, type AnyFunction } from './ancestors.js';

/** Where the rules of a handler may stand: chains of classes and of prototypes, each nearest first, and none twice. */
export interface LinkedClasses {
  /** One chain for an ordinary class. More where a mixin or a decorator replaced a class. */
  readonly classes: readonly (readonly AnyFunction[])[];
  readonly prototypes: readonly (readonly object[])[];
  /** Whether a prototype is one of the instance's, or has the handler itself. Of other prototypes only the requirements count. */
  readonly hasHandler: (prototype: object) => boolean;
}

/** Links that the language itself does not show. */
export interface KnownLinks {
  /** Returns the classes that share a prototype, although it may name another class as its `constructor`. */
  classesOf(prototype: object): readonly AnyFunction[];
  /** Returns the prototypes on which a handler was decorated: a mixin may have copied it from there. */
  prototypesOf(handler: AnyFunction): readonly object[];
}

/** A class of the app as Nest sees it. The three belong together for an ordinary class, and may differ for one that was replaced. */
export interface ClassInUse {
  /** The class that Nest registered. */
  readonly registered: AnyFunction;
  /** The class that Nest tells a guard: `instance.constructor`. */
  readonly told: AnyFunction;
  /** The prototype of the instance. */
  readonly prototype: object | null;
}

/** Returns a class that was not replaced, as Nest sees it. */
export function ordinary(owner: AnyFunction): ClassInUse {
  return { registered: owner, told: owner, prototype: (owner.prototype as object | undefined) ?? null };
}

/**
 * Follows every link from a handler to a class: from a class to its ancestors and its prototype, from a prototype to its `constructor`.
 * So both sides are found where they differ: after mixins that copy `constructor`, and class decorators that return another class, a
 * function or a proxy.
 */
export function linkedClasses(
  { registered, told, prototype }: ClassInUse,
  handler: AnyFunction,
  known: KnownLinks,
): LinkedClasses {
  const seen = new Set<unknown>([Object.prototype, Function.prototype, Object]);
  const classes: AnyFunction[][] = [];
  const prototypes: object[][] = [];
  const unseen = <T>(chain: readonly T[]): T[] => chain.filter((one) => !seen.has(one) && seen.add(one));
  const followClass = (start: AnyFunction): void => {
    const chain = unseen(chainOf(start)).filter((one) => typeof one === 'function');
    if (chain.length > 0) classes.push(chain);
    for (const one of chain) followPrototype(one.prototype as object | null | undefined);
  };
  const followPrototype = (start: object | null | undefined): void => {
    const chain = unseen(chainOf(start));
    if (chain.length > 0) prototypes.push(chain);
    for (const one of chain) {
      const named: unknown = Object.getOwnPropertyDescriptor(one, 'constructor')?.value;
      if (typeof named === 'function') followClass(named);
      known.classesOf(one).forEach(followClass);
    }
  };
  followClass(registered);
  followClass(told);
  followPrototype(prototype);
  known.prototypesOf(handler).forEach(followPrototype);
  const ofInstance = new Set([...chainOf(prototype), registered.prototype as unknown]);
  const hasHandler = (one: object): boolean =>
    ofInstance.has(one) || chainOf(one).some((ancestor) => namesOn(ancestor, handler).length > 0);
  return { classes, prototypes, hasHandler };
}
