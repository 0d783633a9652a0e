import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { foundBy } from '../contexts/calls.js';
import { acceptedState, callerOf, getPrincipal, type RequestState } from './request-state.js';

type ApiKeyParameterDecorator = () => ParameterDecorator;

function parameter(pick: (state: RequestState) => unknown): ApiKeyParameterDecorator {
  return createParamDecorator((_data: unknown, context: ExecutionContext): unknown => {
    const state = acceptedState(foundBy(context));
    return state && pick(state);
  });
}

/** Injects the {@link VerifiedApiKey} of the request; `undefined` on public routes and for callers without an API key. */
export const CurrentApiKey = parameter(({ apiKey }) => apiKey);

/** Injects the {@link Principal} of the request, an API key or another caller; `undefined` on public routes. */
export const CurrentPrincipal: ApiKeyParameterDecorator = createParamDecorator(
  (_data: unknown, context: ExecutionContext) => getPrincipal(foundBy(context)),
);

/** Injects the caller's organization code, `null` for a caller without one; `undefined` on public routes. */
export const OrgCode = parameter((state) => callerOf(state).orgCode);

/** Injects the id of the caller's user, `null` for a caller without one; `undefined` on public routes. */
export const UserId = parameter((state) => callerOf(state).userId);

/**
 * Injects what the resolver of `@OrgScoped({ resolve })` loaded to find the organization, so that the handler needs no second query.
 * `undefined` where no resolver returned a resource, and on public routes.
 */
export const ScopedResource = parameter(({ resource }) => resource);
