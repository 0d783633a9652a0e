// Metadata keys of Nest's own decorators, the same in Nest 10, 11 and 12. Nest 12 does not export them, and the packages may not be installed.
export const PATH = 'path';
export const METHOD = 'method';
export const HOST = 'host';
export const VERSION = '__version__';
export const GUARDS = '__guards__';
export const MODULE_PATH = '__module_path__';
/** `@Sse()`. */
export const SSE = '__sse__';
/** `@MessagePattern()`, `@EventPattern()` and their like, of @nestjs/microservices. */
export const MESSAGE_PATTERN = 'microservices:pattern';
/** `@WebSocketGateway()`, of @nestjs/websockets. */
export const GATEWAY = 'websockets:is_gateway';
/** `@SubscribeMessage()`, of @nestjs/websockets. */
export const SUBSCRIBED_MESSAGE = 'websockets:message_mapping';
/** `@Query()`, `@Mutation()` and `@Subscription()`, of @nestjs/graphql. */
export const RESOLVER_TYPE = 'graphql:resolver_type';
/** `@ResolveField()`, of @nestjs/graphql. */
export const RESOLVED_FIELD = 'graphql:resolve_property';
/** `@ResolveReference()`, of @nestjs/graphql. */
export const RESOLVED_REFERENCE = 'graphql:resolve_reference';
/** Under this token, @nestjs/graphql provides its options. */
export const GRAPHQL_OPTIONS = 'GqlModuleOptions';
