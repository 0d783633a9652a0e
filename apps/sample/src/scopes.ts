import { defineScopes } from 'nestjs-kinde-api-key';

/** All scopes of this API, spelled as in Kinde (Settings > APIs > this API > Scopes). */
export const SCOPES = ['read:projects', 'write:projects', 'read:users', 'write:users', 'manage:keys'] as const;

/** Scope decorators for these scopes. A typo in a controller does not compile. */
export const { RequireScopes, RequireAnyScope } = defineScopes(SCOPES);
