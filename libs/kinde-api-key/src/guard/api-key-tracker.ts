import { acceptedState, callerIdOf } from './request-state.js';

/**
 * Identifies the caller of a request for another rate limiter: the `getTracker` of `@nestjs/throttler`, whose guard has to run after
 * `ApiKeyGuard`.
 *
 * @param request the framework's request object, or the raw request behind Fastify's
 * @returns the id of the key that `ApiKeyGuard` accepted, which survives a rotation, or kind and id of another principal. Without a caller: the
 * client's address by the framework's own proxy settings. Without an address (a server on a Unix socket): `'unknown'`
 */
export function apiKeyTracker(request: unknown): string {
  const state = acceptedState(request);
  if (state) return callerIdOf(state);
  const address = (request as { readonly ip?: unknown } | null | undefined)?.ip;
  return typeof address === 'string' && address !== '' ? address : 'unknown';
}
