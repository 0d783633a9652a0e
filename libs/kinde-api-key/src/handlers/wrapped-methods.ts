import 'reflect-metadata';
import type { AnyFunction } from './ancestors.js';

/**
 * Whether a function was put in front of a method when Nest made its route, as the instrumentations of OpenTelemetry and Sentry do: Nest tells guards
 * this function. It has the method's name, if there is one, and all of its metadata, by which Nest itself knows the method, and no other metadata.
 */
export function isInFrontOf(wrapper: AnyFunction, method: AnyFunction): boolean {
  const keys = Reflect.getMetadataKeys(method) as unknown[];
  const isComplete = keys.length > 0 && keys.length === Reflect.getMetadataKeys(wrapper).length;
  if (!isComplete || (method.name !== '' && wrapper.name !== method.name)) return false;
  return keys.every((key) => Reflect.getMetadata(key, wrapper) === Reflect.getMetadata(key, method));
}
