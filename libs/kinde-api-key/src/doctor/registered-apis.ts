import { readApis, type RegisteredApi } from '../kinde/answers/apis-answer.js';
import { parseManagementAnswer } from '../kinde/answers/management-answer.js';
import { KindeTransportError } from '../kinde/http.js';
import { answerOf, type Examination, type RegisteredApiList } from './examination.js';

/** The scope of the M2M application that lists the registered APIs. */
export const READ_APIS = 'read:apis';

/** Maximum number of pages. Kinde's plans do not have as many APIs. */
const MAX_PAGES = 10;
/** A longer one does not fit into a URL. */
const MAX_TOKEN_LENGTH = 2_000;
/** The scopes of Kinde's own API alone have about 15 KB. */
const MAX_PAGE_BYTES = 1_048_576;

/** Lists the registered APIs with their scopes, page by page. @returns `undefined` if Kinde does not list them now, or not for this token */
export async function listRegisteredApis(examination: Examination): Promise<RegisteredApiList | undefined> {
  const found = new Map<string, RegisteredApi>();
  let path = '/api/v1/apis?expand=scopes';
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const answer = await answerOf(examination.ask('GET', path, { maxAnswerBytes: MAX_PAGE_BYTES }));
    const parsed = answer instanceof KindeTransportError ? undefined : parseManagementAnswer(answer, readApis);
    if (parsed?.kind !== 'result') return page === 0 ? undefined : listOf(found, false);
    const { apis, hasMore, nextToken } = parsed.result;
    const before = found.size;
    for (const api of apis) found.set(api.apiId, api);
    if (!hasMore) return listOf(found, true);
    // The same page again: the token was not understood.
    if (nextToken === null || nextToken.length > MAX_TOKEN_LENGTH || found.size === before) break;
    path = `/api/v1/apis?${new URLSearchParams({ expand: 'scopes', next_token: nextToken }).toString()}`;
  }
  return listOf(found, false);
}

function listOf(found: ReadonlyMap<string, RegisteredApi>, isComplete: boolean): RegisteredApiList {
  return { apis: [...found.values()].filter((api) => !api.isManagementApi), isComplete };
}
