import type { RefusalReason } from '../../api-key/verdict.js';
import type { VerifiedApiKey } from '../../api-key/verified-api-key.js';
import { KindeTransportError } from '../../kinde/http.js';
import { apiKeyUrl } from '../../kinde/answers/api-key-details.js';
import { readApiKeyDetails } from '../../kinde/answers/api-keys-answer.js';
import { parseManagementAnswer } from '../../kinde/answers/management-answer.js';
import { parseVerifyAnswer } from '../../kinde/answers/verify-answer.js';
import { decideAccess } from '../../rules/access-decision.js';
import { answerOf, type Examination, type RouteRequirement } from '../examination.js';
import { listNames, ok, problem, warning, type Finding } from '../finding.js';

const KEYS_MENU = 'Kinde > (the user or the organization) > API keys';

const STATES: Readonly<Record<Exclude<RefusalReason, 'other_api'>, readonly [seen: string, cure: string]>> = {
  unknown: [
    'Kinde does not know the key',
    `Compare the key with the one that was issued, and the environment ('domain'). A lost key is replaced in ${KEYS_MENU}`,
  ],
  revoked: ['the key was revoked', `Create a new key in ${KEYS_MENU} > Add API key`],
  inactive: ['the key is not active', `Activate it, or create a new key, in ${KEYS_MENU}`],
};

/** What Kinde answers about one key: its state, owner, scopes and API, and which routes it may call. */
export async function checkKey(examination: Examination): Promise<readonly Finding[]> {
  const { token, rawKey, routes } = examination;
  if (!token || !rawKey) return [];
  const answer = await answerOf(
    examination.ask('POST', '/api/v1/api_keys/verify', { body: { api_key: rawKey.reveal() } }),
  );
  const parsed = answer instanceof KindeTransportError ? undefined : parseVerifyAnswer(answer);
  if (parsed?.kind === 'token_rejected') return [refused('unknown')];
  if (parsed?.kind !== 'verdict') {
    const seen = answer instanceof KindeTransportError ? answer.message : `Kinde answered ${answer.status}`;
    return [warning('KEY_STATE', seen, 'The state of the key is not known', 'Run the doctor again later')];
  }
  if (!parsed.verdict.accepted) return [refused(parsed.verdict.reason)];
  const { apiKey } = parsed.verdict;
  return [
    ok('KEY_STATE', `active, ${ownerOf(apiKey)}, scopes: ${listNames(apiKey.scopes)} (${apiKey.keyId})`),
    ...(await apiFindings(examination, apiKey)),
    ...(routes ? [routeFinding(routes, apiKey)] : []),
  ];
}

function refused(reason: RefusalReason): Finding {
  const [seen, cure] = STATES[reason === 'other_api' ? 'unknown' : reason];
  return problem('KEY_STATE', seen, 'Requests with the key get 401', cure);
}

function ownerOf({ ownerType, userId, orgCode }: VerifiedApiKey): string {
  if (ownerType === 'user') return `of the user ${userId}${orgCode ? ` in ${orgCode}` : ''}`;
  return ownerType === 'organization' ? `of the organization ${orgCode}` : 'of the whole environment';
}

/** Which API the key belongs to. Without `apiId` it decides nothing, and is told if Kinde answers. */
async function apiFindings(examination: Examination, { keyId }: VerifiedApiKey): Promise<Finding[]> {
  const { options, registered } = examination;
  const { apiId, origin } = options;
  const path = apiKeyUrl('', keyId);
  if (path === undefined) return [];
  const answer = await answerOf(examination.ask('GET', path));
  const read = readApiKeyDetails(keyId);
  const parsed = answer instanceof KindeTransportError ? undefined : parseManagementAnswer(answer, read);
  if (parsed?.kind !== 'result') {
    const seen = `the API of the key cannot be read from ${origin}`;
    return apiId === null
      ? []
      : [warning('KEY_API', seen, 'With apiId, the key gets 503', 'Run the doctor again later')];
  }
  const { apiIds } = parsed.result;
  const nameOf = (id: string) => registered?.apis.find((api) => api.apiId === id)?.name;
  const names = listNames(apiIds.map((id) => (nameOf(id) ? `${nameOf(id)} (${id})` : id)));
  if (apiId === null) return [ok('KEY_API', `the key belongs to the API ${names}`)];
  if (apiIds.includes(apiId)) return [ok('KEY_API', 'the key belongs to the API of apiId')];
  const means = 'Requests with the key get 401 INVALID_KEY';
  const cure = `Create a key for this API in ${KEYS_MENU} > Add API key, or correct apiId`;
  return [problem('KEY_API', `the key belongs to another API than apiId: ${names}`, means, cure)];
}

function routeFinding(routes: readonly RouteRequirement[], apiKey: VerifiedApiKey): Finding {
  const reasons = routes.map((route) => [route.route, whyNot(route, apiKey)] as const);
  const allowed = reasons.filter(([, why]) => why === null).map(([route]) => route);
  const refusedRoutes = reasons.flatMap(([route, why]) => (why === null ? [] : [`${route} (${why})`]));
  const seen = `may call ${allowed.length} of ${routes.length} routes: ${allowed.join(', ') || 'none'}`;
  if (refusedRoutes.length === 0) return ok('KEY_ROUTES', seen);
  return ok(
    'KEY_ROUTES',
    seen,
    `may not call: ${refusedRoutes.join('; ')}. Scopes of a key cannot be changed: create another`,
  );
}

/** Returns why a key may not call a route, or `null`. Whose organization a request is about is not known here. */
function whyNot({ access }: RouteRequirement, apiKey: VerifiedApiKey): string | null {
  const missing = access.requiredScopes.filter((scope) => !apiKey.scopes.includes(scope));
  if (missing.length > 0) return `lacks ${missing.join(', ')}`;
  const refusal = decideAccess(access, apiKey, true);
  if (refusal?.code === 'INSUFFICIENT_SCOPE') return 'lacks one of several scopes';
  return refusal && (refusal.code === 'USER_REQUIRED' ? 'has no user' : 'has no organization');
}
