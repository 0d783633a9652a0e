import type { ExecutionContext } from '@nestjs/common';
import type { Principal } from '../api-key/principal.js';
import type { KindeConnection } from '../kinde/kinde-connection.js';

/**
 * Authenticates callers who have no API key: an injectable class of the app, named in the option `principals`. It is asked only about requests
 * without an API key.
 */
export interface PrincipalSource {
  /**
   * @param context the request, after the app's global guards that stand before `ApiKeyGuard` and before any pipe
   * @returns the caller, or `null` to decline: then the next source is asked. What it throws reaches the app's exception filters
   */
  authenticate(context: ExecutionContext): Principal | null | Promise<Principal | null>;
}

/** Marks a {@link ConnectedPrincipalSource} in every copy of the library. */
export const CONNECT = Symbol.for('nestjs-kinde-api-key:connect');

/** A source of the library's own, for the option `principals`. It is made for each registration, from its connection to Kinde. */
export interface ConnectedPrincipalSource {
  /** @internal */
  [CONNECT](connection: KindeConnection): PrincipalSource;
}
