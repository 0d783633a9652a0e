import type { EmulatedKinde } from './emulated-kinde.js';
import { type EmulatorAnswer, type EmulatorRequest, jsonAnswer, mediaTypeOf } from './exchange.js';
import { oauthErrorAnswer } from './kinde-answers.js';

/** Scopes that any key may request, besides its own. */
const STANDARD_SCOPES = ['openid', 'profile', 'email', 'offline_access', 'offline'];
/** Lifetime of an exchanged token in seconds. */
const EXCHANGED_SECONDS = 3_600;

/** Answers `POST /oauth2/token`: an M2M token for client credentials, an access token for an API key, or an OAuth error. */
export function answerTokenRequest(kinde: EmulatedKinde, request: EmulatorRequest): EmulatorAnswer {
  if (mediaTypeOf(request.headers) !== 'application/x-www-form-urlencoded') {
    return oauthErrorAnswer('invalid_request', 'The content type must be application/x-www-form-urlencoded');
  }
  const form = new URLSearchParams(request.body.toString());
  const parameters = ['grant_type', 'client_id', 'client_secret', 'audience', 'scope'] as const;
  const repeated = parameters.find((name) => form.getAll(name).length > 1);
  if (repeated) return oauthErrorAnswer('invalid_request', `The parameter ${repeated} is repeated`);
  const key = /^bearer ([^\s]+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (key !== undefined && !form.has('client_id')) return answerExchange(kinde, key, form);
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

/** Answers an exchange of an API key, which is sent as a bearer. Kinde does not document the claims of the token. */
function answerExchange(kinde: EmulatedKinde, key: string, form: URLSearchParams): EmulatorAnswer {
  if (form.get('grant_type') !== 'client_credentials') return oauthErrorAnswer('unsupported_grant_type');
  const record = kinde.keys.find(key);
  if (record?.status !== 'active') return oauthErrorAnswer('invalid_client');
  const apis = record.apiIds.flatMap((id) => kinde.apis.get(id) ?? []);
  const audience = form.get('audience');
  if (audience !== null && !apis.some((api) => api.audience === audience))
    return oauthErrorAnswer('unauthorized_client');
  const requested = (form.get('scope') ?? '').split(' ').filter((scope) => scope !== '');
  const grantable = [...STANDARD_SCOPES, ...record.scopes];
  if (requested.some((scope) => !grantable.includes(scope))) return oauthErrorAnswer('invalid_scope');
  const scopes = requested.length === 0 ? record.scopes : requested;
  const accessToken = kinde.tokens.issue({
    clientId: record.keyId,
    audience: audience === null ? apis.map((api) => api.audience) : [audience],
    scopes,
    lifetimeSeconds: EXCHANGED_SECONDS,
    orgCode: record.orgCode,
    userId: record.userId,
  });
  kinde.counters.exchanges += 1;
  const body = {
    access_token: accessToken,
    expires_in: EXCHANGED_SECONDS,
    scope: scopes.join(' '),
    token_type: 'bearer',
  };
  return jsonAnswer(200, body, { 'cache-control': 'no-store' });
}

/** Answers `GET /.well-known/jwks`: the public key of the tokens' signatures. */
export function answerJwks(kinde: EmulatedKinde): EmulatorAnswer {
  return jsonAnswer(200, kinde.tokens.jwks());
}
