import { type EmulatorAnswer, jsonAnswer } from './exchange.js';

/** Returns an error of Kinde's Management API. `errors` is an array, but one object in a 404. */
export function errorAnswer(status: number, code: string, message: string): EmulatorAnswer {
  const error = { code, message };
  return jsonAnswer(status, { errors: status === 404 ? error : [error] });
}

/** Returns Kinde's 404 for a path that its API does not have. */
export function noRouteAnswer(): EmulatorAnswer {
  return errorAnswer(404, 'ROUTE_NOT_FOUND', 'The requested API route does not exist');
}

/** Errors of the token endpoint: four that Kinde documents, and two of RFC 6749. */
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

/** Returns an error of the token endpoint (RFC 6749 §5.2). Default status: 401 for `invalid_client`, else 400. */
export function oauthErrorAnswer(
  error: OAuthErrorCode,
  description: string = OAUTH_DESCRIPTIONS[error],
  status: number = error === 'invalid_client' ? 401 : 400,
): EmulatorAnswer {
  return jsonAnswer(status, { error, error_description: description }, { 'cache-control': 'no-store' });
}

/** Formats a time as Kinde does: UTC, to the second, with a two-digit offset (`2024-11-18T02:32:03+00`). */
export function kindeTimestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}+00`;
}
