/** What Express's and Fastify's responses have in common. */
export interface HttpResponse {
  header(name: string, value: string): unknown;
}
