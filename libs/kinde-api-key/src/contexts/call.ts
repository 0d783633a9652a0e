import type { HttpRequest } from '../rules/http-request.js';
import type { HttpResponse } from '../responses/http-response.js';

/** One call of a handler that is no HTTP route: a field of a GraphQL operation, a message of a socket or a microservice. */
export interface Call {
  /** Carries the credential. Its `args` are those of this call; it has no params, query and body. */
  readonly request: HttpRequest;
  /** What stands for this call alone, for every guard before it. */
  readonly id: object;
  /** What parameter decorators find the call by. */
  readonly foundBy: object;
  /** Whether nothing else is found by it. Else it tells whose call it is, and nothing more. */
  readonly isFoundAlone: boolean;
  /** What is verified, counted and reported once: the HTTP request of all its resolvers, an operation over a connection, a message. */
  readonly origin: object;
  /** What other code of the app may know: the HTTP request, the context of the operation, the socket. */
  readonly owner: object;
  /** Whether {@link owner} is the client's socket. */
  readonly isSocket: boolean;
  /** Whether it came over a connection, which may outlive its key. */
  readonly isOverConnection: boolean;
  /** Where headers of an answer can be set. */
  readonly response: HttpResponse | undefined;
}
