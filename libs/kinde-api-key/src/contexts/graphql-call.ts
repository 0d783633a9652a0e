import { isObject, type HttpRequest } from '../rules/http-request.js';
import type { HttpResponse } from '../responses/http-response.js';
import type { Call } from './call.js';
import type { CallOptions } from './message-call.js';
import { callRequest, connectionRequest, opensConnection } from './call-request.js';

/** What GraphQL packages and apps put into the context of an operation. */
interface GraphqlContext {
  /** Of Apollo. For a subscription over graphql-ws, what that package knows about the connection. */
  readonly req?: unknown;
  /** Of Mercurius. */
  readonly reply?: unknown;
  /** Of subscriptions over Mercurius. */
  readonly request?: unknown;
  readonly connectionParams?: unknown;
  /** `connectionParams` of Mercurius. */
  readonly _connectionInit?: unknown;
}

/** What graphql-ws tells about a connection. */
interface GraphqlConnection {
  readonly connectionParams?: unknown;
  readonly extra?: { readonly request?: unknown };
}

const HIDDEN =
  'the GraphQL context has no HTTP request: let the context function return it, e.g. context: ({ req }) => ({ req })';
const SHARED =
  'the request in the GraphQL context is that of another operation: make the option context a function that returns a new object for each request';

/** Whether arguments are those of a resolver, which end with the context and GraphQL's own information about the field. */
export function isResolverCall(args: readonly unknown[]): boolean {
  const info = args.at(-1);
  return args.length >= 3 && isObject(info) && 'fieldName' in info && 'fieldNodes' in info;
}

/**
 * Returns the call of a resolver, or why it is not known.
 *
 * @param args of the resolver: root, arguments, context and info. Reference resolvers have no arguments
 */
export function graphqlCall(
  args: readonly unknown[],
  { credentials }: Pick<CallOptions, 'credentials'>,
): Call | string {
  const [context, info] = args.slice(-2) as [unknown, object];
  if (!isObject(context)) return HIDDEN;
  const { req, reply, request, connectionParams, _connectionInit } = context as GraphqlContext;
  const replied = isObject(reply) ? (reply as { readonly request?: unknown }).request : undefined;
  const { extra, connectionParams: ofConnection } = (isObject(req) ? req : {}) as GraphqlConnection;
  const given = extra?.request ?? req ?? replied ?? request;
  if (!isObject(given) || !hasHeaders(given)) return HIDDEN;
  // One context object for all requests, as Mercurius may have it: the credential could be another client's.
  if (isObject(replied) && given !== replied && given !== (replied as HttpRequest).raw) return SHARED;
  const own = args.length > 3 ? args[1] : undefined;
  const found = { id: info, foundBy: info, isFoundAlone: true, isSocket: false };
  const params = ofConnection ?? connectionParams ?? _connectionInit;
  if (params === undefined && !opensConnection(given)) {
    if (!replied && isOfAnother(given, context)) return SHARED;
    const response = (isObject(reply) ? reply : (given as { readonly res?: unknown }).res) as HttpResponse | undefined;
    return {
      ...found,
      request: callRequest(given, own),
      origin: given,
      owner: given,
      isOverConnection: false,
      response,
    };
  }
  if (isUsedAgain(context, info as { readonly operation?: unknown })) return SHARED;
  const opening = connectionRequest(given, own, headersIn(params), credentials);
  return { ...found, request: opening, origin: context, owner: context, isOverConnection: true, response: undefined };
}

const CONTEXTS = new WeakMap<object, Set<object>>();

/**
 * Whether a request belongs to other operations than the one with this context. A request has one operation, or those of a batch. `@nestjs/apollo`
 * up to 13 leaves the first request of all in a context that all share, and every client would be taken for the first one.
 */
function isOfAnother(request: HttpRequest, context: object): boolean {
  const contexts = CONTEXTS.get(request) ?? new Set();
  CONTEXTS.set(request, contexts);
  if (contexts.has(context)) return false;
  if (contexts.size >= (Array.isArray(request.body) ? request.body.length : 1)) return true;
  contexts.add(context);
  return false;
}

const OPERATIONS = new WeakMap<object, unknown>();

/** Whether the context of an operation over a connection was that of another: the connection may be another client's. */
function isUsedAgain(context: object, { operation }: { readonly operation?: unknown }): boolean {
  if (!OPERATIONS.has(context)) OPERATIONS.set(context, operation);
  return OPERATIONS.get(context) !== operation;
}

/** Clients of Mercurius may send headers in an object of their own. */
function headersIn(params: unknown): unknown {
  if (!isObject(params) || !Object.hasOwn(params, 'headers')) return params;
  return (params as { readonly headers: unknown }).headers ?? params;
}

function hasHeaders(request: object): request is HttpRequest {
  return isObject((request as HttpRequest).headers);
}
