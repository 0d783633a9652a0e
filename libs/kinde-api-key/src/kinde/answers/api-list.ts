import type { KindeResponse } from '../http.js';
import { isWireObject, ownField, parseJsonAnswer } from './wire.js';

/** An API that is registered in Kinde, without Kinde's own Management API. */
export interface RegisteredApi {
  readonly id: string;
  readonly name: string;
  /** Names of its scopes. */
  readonly scopes: readonly string[];
}

/**
 * Parses a 200 of `GET /api/v1/apis?expand=scopes`. Pure, and never throws.
 *
 * @returns the APIs, or `undefined` for an answer of another shape
 */
export function parseApiList(response: KindeResponse): readonly RegisteredApi[] | undefined {
  const answer = parseJsonAnswer(response);
  const list = typeof answer === 'string' ? undefined : ownField(answer, 'apis');
  if (response.status !== 200 || !Array.isArray(list)) return undefined;
  const apis: RegisteredApi[] = [];
  for (const item of list as unknown[]) {
    const api = parseApi(item);
    if (!api) return undefined;
    if (!api.isManagementApi) apis.push(api);
  }
  return apis;
}

function parseApi(item: unknown): (RegisteredApi & { readonly isManagementApi: boolean }) | undefined {
  if (!isWireObject(item)) return undefined;
  const [id, name, scopes = []] = [ownField(item, 'id'), ownField(item, 'name'), ownField(item, 'scopes')];
  if (typeof id !== 'string' || !Array.isArray(scopes)) return undefined;
  const keys = (scopes as unknown[]).map((scope) => (isWireObject(scope) ? ownField(scope, 'key') : undefined));
  if (!keys.every((key) => typeof key === 'string')) return undefined;
  return {
    id,
    name: typeof name === 'string' ? name : id,
    scopes: keys,
    isManagementApi: ownField(item, 'is_management_api') === true,
  };
}
