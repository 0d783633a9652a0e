import { getVerifiedApiKey } from './visit.js';

/**
 * Who a request comes from, for rate limiters of the app's own: the `getTracker` of `@nestjs/throttler`, whose guard then has to run after
 * `ApiKeyGuard`.
 *
 * @param request the framework's request object (Express's, or Fastify's own and not its `raw`)
 * @returns the id of the key that `ApiKeyGuard` accepted, which survives a rotation; where there is none, the client's address as the
 * framework's own proxy settings have it; where there is no address (a server on a Unix socket), `'unknown'`
 */
export function apiKeyTracker(request: unknown): string {
  const address = (request as { readonly ip?: unknown } | null | undefined)?.ip;
  return getVerifiedApiKey(request)?.keyId ?? (typeof address === 'string' && address !== '' ? address : 'unknown');
}
