import { readApis } from '../../kinde/answers/apis-answer.js';
import { parseManagementAnswer } from '../../kinde/answers/management-answer.js';
import { KindeTransportError } from '../../kinde/http.js';
import { WHERE } from '../../kinde/misconfigured.js';
import { answerOf, type Examination } from '../examination.js';
import { ok, problem, warning, type Finding } from '../finding.js';
import { nearestName } from '../../nearest-name.js';

/** The scope of the M2M application that lists the registered APIs. */
export const READ_APIS = 'read:apis';

const MENU = 'Kinde > Settings > APIs';

/** Whether `apiId` names a registered API, and whether one is needed. Then whether the scopes in decorators exist there. */
export async function checkApis(examination: Examination): Promise<readonly Finding[]> {
  const { token, options, routes } = examination;
  if (!token) return [];
  const answer = await answerOf(examination.ask('GET', '/api/v1/apis?expand=scopes'));
  const parsed = answer instanceof KindeTransportError ? undefined : parseManagementAnswer(answer, readApis);
  if (parsed?.kind === 'result') examination.apis = parsed.result.apis.filter((api) => !api.isManagementApi);
  const { apis } = examination;
  if (!apis) return options.apiId === null && !routes?.length ? [] : [notListed(examination)];
  const [finding, known] = apiFinding(apis, options.apiId);
  return [finding, ...(routes ? scopeFindings(examination, known) : [])];
}

function notListed({ grantedScopes }: Examination): Finding {
  const isMissing = !grantedScopes.includes(READ_APIS);
  const seen = isMissing
    ? 'the token may not list the registered APIs (read:apis)'
    : 'the registered APIs cannot be read';
  const means = 'apiId and the scope names in decorators are not compared with Kinde';
  const cure = isMissing
    ? `Grant read:apis in ${WHERE} > APIs > Kinde Management API > Manage scopes`
    : 'Run the doctor again later';
  return warning('API_ID', seen, means, cure);
}

type Apis = NonNullable<Examination['apis']>;

/** Returns the finding, and the APIs whose keys are accepted. */
function apiFinding(apis: Apis, apiId: string | null): readonly [Finding, Apis] {
  const names = apis.map(({ apiId: id, name }) => `${name} (${id})`).join(', ') || 'none';
  const own = apis.filter((one) => one.apiId === apiId);
  const [api] = own;
  if (api) return [ok('API_ID', `apiId is ${api.name}`), own];
  if (apiId !== null) {
    const means = 'Every key is refused, because it does not belong to that API';
    const cure = `Set KINDE_API_ID to an id of ${MENU}: ${names}`;
    return [problem('API_ID', `no registered API has the id ${apiId}`, means, cure), apis];
  }
  if (apis.length <= 1) return [ok('API_ID', `registered APIs: ${names}`), apis];
  const means = 'Without apiId, a key of any of them is accepted';
  const cure = `Set KINDE_API_ID to the id of this API, from ${MENU}`;
  return [warning('API_ID', `${apis.length} APIs are registered: ${names}`, means, cure), apis];
}

function scopeFindings({ routes }: Examination, apis: Apis): Finding[] {
  const registered = [...new Set(apis.flatMap(({ scopeIds }) => [...scopeIds.keys()]))];
  const required = new Map<string, string>();
  for (const { route, access } of routes ?? [])
    for (const scope of [...access.requiredScopes, ...access.requiredAnyOf.flat()])
      if (!required.has(scope)) required.set(scope, route);
  const unknown = [...required].filter(([scope]) => !registered.includes(scope));
  const problems = unknown.map(([scope, route]) => {
    const nearest = nearestName(scope, registered);
    const seen = `${route} requires '${scope}', which is not registered${nearest ? `; did you mean '${nearest}'?` : ''}`;
    const means = 'No key can have this scope: every request to the route gets 403';
    return problem(
      'ROUTE_SCOPES',
      seen,
      means,
      `Correct the decorator, or add the scope in ${MENU} > (the API) > Scopes`,
    );
  });
  const unused = registered.filter((scope) => !required.has(scope));
  return [
    ...(problems.length > 0 || required.size === 0
      ? problems
      : [ok('ROUTE_SCOPES', `all ${required.size} scopes in decorators are registered`)]),
    ...(unused.length > 0 ? [ok('UNUSED_SCOPES', `no route requires: ${unused.join(', ')}`)] : []),
  ];
}
