import type { KindeEmulatorApi } from './api-catalogue.js';
import { type EmulatedKinde, withScope } from './emulated-kinde.js';
import { type EmulatorAnswer, type EmulatorRequest, jsonAnswer } from './exchange.js';
import { errorAnswer } from './kinde-answers.js';

/** Answers `GET /api/v1/apis`: the registered APIs, with their scopes if the query has `expand=scopes`. */
export function answerApiList(kinde: EmulatedKinde, request: EmulatorRequest): EmulatorAnswer {
  return withScope(kinde, request, 'read:apis', () => {
    const expanded = (request.query.get('expand') ?? '').split(',').includes('scopes');
    const apis = kinde.apis.all().map((api) => wireApi(api, expanded));
    return jsonAnswer(200, { code: 'OK', message: 'Success', next_token: null, apis });
  });
}

/** Answers `GET /api/v1/apis/{id}/scopes`. */
export function answerApiScopes(kinde: EmulatedKinde, request: EmulatorRequest, apiId: string): EmulatorAnswer {
  return withScope(kinde, request, 'read:api_scopes', () => {
    const api = kinde.apis.get(apiId);
    if (!api) return errorAnswer(404, 'API_NOT_FOUND', 'There is no API with this id');
    const scopes = api.scopes.map(({ id, key }) => ({ id, key, description: key }));
    return jsonAnswer(200, { code: 'OK', message: 'Success', scopes });
  });
}

function wireApi(api: KindeEmulatorApi, expanded: boolean): Readonly<Record<string, unknown>> {
  const { id, name, audience, isManagementApi, scopes } = api;
  return { id, name, audience, is_management_api: isManagementApi, ...(expanded ? { scopes } : {}) };
}
