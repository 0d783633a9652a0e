import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { acceptedState, type AcceptedState } from './request-state.js';

type ApiKeyParameterDecorator = () => ParameterDecorator;

function parameter(pick: (state: AcceptedState) => unknown): ApiKeyParameterDecorator {
  return createParamDecorator((_data: unknown, context: ExecutionContext): unknown => {
    const state = acceptedState(context.switchToHttp().getRequest());
    return state && pick(state);
  });
}

/** Injects the {@link VerifiedApiKey} of the request; `undefined` on public routes. */
export const CurrentApiKey = parameter(({ apiKey }) => apiKey);

/** Injects the key's organization code, `null` for a key without one; `undefined` on public routes. */
export const OrgCode = parameter(({ apiKey }) => apiKey.orgCode);

/** Injects the id of the key's user, `null` for a key without one; `undefined` on public routes. */
export const UserId = parameter(({ apiKey }) => apiKey.userId);

/**
 * Injects what the resolver of `@OrgScoped({ resolve })` loaded to find the organization, so that the handler needs no second query.
 * `undefined` where no resolver returned a resource, and on public routes.
 */
export const ScopedResource = parameter(({ resource }) => resource);
