import { nearestName } from '../../nearest-name.js';
import { WHERE } from '../../kinde/misconfigured.js';
import type { Examination, RegisteredApiList } from '../examination.js';
import { listNames, ok, problem, warning, type Finding } from '../finding.js';
import { listRegisteredApis, READ_APIS } from '../registered-apis.js';

const MENU = 'Kinde > Settings > APIs';

/** Whether `apiId` names a registered API, and whether one is needed. Then whether the scopes in decorators exist there. */
export async function checkApis(examination: Examination): Promise<readonly Finding[]> {
  const { token, options, routes } = examination;
  if (!token) return [];
  const registered = (examination.registered = await listRegisteredApis(examination));
  if (!registered) return options.apiId === null && !routes?.length ? [] : [notListed(examination)];
  const [finding, known] = apiFinding(registered, options.apiId);
  return known ? [finding, ...(routes ? scopeFindings(examination, known) : [])] : [finding];
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

type Apis = RegisteredApiList['apis'];

/** Returns the finding, and the APIs whose keys are accepted if all of them are known. */
function apiFinding({ apis, isComplete }: RegisteredApiList, apiId: string | null): readonly [Finding, Apis | null] {
  const names = listNames(apis.map(({ apiId: id, name }) => `${name} (${id})`));
  const own = apis.filter((one) => one.apiId === apiId);
  const [api] = own;
  if (api) return [ok('API_ID', `apiId is ${api.name}`), own];
  if (!isComplete && apiId !== null) {
    const seen = `Kinde does not list all registered APIs; of the first ${apis.length}, none has the id ${apiId}`;
    const means = 'apiId and the scope names in decorators are not compared with Kinde';
    return [warning('API_ID', seen, means, `Compare KINDE_API_ID with ${MENU} > (the API) > Details`), null];
  }
  if (apiId !== null) {
    const means = 'Every key is refused, because it does not belong to that API';
    const cure = `Set KINDE_API_ID to an id of ${MENU}: ${names}`;
    return [problem('API_ID', `no registered API has the id ${apiId}`, means, cure), apis];
  }
  if (apis.length <= 1 && isComplete) return [ok('API_ID', `registered APIs: ${names}`), apis];
  const means = 'Without apiId, a key of any of them is accepted';
  const cure = `Set KINDE_API_ID to the id of this API, from ${MENU}`;
  const seen = `${isComplete ? apis.length : `More than ${apis.length}`} APIs are registered: ${names}`;
  return [warning('API_ID', seen, means, cure), isComplete ? apis : null];
}

/** A scope that a route requires, and whether a request may have another one instead. */
interface RequiredScope {
  readonly route: string;
  readonly isOneOfSeveral: boolean;
}

function scopeFindings({ routes }: Examination, apis: Apis): Finding[] {
  const registered = [...new Set(apis.flatMap(({ scopeIds }) => [...scopeIds.keys()]))];
  const required = new Map<string, RequiredScope>();
  for (const { route, access } of routes ?? []) {
    for (const scope of access.requiredScopes)
      if (required.get(scope)?.isOneOfSeveral !== false) required.set(scope, { route, isOneOfSeveral: false });
    for (const list of access.requiredAnyOf)
      for (const scope of list)
        if (!required.has(scope)) required.set(scope, { route, isOneOfSeveral: list.length > 1 });
  }
  const problems = [...required]
    .filter(([scope]) => !registered.includes(scope))
    .map(([scope, one]) => unknownScope(scope, one, nearestName(scope, registered)));
  const unused = registered.filter((scope) => !required.has(scope));
  return [
    ...(problems.length > 0 || required.size === 0
      ? problems
      : [ok('ROUTE_SCOPES', `all ${required.size} scopes in decorators are registered`)]),
    ...(unused.length > 0 ? [ok('UNUSED_SCOPES', `no route requires: ${listNames(unused)}`)] : []),
  ];
}

function unknownScope(scope: string, { route, isOneOfSeveral }: RequiredScope, nearest: string | undefined): Finding {
  const seen = `${route} requires '${scope}', which is not registered${nearest ? `; did you mean '${nearest}'?` : ''}`;
  const means = `No key can have this scope: ${isOneOfSeveral ? 'only the others of the list let a request in' : 'every request to the route gets 403'}`;
  const cure = `Correct the decorator, or add the scope in ${MENU} > (the API) > Scopes`;
  return problem('ROUTE_SCOPES', seen, means, cure);
}
