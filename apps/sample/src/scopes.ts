import { defineScopes } from 'nestjs-kinde-api-key';

/** Every scope of this API, spelled as in Kinde (Settings > APIs > this API > Scopes). */
export const SCOPES = ['read:projects', 'write:projects', 'read:users', 'write:users'] as const;

/** The scope decorators for exactly these scopes: a typo in a controller does not compile. */
export const { RequireScopes, RequireAnyScope } = defineScopes(SCOPES);
