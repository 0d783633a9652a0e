import type { ExecutionContext } from '@nestjs/common';
import type { CONNECT, Principal } from '../api-key/principal.js';
import type { KindeConnection } from '../kinde/kinde-connection.js';

/**
 * Authenticates callers who have no API key: an injectable class of the app, named in the option `principals`. It is asked only about requests
 * without an API key.
 */
export interface PrincipalSource {
  /**
   * @param context the request, after the global guards that stand before `ApiKeyGuard`, and before interceptors and pipes
   * @returns the caller, a plain object; or `null` to decline, so that the next source is asked. What it throws reaches the app's exception
   * filters
   */
  authenticate(context: ExecutionContext): Principal | null | Promise<Principal | null>;
}

/** A source of the library's own, for the option `principals`: each registration connects it to Kinde. */
export interface ConnectedPrincipalSource {
  /** @internal */
  [CONNECT](connection: KindeConnection): PrincipalSource;
}
