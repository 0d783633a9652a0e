/** The part of a request that Express and Fastify have in common. Its content is the client's and may have any shape. */
export interface HttpRequest {
  readonly headers?: unknown;
  /** Node's list of header names and values, as sent. Fastify keeps it on `raw`. */
  readonly rawHeaders?: unknown;
  readonly raw?: { readonly rawHeaders?: unknown };
  readonly url?: unknown;
  readonly params?: unknown;
  readonly query?: unknown;
  readonly body?: unknown;
  /** The arguments of a GraphQL field, or the payload of a message. HTTP requests have none. */
  readonly args?: unknown;
  /** The client's address, according to the framework's own proxy settings. */
  readonly ip?: unknown;
}

/** Whether a value has fields. A request has fields of any kind: an app on Express may give it a `raw` that is a text. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
