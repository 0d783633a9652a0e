/** A class or a method, in Nest's own type for both. */
// oxlint-disable-next-line typescript/no-unsafe-function-type -- Nest's own type, and decorators are put on any class and any method
export type AnyFunction = Function;

/** Returns a class and the classes that it extends, nearest first. */
export function ancestorsOf(owner: AnyFunction): readonly AnyFunction[] {
  return chainOf(owner).filter((ancestor) => typeof ancestor === 'function');
}

/** Returns the prototype of a class and those that it inherits from, nearest first. Empty for a function that is not a constructor. */
export function prototypesOf(owner: AnyFunction): readonly object[] {
  return chainOf(owner.prototype as object | undefined);
}

/** Returns an object and those that it inherits from, nearest first. */
export function chainOf(start: object | null | undefined): readonly object[] {
  return start ? [start, ...chainOf(Object.getPrototypeOf(start) as object | null)] : [];
}

/** Returns the names under which a function stands on an object itself. Found by identity, because a function's own name can be another one. */
export function namesOn(owner: object, method: AnyFunction): readonly string[] {
  return Object.entries(Object.getOwnPropertyDescriptors(owner))
    .filter(([name, { value }]) => value === method && name !== 'constructor')
    .map(([name]) => name);
}
