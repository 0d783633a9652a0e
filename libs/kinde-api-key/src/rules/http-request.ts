/** What Express's and Fastify's requests have in common. Everything in it comes from outside and is of any shape. */
export interface HttpRequest {
  readonly headers?: unknown;
  /** Node's list of names and values, as they were sent. Fastify has it one level down. */
  readonly rawHeaders?: unknown;
  readonly raw?: { readonly rawHeaders?: unknown };
  readonly params?: unknown;
  readonly query?: unknown;
  readonly body?: unknown;
  /** The client's address, as the framework's own proxy settings have it. */
  readonly ip?: unknown;
}
