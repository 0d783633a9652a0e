import { answerApiList, answerApiScopes } from './api-endpoints.js';
import type { EmulatorCounters } from './counters.js';
import type { EmulatedKinde } from './emulated-kinde.js';
import type { EmulatorAnswer, EmulatorRequest } from './exchange.js';
import type { KindeEmulatorEndpoint } from './faults.js';
import {
  answerKeyCreation,
  answerKeyList,
  answerKeyRead,
  answerKeyRevocation,
  answerKeyRotation,
} from './key-endpoints.js';
import { answerJwks, answerTokenRequest } from './token-endpoint.js';
import { answerVerify } from './verify-endpoint.js';

/** The endpoint of a request. */
export interface Route {
  /** Name of the endpoint for faults. */
  readonly endpoint: KindeEmulatorEndpoint;
  /** Counter that it increases, besides `requests`. */
  readonly counter: keyof EmulatorCounters | undefined;
  readonly answer: (kinde: EmulatedKinde, request: EmulatorRequest) => EmulatorAnswer;
}

type Answerer = (kinde: EmulatedKinde, request: EmulatorRequest, id: string) => EmulatorAnswer;

const ROUTES: readonly (readonly [
  method: string,
  path: RegExp,
  endpoint: KindeEmulatorEndpoint,
  counter: keyof EmulatorCounters | undefined,
  answer: Answerer,
])[] = [
  ['POST', /^\/oauth2\/token$/, 'token', 'tokenRequests', answerTokenRequest],
  ['GET', /^\/\.well-known\/jwks(?:\.json)?$/, 'jwks', 'jwksReads', answerJwks],
  ['POST', /^\/api\/v1\/api_keys\/verify$/, 'verify', 'verifies', answerVerify],
  ['GET', /^\/api\/v1\/api_keys$/, 'keys', 'lists', answerKeyList],
  ['POST', /^\/api\/v1\/api_keys$/, 'keys', 'changes', answerKeyCreation],
  ['GET', /^\/api\/v1\/api_keys\/([^/]+)$/, 'keys', 'reads', answerKeyRead],
  ['PUT', /^\/api\/v1\/api_keys\/([^/]+)$/, 'keys', 'changes', answerKeyRotation],
  ['DELETE', /^\/api\/v1\/api_keys\/([^/]+)$/, 'keys', 'changes', answerKeyRevocation],
  ['GET', /^\/api\/v1\/apis$/, 'apis', 'apiReads', answerApiList],
  ['GET', /^\/api\/v1\/apis\/([^/]+)\/scopes$/, 'apis', 'apiReads', answerApiScopes],
];

/** Returns the route of a method and a path, or `undefined`, which is answered with 404. */
export function findRoute(method: string, path: string): Route | undefined {
  for (const [routeMethod, pattern, endpoint, counter, answer] of ROUTES) {
    const match = method === routeMethod ? pattern.exec(path) : null;
    if (!match) continue;
    const id = decoded(match[1] ?? '');
    return { endpoint, counter, answer: (kinde, request) => answer(kinde, request, id) };
  }
  return undefined;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
