import 'reflect-metadata';
import type { ExecutionContext } from '@nestjs/common';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import { CurrentApiKey, OrgCode, ScopedResource, UserId } from './parameter.decorators.js';
import type { RouteRule } from '../rules/route-rule.js';
import { keepState, stateOf } from './request-state.js';

const KEY = { keyId: 'api_key_1', orgCode: 'org_a', userId: null } as VerifiedApiKey;

interface ParameterMetadata {
  readonly index: number;
  readonly factory: (data: unknown, context: ExecutionContext) => unknown;
}

/** What a handler is given, as Nest works it out from the metadata that parameter decorators leave. */
function parametersFor(request: object): unknown[] {
  class Controller {
    find(
      @CurrentApiKey() _apiKey: VerifiedApiKey,
      @OrgCode() _orgCode: string | null,
      @UserId() _userId: string | null,
      @ScopedResource() _resource: unknown,
    ): void {}
  }
  const metadata = Reflect.getMetadata('__routeArguments__', Controller, 'find') as Record<string, ParameterMetadata>;
  const context = { switchToHttp: () => ({ getRequest: () => request }) } as ExecutionContext;
  return Object.values(metadata)
    .toSorted((one, other) => one.index - other.index)
    .map(({ factory }) => factory(undefined, context));
}

describe('The parameter decorators', () => {
  it('inject what the guard kept on the request', () => {
    const request = {};
    const state = stateOf(request, Symbol('registration'), {} as RouteRule);
    keepState(Object.assign(state, { apiKey: KEY, isAccepted: true, resource: 'user 7' }));
    expect(parametersFor(request)).toEqual([KEY, 'org_a', null, 'user 7']);
  });

  it('inject undefined on a public route, whatever the request says', () => {
    const request = { apiKey: KEY, orgCode: 'org_b', user: { id: 'kp_1' }, headers: { 'x-org': 'org_b' } };
    expect(parametersFor(request)).toEqual([undefined, undefined, undefined, undefined]);
  });
});
