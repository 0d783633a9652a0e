/**
 * The part of an OpenAPI document that is read and changed, by its shape: `@nestjs/swagger` is not needed, and its types fit in every version.
 */
export interface ApiDocument {
  /** Version of OpenAPI, e.g. `3.1.0`. */
  openapi: string;
  paths: object;
  components?: object | undefined;
  security?: object | undefined;
}

/** Any object of a document. */
export type Fields = Readonly<Record<string, unknown>>;

/** A map from schemes to scopes. All schemes of one map are required; of a list of maps, one is enough. */
export type SecurityRequirement = Readonly<Record<string, readonly string[]>>;

/** The methods under which a path has operations. */
export const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'search', 'query'];

/** Where an operation holds its access rules, one for each of its routes. It also shows that the operation is documented already. */
export const ACCESS_RULES = 'x-access-rules';

/** Returns a value of a document as an object, or an empty one. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** Returns a value of a document as a list, or an empty one. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

/** Returns a value of a document as a text, or an empty one. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Whether two values of a document are written alike. */
export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/**
 * Adds what operations share, e.g. a schema. What the document already has under the same name is kept.
 *
 * @param isEqual whether a component of the document can be used instead
 * @returns the name under which it was added or found: the given one, or one with a number behind it
 */
export function addComponent(
  document: ApiDocument,
  kind: string,
  name: string,
  component: Fields,
  isEqual: (one: Fields, other: Fields) => boolean = isSame,
): string {
  const components = fieldsOf(document.components);
  const ofKind = fieldsOf(components[kind]);
  let free = name;
  for (let number = 2; Object.hasOwn(ofKind, free); number += 1) {
    if (isEqual(fieldsOf(ofKind[free]), component)) return free;
    free = `${name}${number}`;
  }
  document.components = { ...components, [kind]: { ...ofKind, [free]: component } };
  return free;
}
