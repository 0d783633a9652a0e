export type { KindeAccessTokenPrincipal } from './access-token-claims.js';
export { kindeAccessTokens, type KindeAccessTokensOptions } from './kinde-access-tokens.js';
