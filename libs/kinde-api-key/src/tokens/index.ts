export type { KindeAccessTokenPrincipal } from './access-token-claims.js';
export { ApiKeyTokenExchange, type ApiKeyTokenOptions } from './api-key-token-exchange.js';
export { kindeAccessTokens, type KindeAccessTokensOptions } from './kinde-access-tokens.js';
export { KindeTokenExchangeError, type KindeTokenExchangeErrorCode } from '../kinde-api-key.errors.js';
