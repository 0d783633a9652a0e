import type { AuditedApi, HttpRoute } from '../audit/audited-api.js';
import { fieldsOf, isSame, METHODS, type ApiDocument, type Fields } from './api-document.js';
import { shapeOfDocumentPath, shapeOfRoute, type PathShape } from './path-shape.js';

/** A route, and the registration that it belongs to. */
export interface RouteOfApi {
  readonly api: AuditedApi;
  readonly route: HttpRoute;
}

/** An operation of a document, and its routes: several where versions or hosts share a path. */
export interface MatchedOperation {
  readonly path: string;
  /** In lower case. */
  readonly method: string;
  readonly operation: Fields;
  readonly routes: readonly RouteOfApi[];
}

interface KnownOperation extends MatchedOperation, PathShape {
  readonly routes: RouteOfApi[];
}

/** Finds the routes of each operation by path and method. Operations without a route are left out. */
export function matchOperations({ paths }: ApiDocument, apis: readonly AuditedApi[]): readonly MatchedOperation[] {
  const operations = Object.entries(fieldsOf(paths)).flatMap(([path, item]) => {
    const methods = METHODS.filter((method) => Object.hasOwn(fieldsOf(item), method));
    return methods.map((method): KnownOperation => {
      const operation = fieldsOf(fieldsOf(item)[method]);
      return { path, method, operation, routes: [], ...shapeOfDocumentPath(path) };
    });
  });
  for (const api of apis) {
    const inDocument = pathOfDocument(api, operations);
    for (const route of api.routes)
      for (const { routes } of new Set(route.paths.flatMap((path) => find(operations, inDocument(path), route.verb))))
        routes.push({ api, route });
  }
  return operations.filter(({ routes }) => routes.length > 0);
}

/** Returns the operations of a path. Where paths differ in the names of parameters only, those with the same names. */
function find(operations: readonly KnownOperation[], path: string, verb: string): readonly KnownOperation[] {
  const { shape, names } = shapeOfRoute(path);
  const found = operations.filter(
    (one) => one.shape === shape && (verb === 'ALL' || one.method === verb.toLowerCase()),
  );
  const named = found.filter((one) => isSame(one.names, names));
  return named.length > 0 ? named : found;
}

/** Returns how a path stands in the document: without the global prefix, if the document was made with `ignoreGlobalPrefix`. */
function pathOfDocument(
  { globalPrefix, routes }: AuditedApi,
  operations: readonly KnownOperation[],
): (path: string) => string {
  const prefix = `/${globalPrefix.replace(/^\/+|\/+$/g, '')}/`;
  const isPrefixed = (path: string): boolean => prefix !== '//' && `${path}/`.startsWith(prefix);
  const isFound = routes.some(({ paths, verb }) =>
    paths.some((path) => isPrefixed(path) && find(operations, path, verb).length > 0),
  );
  return (path) => (isPrefixed(path) && !isFound ? path.slice(prefix.length - 1) || '/' : path);
}
