import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { latestPassage, type Passage } from './visit.js';

type ApiKeyParameterDecorator = () => ParameterDecorator;

function parameter(pick: (passage: Passage) => unknown): ApiKeyParameterDecorator {
  return createParamDecorator((_data: unknown, context: ExecutionContext): unknown => {
    const passage = latestPassage(context.switchToHttp().getRequest());
    return passage && pick(passage);
  });
}

/** The {@link VerifiedApiKey} of the request; `undefined` on public routes. */
export const CurrentApiKey = parameter(({ apiKey }) => apiKey);

/** The key's organization code, `null` for a key without one; `undefined` on public routes. */
export const OrgCode = parameter(({ apiKey }) => apiKey.orgCode);

/** The id of the key's user, `null` for a key without one; `undefined` on public routes. */
export const UserId = parameter(({ apiKey }) => apiKey.userId);

/**
 * What the resolver of `@OrgScoped({ resolve })` loaded to find the organization, so that the handler needs no second query;
 * `undefined` where no resolver returned a resource, and on public routes.
 */
export const ScopedResource = parameter(({ resource }) => resource);
