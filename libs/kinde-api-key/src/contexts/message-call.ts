import type { ApiKeyCredential } from '../config/credential-options.js';
import type { RpcCredential } from '../config/rpc-options.js';
import { isObject, type HttpRequest } from '../rules/http-request.js';
import type { Call } from './call.js';
import { callRequest, connectionRequest } from './call-request.js';
import { handshakeOf } from './handshakes.js';

const NO_HANDSHAKE =
  'the request that opened the connection is not known: use the adapter of @nestjs/platform-socket.io or of @nestjs/platform-ws';
const NO_CREDENTIAL = 'it does not know where the key is in a message: set the option rpcCredential';
const PROMISED = 'the option rpcCredential returned a promise: let it return the text of the key';

/** Where the key of a call is. */
export interface CallOptions {
  /** At least one. Names of headers in lower case. */
  readonly credentials: readonly ApiKeyCredential[];
  /** `null`: messages of microservices are refused. */
  readonly rpcCredential: RpcCredential | null;
}

/** What socket.io tells about a client. */
interface SocketIoClient {
  readonly handshake?: HttpRequest & { readonly auth?: unknown };
  readonly request?: HttpRequest;
}

/**
 * Returns the call of a gateway, or why it is not known. The key is where the client opened the connection: it sends it once.
 *
 * @param args of the handler: client, payload, and what the adapter adds
 */
export function socketCall(args: readonly unknown[], handler: object, { credentials }: CallOptions): Call | string {
  const [client, payload] = args as readonly [object, unknown];
  const { handshake, request = handshake } = client as SocketIoClient;
  const opened = isObject(handshake) ? request : handshakeOf(client);
  if (!isObject(opened)) return NO_HANDSHAKE;
  const opening = connectionRequest(opened, payload, handshake?.auth, credentials);
  return {
    ...messageOf(args, client, socketFoundBy(args, handler), opening),
    isFoundAlone: isObject(payload),
    isSocket: true,
  };
}

/** Returns the call of a microservice's handler, or why it is not known. What the app's function throws is not caught. */
export function rpcCall(args: readonly unknown[], handler: object, options: CallOptions): Call | string {
  const { rpcCredential, credentials } = options;
  if (!rpcCredential) return NO_CREDENTIAL;
  const [data, context] = args;
  const given: unknown = rpcCredential(data, context);
  if (isObject(given) && typeof (given as Partial<PromiseLike<unknown>>).then === 'function') {
    // It is not waited for, and its failure would end the process.
    Promise.resolve(given).catch(() => undefined);
    return PROMISED;
  }
  const [{ header, scheme } = { header: '' }] = credentials;
  const text = scheme !== undefined && typeof given === 'string' && !given.includes(' ') ? `${scheme} ${given}` : given;
  const headers = given === undefined || given === null ? {} : { [header]: text };
  const owner = isObject(context) ? context : args;
  return messageOf(args, owner, rpcFoundBy(args, handler), callRequest({ headers }, data));
}

function messageOf(args: readonly unknown[], owner: object, foundBy: object, request: HttpRequest): Call {
  return {
    request,
    id: args,
    foundBy,
    isFoundAlone: true,
    isSocket: false,
    origin: args,
    owner,
    isOverConnection: true,
    response: undefined,
  };
}

const KEYS = new WeakMap<object, WeakMap<object, object>>();

/** Nest passes guards and parameter decorators no object in common. One handler gets a parsed payload once, and a client sends for one key. */
export function socketFoundBy([client, payload]: readonly unknown[], handler: object): object {
  return keyOf(isObject(payload) ? payload : (client as object), handler);
}

/** Returns what parameter decorators find a message of a microservice by. */
export function rpcFoundBy(args: readonly unknown[], handler: object): object {
  return keyOf(args.find(isObject) ?? args, handler);
}

function keyOf(owner: object, handler: object): object {
  let keys = KEYS.get(owner);
  if (!keys) KEYS.set(owner, (keys = new WeakMap()));
  let key = keys.get(handler);
  if (!key) keys.set(handler, (key = {}));
  return key;
}

/** Whether arguments are those of a gateway's handler. */
export function isSocketCall(args: readonly unknown[]): boolean {
  return args.length >= 2 && isObject(args[0]);
}
