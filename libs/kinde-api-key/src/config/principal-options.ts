import { CONNECT, type Principal } from '../api-key/principal.js';

/** An injectable class that implements `PrincipalSource`. */
export type PrincipalSourceClass = abstract new (
  // oxlint-disable-next-line typescript/no-explicit-any -- the constructor of an app's class may take anything
  ...args: any[]
) => {
  // oxlint-disable-next-line typescript/no-explicit-any -- Nest's execution context, which options do not know
  authenticate(context: any): Principal | null | Promise<Principal | null>;
};

/** An item of the option `principals`: a class of the app, or `kindeAccessTokens()` from `nestjs-kinde-api-key/tokens`. */
export type PrincipalSourceOption = PrincipalSourceClass | { readonly [CONNECT]: (connection: never) => object };

/** Whether a value may stand in the option `principals`. */
export function isPrincipalSource(given: unknown): given is PrincipalSourceOption {
  if (typeof given === 'function')
    return typeof (given.prototype as { authenticate?: unknown } | undefined)?.authenticate === 'function';
  return typeof given === 'object' && given !== null && CONNECT in given;
}
