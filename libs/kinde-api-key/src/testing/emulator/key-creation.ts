import type { ApiCatalogue } from './api-catalogue.js';
import type { KindeEmulatorKeyOptions, KindeEmulatorKeyType } from './key-store.js';

/**
 * Reads the body of `POST /api/v1/api_keys`.
 *
 * @param body The parsed JSON object, or `undefined` if the body is not one.
 * @returns The options of the key, or the name of the first field that is missing or wrong.
 */
export function parseKeyCreation(
  apis: ApiCatalogue,
  body: Readonly<Record<string, unknown>> | undefined,
): { readonly options: KindeEmulatorKeyOptions } | { readonly wrong: string } {
  if (!body) return { wrong: 'body' };
  const name = body['name'];
  if (!isText(name)) return { wrong: 'name' };
  const apiId = body['api_id'];
  const api = isText(apiId) ? apis.get(apiId) : undefined;
  if (!api) return { wrong: 'api_id' };
  const type = body['type'];
  if (!isKeyType(type)) return { wrong: 'type' };
  const userId = body['user_id'] ?? null;
  if (userId === null ? type === 'user' : !isText(userId)) return { wrong: 'user_id' };
  const orgCode = body['org_code'] ?? null;
  if (orgCode === null ? type === 'organization' : !isText(orgCode)) return { wrong: 'org_code' };
  const scopeIds: unknown = body['scope_ids'] ?? [];
  if (!Array.isArray(scopeIds)) return { wrong: 'scope_ids' };
  const scopes = scopeIds.map((id) => api.scopes.find((scope) => scope.id === id)?.key);
  if (!scopes.every((scope) => scope !== undefined)) return { wrong: 'scope_ids' };
  return {
    options: { name, apiId: api.id, type, userId: userId as string | null, orgCode: orgCode as string | null, scopes },
  };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isKeyType(value: unknown): value is KindeEmulatorKeyType {
  return value === 'user' || value === 'organization' || value === 'environment';
}
