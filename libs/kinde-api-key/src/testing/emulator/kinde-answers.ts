import { type EmulatorAnswer, jsonAnswer } from './exchange.js';

/** An error of Kinde's Management API: `errors` is an array, except in a 404, where it is one object. */
export function errorAnswer(status: number, code: string, message: string): EmulatorAnswer {
  const error = { code, message };
  return jsonAnswer(status, { errors: status === 404 ? error : [error] });
}

/** The errors of the token endpoint that Kinde documents, plus the two that RFC 6749 adds where nothing else fits. */
export type OAuthErrorCode =
  | 'invalid_client'
  | 'unauthorized_client'
  | 'invalid_scope'
  | 'invalid_request'
  | 'unsupported_grant_type'
  | 'server_error';

const OAUTH_DESCRIPTIONS: Readonly<Record<OAuthErrorCode, string>> = {
  invalid_client: 'Client authentication failed',
  unauthorized_client: 'The client is not authorized for the requested audience',
  invalid_scope: 'The requested scope is invalid, unknown, or not granted to the client',
  invalid_request: 'The request is missing a parameter, repeats one, or is otherwise malformed',
  unsupported_grant_type: 'The grant type is not supported',
  server_error: 'The authorization server met an unexpected condition',
};

/** An error of the token endpoint (RFC 6749 §5.2): 401 for `invalid_client`, 400 for the others, unless `status` says else. */
export function oauthErrorAnswer(
  error: OAuthErrorCode,
  description: string = OAUTH_DESCRIPTIONS[error],
  status: number = error === 'invalid_client' ? 401 : 400,
): EmulatorAnswer {
  return jsonAnswer(status, { error, error_description: description }, { 'cache-control': 'no-store' });
}

/** Kinde's way of writing a time: to the second, with an offset of two digits (`2024-11-18T02:32:03+00`). Always UTC here. */
export function kindeTimestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}+00`;
}
