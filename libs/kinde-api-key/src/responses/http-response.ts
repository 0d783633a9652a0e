/** The part of a response that Express and Fastify have in common. */
export interface HttpResponse {
  header(name: string, value: string): unknown;
}
