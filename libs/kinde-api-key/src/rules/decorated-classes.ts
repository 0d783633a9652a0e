import 'reflect-metadata';
import type { AnyFunction } from '../handlers/ancestors.js';
import type { KnownLinks } from '../handlers/linked-classes.js';

// One list for every copy of the library in a process.
const DECORATED = Symbol.for('nestjs-kinde-api-key:decorated-classes');

interface Holder {
  [DECORATED]?: Set<WeakRef<object>>;
}

const decorated = ((globalThis as Holder)[DECORATED] ??= new Set());
const noted = new WeakSet<object>();
const collected = new FinalizationRegistry<WeakRef<object>>((reference) => decorated.delete(reference));

/** Keeps a class or a prototype that carries a rule, without keeping it alive. */
export function noteDecorated(target: object): void {
  if (noted.has(target)) return;
  noted.add(target);
  const reference = new WeakRef(target);
  collected.register(target, reference);
  decorated.add(reference);
}

/**
 * Finds the classes that carry rules behind a prototype or a function. The language forgets them where a class decorator overwrites
 * `constructor`, and where a mixin copies methods.
 */
export const decoratedClasses: KnownLinks = {
  classesOf: (prototype) => links().classes.get(prototype) ?? [],
  prototypesOf: (handler) => links().prototypes.get(handler) ?? [],
};

interface Links {
  /** How many classes and prototypes there were. */
  readonly size: number;
  readonly classes: WeakMap<object, AnyFunction[]>;
  readonly prototypes: WeakMap<AnyFunction, object[]>;
}

let latest: Links | undefined;

/** Built when it is needed and again after more decorators have run, because a decorator further up may replace what this one saw. */
function links(): Links {
  if (latest?.size === decorated.size) return latest;
  const classes = new WeakMap<object, AnyFunction[]>();
  const prototypes = new WeakMap<AnyFunction, object[]>();
  for (const reference of decorated) {
    const target = reference.deref();
    const prototype: unknown = typeof target === 'function' ? target.prototype : target;
    if (typeof prototype !== 'object' || prototype === null) continue;
    if (typeof target === 'function') classes.set(prototype, [...(classes.get(prototype) ?? []), target]);
    for (const method of decoratedMethodsOf(prototype))
      prototypes.set(method, [...new Set(prototypes.get(method) ?? []).add(prototype)]);
  }
  latest = { size: decorated.size, classes, prototypes };
  return latest;
}

/** Returns the methods that were decorated here. A copy made by a mixin has no metadata under its prototype and name. */
function decoratedMethodsOf(prototype: object): readonly AnyFunction[] {
  return Object.entries(Object.getOwnPropertyDescriptors(prototype)).flatMap(([name, { value }]) =>
    typeof value === 'function' && name !== 'constructor' && Reflect.getOwnMetadataKeys(prototype, name).length > 0
      ? [value as AnyFunction]
      : [],
  );
}
