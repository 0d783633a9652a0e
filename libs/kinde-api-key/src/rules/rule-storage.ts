import 'reflect-metadata';
import { isRateLimitMetadata, type RateLimitMetadata, type RuleMetadata } from './rule-metadata.js';

// Equal in every copy of the library that a process may have loaded.
const RULES = Symbol.for('nestjs-kinde-api-key:rules');

// oxlint-disable-next-line typescript/no-unsafe-function-type -- decorators are put on any class and any method
type AnyFunction = Function;

/**
 * A decorator that adds a part to the rule of a class or a method.
 *
 * A method's part is kept on the function *and* on its place (prototype and name): so it survives decorators that wrap the method,
 * above or below, a subclass that overrides it, mixins and stacking.
 */
export function ruleDecorator(decorator: string, part: RuleMetadata): ClassDecorator & MethodDecorator {
  return (target: object, property?: string | symbol, descriptor?: PropertyDescriptor): void => {
    if (property === undefined) {
      addPart(part, target);
      return;
    }
    const method: unknown = descriptor?.value;
    if (typeof method !== 'function' || typeof target === 'function') {
      throw new TypeError(
        `${decorator} goes on a class or an instance method, not on ${describePlace(target, property)}`,
      );
    }
    addPart(part, method);
    addPart(part, target, property);
  };
}

/** @returns the parts of a class, its ancestors' first, each class's from top to bottom as they are written */
export function classParts(controller: AnyFunction): readonly RuleMetadata[] {
  const parts: RuleMetadata[] = [];
  for (let current: unknown = controller; typeof current === 'function'; current = Object.getPrototypeOf(current)) {
    parts.unshift(...ownParts(current));
  }
  return [...new Set(parts)];
}

/** @returns the parts of a method, those of the methods that it overrides first, whatever wraps it */
export function methodParts(
  controller: AnyFunction,
  name: string | symbol,
  handler?: AnyFunction,
): readonly RuleMetadata[] {
  const parts: RuleMetadata[] = [];
  for (
    let prototype = controller.prototype as object | null;
    prototype;
    prototype = Object.getPrototypeOf(prototype) as object | null
  ) {
    const method: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
    if (typeof method === 'function') parts.unshift(...ownParts(method));
    parts.unshift(...ownParts(prototype, name));
  }
  if (handler) parts.push(...ownParts(handler));
  return [...new Set(parts)];
}

/** @returns what the nearest class that says anything about rate limits says: the class itself, else its parent, and so on */
export function nearestClassRateLimits(controller: AnyFunction): readonly RateLimitMetadata[] {
  for (let current: unknown = controller; typeof current === 'function'; current = Object.getPrototypeOf(current)) {
    const found = ownParts(current).filter(isRateLimitMetadata);
    if (found.length > 0) return [...new Set(found)];
  }
  return [];
}

/** @returns what the nearest method that says anything about rate limits says: the handler itself, else the method that it overrides, and so on */
export function nearestMethodRateLimits(
  controller: AnyFunction,
  name: string,
  handler: AnyFunction,
): readonly RateLimitMetadata[] {
  // What a function carries that is nobody's method, because it was put on the instance, goes with the nearest method.
  let onHandler = ownParts(handler);
  for (
    let prototype = controller.prototype as object | null;
    prototype;
    prototype = Object.getPrototypeOf(prototype) as object | null
  ) {
    const method: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
    if (typeof method !== 'function') continue;
    const found = [...ownParts(prototype, name), ...ownParts(method), ...onHandler].filter(isRateLimitMetadata);
    if (found.length > 0) return [...new Set(found)];
    onHandler = [];
  }
  return onHandler.filter(isRateLimitMetadata);
}

function addPart(part: RuleMetadata, target: object, property?: string | symbol): void {
  // Decorators run from bottom to top. The list is replaced and never changed, because wrappers copy metadata by reference.
  const parts = [part, ...ownParts(target, property)];
  if (property === undefined) Reflect.defineMetadata(RULES, parts, target);
  else Reflect.defineMetadata(RULES, parts, target, property);
}

function ownParts(target: object, property?: string | symbol): readonly RuleMetadata[] {
  const parts: unknown =
    property === undefined ? Reflect.getOwnMetadata(RULES, target) : Reflect.getOwnMetadata(RULES, target, property);
  return (parts as readonly RuleMetadata[] | undefined) ?? [];
}

function describePlace(target: object, property: string | symbol): string {
  const owner = typeof target === 'function' ? target.name : target.constructor.name;
  return `${owner}.${String(property)}`;
}
