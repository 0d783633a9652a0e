import { resultOf, type ReadResult } from './management-answer.js';
import { isWireObject, ownField, unusable } from './wire.js';
import type { UnusableAnswer } from './wire.js';

/** Scope names of an API, with the ids that Kinde wants when a key is created. */
export type ScopeIds = ReadonlyMap<string, string>;

/** A registered API. */
export interface RegisteredApi {
  readonly apiId: string;
  /** The id, if Kinde names none. */
  readonly name: string;
  readonly isManagementApi: boolean;
  readonly scopeIds: ScopeIds;
}

/** The registered APIs of an environment. */
export interface RegisteredApis {
  readonly apis: readonly RegisteredApi[];
  /** Whether there are more than the answer lists. */
  readonly hasMore: boolean;
  /** What asks for them. Kinde documents the token, and not how to send it: elsewhere it is the parameter `next_token`. */
  readonly nextToken: string | null;
}

/** Reads an answer to `GET /api/v1/apis?expand=scopes`. */
export const readApis: ReadResult<RegisteredApis> = (answer) => {
  const listed = ownField(answer, 'apis');
  if (!Array.isArray(listed)) return unusable("'apis' is not an array");
  const apis: RegisteredApi[] = [];
  for (const wire of listed as unknown[]) {
    const api = apiOf(wire);
    if ('kind' in api) return api;
    apis.push(api);
  }
  const next = ownField(answer, 'next_token');
  return resultOf({ apis, hasMore: Boolean(next), nextToken: typeof next === 'string' && next !== '' ? next : null });
};

/** Reads an answer to `GET /api/v1/apis/{api_id}/scopes`. */
export const readApiScopes: ReadResult<ScopeIds> = (answer) => {
  const scopeIds = scopeIdsOf(ownField(answer, 'scopes'));
  return 'kind' in scopeIds ? scopeIds : resultOf(scopeIds);
};

function apiOf(wire: unknown): RegisteredApi | UnusableAnswer {
  if (!isWireObject(wire)) return unusable('an API is not an object');
  const apiId = ownField(wire, 'id');
  const name = ownField(wire, 'name');
  const isManagementApi = ownField(wire, 'is_management_api');
  // An API without scopes may come without the list.
  const scopeIds = scopeIdsOf(ownField(wire, 'scopes') ?? []);
  if (typeof apiId !== 'string' || apiId === '') return unusable("'id' of an API is not a string");
  if (typeof isManagementApi !== 'boolean') return unusable("'is_management_api' is not a boolean");
  if ('kind' in scopeIds) return scopeIds;
  return { apiId, name: typeof name === 'string' ? name : apiId, isManagementApi, scopeIds };
}

function scopeIdsOf(scopes: unknown): ScopeIds | UnusableAnswer {
  if (!Array.isArray(scopes)) return unusable("'scopes' is not an array");
  const scopeIds = new Map<string, string>();
  for (const scope of scopes as unknown[]) {
    const name = isWireObject(scope) ? ownField(scope, 'key') : undefined;
    const id = isWireObject(scope) ? ownField(scope, 'id') : undefined;
    if (typeof name !== 'string' || typeof id !== 'string') return unusable("a scope has no 'key' or no 'id'");
    scopeIds.set(name, id);
  }
  return scopeIds;
}
