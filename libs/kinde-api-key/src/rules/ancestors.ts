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

function chainOf(start: object | null | undefined): object[] {
  return start ? [start, ...chainOf(Object.getPrototypeOf(start) as object | null)] : [];
}
