import { Examination } from '../../doctor/examination.js';
import { listNames } from '../../doctor/finding.js';
import { listRegisteredApis, READ_APIS } from '../../doctor/registered-apis.js';
import { readClaims, scopesOf } from '../../kinde/answers/m2m-claims.js';
import { WHERE } from '../../kinde/misconfigured.js';
import { withKinde } from '../doctor/examine-environment.js';

/** What the decorators accept: RFC 6749, section 3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** The scopes of one registered API. */
export interface RegisteredScopes {
  /** Sorted. */
  readonly names: readonly string[];
  /** Names that no decorator accepts, for example because they contain a blank. */
  readonly unusable: readonly string[];
}

/**
 * Reads the scopes of the API that an environment names, or of its only one.
 *
 * @throws {Error} with the cure, if the API does not exist or cannot be read
 */
export function readRegisteredScopes(env: NodeJS.ProcessEnv): Promise<RegisteredScopes> {
  return withKinde(env, async ({ connection, options, verifier }) => {
    const mint = async (signal: AbortSignal) => (await verifier.token(signal)).reveal();
    const examination = new Examination({ connection, options, mint, routes: null });
    const token = (examination.token = await examination.mint());
    const registered = await listRegisteredApis(examination);
    if (!registered) throw new Error(whyNotListed(token));
    const { apis, isComplete } = registered;
    const { apiId } = options;
    const listed = listNames(apis.map(({ apiId: id, name }) => `${name} (${id})`));
    const isOnly = apiId === null && isComplete && apis.length === 1;
    const api = isOnly ? apis[0] : apis.find((one) => one.apiId === apiId);
    if (!api && apiId === null && apis.length > 0)
      throw new Error(`set KINDE_API_ID to one of the registered APIs: ${listed}`);
    if (!api) throw new Error(`KINDE_API_ID is not the id of a registered API; Kinde > Settings > APIs has: ${listed}`);
    const names = [...api.scopeIds.keys()].toSorted();
    if (names.length === 0)
      throw new Error('the API has no scopes: add them in Kinde > Settings > APIs > (the API) > Scopes');
    return { names: names.filter((name) => SCOPE.test(name)), unusable: names.filter((name) => !SCOPE.test(name)) };
  });
}

function whyNotListed(token: string): string {
  if (scopesOf(readClaims(token) ?? {}).includes(READ_APIS))
    return 'Kinde does not list the registered APIs now; "npx nestjs-kinde-api-key doctor" says why';
  return `the M2M application lacks the scope ${READ_APIS}: grant it in ${WHERE} > APIs > Kinde Management API > Manage scopes`;
}
