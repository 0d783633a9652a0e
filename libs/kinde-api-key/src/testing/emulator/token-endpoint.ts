import type { EmulatedKinde } from './emulated-kinde.js';
import { type EmulatorAnswer, type EmulatorRequest, jsonAnswer, mediaTypeOf } from './exchange.js';
import { oauthErrorAnswer } from './kinde-answers.js';

/** Answers `POST /oauth2/token`: an M2M token for client credentials, or an OAuth error. */
export function answerTokenRequest(kinde: EmulatedKinde, request: EmulatorRequest): EmulatorAnswer {
  if (mediaTypeOf(request.headers) !== 'application/x-www-form-urlencoded') {
    return oauthErrorAnswer('invalid_request', 'The content type must be application/x-www-form-urlencoded');
  }
  const form = new URLSearchParams(request.body.toString());
  const parameters = ['grant_type', 'client_id', 'client_secret', 'audience', 'scope'] as const;
  const repeated = parameters.find((name) => form.getAll(name).length > 1);
  if (repeated) return oauthErrorAnswer('invalid_request', `The parameter ${repeated} is repeated`);
  const missing = parameters.find((name) => name !== 'scope' && !form.get(name));
  if (missing) return oauthErrorAnswer('invalid_request', `The parameter ${missing} is missing`);
  if (form.get('grant_type') !== 'client_credentials') return oauthErrorAnswer('unsupported_grant_type');

  const application = kinde.applications.authenticate(form.get('client_id') ?? '', form.get('client_secret') ?? '');
  if (!application) return oauthErrorAnswer('invalid_client');
  const audience = form.get('audience') ?? '';
  if (!application.audiences.includes(audience)) return oauthErrorAnswer('unauthorized_client');
  const requested = (form.get('scope') ?? '').split(' ').filter((scope) => scope !== '');
  if (requested.some((scope) => !application.scopes.includes(scope))) return oauthErrorAnswer('invalid_scope');

  const scopes = requested.length === 0 ? application.scopes : requested;
  const accessToken = kinde.tokens.issue({
    clientId: application.clientId,
    audience: application.issuedAudience ?? [audience],
    scopes,
    lifetimeSeconds: application.tokenLifetimeSeconds,
    orgCode: application.orgCode,
  });
  kinde.counters.mints += 1;
  const lifetime = application.omitExpiresIn ? {} : { expires_in: application.tokenLifetimeSeconds };
  const body = { access_token: accessToken, ...lifetime, scope: scopes.join(' '), token_type: 'bearer' };
  return jsonAnswer(200, body, { 'cache-control': 'no-store' });
}

/** Answers `GET /.well-known/jwks`: the public key of the tokens' signatures. */
export function answerJwks(kinde: EmulatedKinde): EmulatorAnswer {
  return jsonAnswer(200, kinde.tokens.jwks());
}
