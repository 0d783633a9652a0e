import type { ApiKeyCredential } from '../config/credential-options.js';
import type { AccessRule } from '../rules/access-decision.js';
import { addComponent, isSame, type ApiDocument, type Fields, type SecurityRequirement } from './api-document.js';
import { acceptsTokens } from './occurring-refusals.js';
import type { RouteOfApi } from './matched-operations.js';

/** More alternatives than a reader would look at. The text names the scopes then. */
const MAX_ALTERNATIVES = 16;

const TOKEN_SCHEME: Fields = {
  type: 'http',
  scheme: 'bearer',
  bearerFormat: 'JWT',
  description: 'An access token of Kinde',
};

/** Returns how a guarded route may be called: one alternative for each credential and, with `@RequireAnyScope()`, for each scope. */
export function alternativesOf({ api, route: { rule } }: RouteOfApi, document: ApiDocument): SecurityRequirement[] {
  const { credentials } = api.options;
  const ofKeys = credentials.map((credential, index) =>
    addComponent(document, 'securitySchemes', nameOf(credential, index), schemeOf(credential)),
  );
  const isForTokens = acceptsTokens(api.options) && !rule.access.needsKey;
  const schemes = [
    ...ofKeys,
    ...(isForTokens ? [addComponent(document, 'securitySchemes', 'accessToken', TOKEN_SCHEME)] : []),
  ];
  // Scopes of a scheme that is not OAuth are allowed since OpenAPI 3.1 (Security Requirement Object); 3.0 demands an empty list.
  const scopeLists = document.openapi.startsWith('3.0') ? [[]] : scopeAlternatives(rule.access);
  return schemes.flatMap((scheme) => scopeLists.map((scopes) => ({ [scheme]: scopes })));
}

function scopeAlternatives({ requiredScopes, requiredAnyOf }: AccessRule): readonly (readonly string[])[] {
  const count = requiredAnyOf.reduce((product, list) => product * list.length, 1);
  if (count > MAX_ALTERNATIVES) return [requiredScopes];
  return requiredAnyOf.reduce<readonly (readonly string[])[]>(
    (lists, anyOf) => lists.flatMap((list) => anyOf.map((scope) => [...new Set([...list, scope])])),
    [requiredScopes],
  );
}

function nameOf({ header }: ApiKeyCredential, index: number): string {
  return index === 0 ? 'apiKey' : `apiKey-${header.replace(/[^\w.-]/g, '_')}`;
}

function schemeOf({ header, scheme }: ApiKeyCredential): Fields {
  const description = 'An API key';
  if (header === 'authorization' && scheme !== undefined)
    return {
      type: 'http',
      scheme: scheme.toLowerCase(),
      ...(scheme.toLowerCase() === 'bearer' && { bearerFormat: 'API key' }),
      description,
    };
  return {
    type: 'apiKey',
    in: 'header',
    name: header,
    description: scheme === undefined ? description : `${description}, after "${scheme} "`,
  };
}

/** Returns requirements without repetitions. */
export function distinct(requirements: readonly SecurityRequirement[]): readonly SecurityRequirement[] {
  return requirements.filter((one, index) => requirements.findIndex((other) => isSame(one, other)) === index);
}
