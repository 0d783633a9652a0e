import type { AuditedApi } from '../audit/audited-api.js';
import type { ApiKeyCredential } from '../config/credential-options.js';
import type { AccessRule } from '../rules/access-decision.js';
import { acceptsTokens, choicesOf } from './accepted-callers.js';
import {
  addComponent,
  isSame,
  textOf,
  type ApiDocument,
  type Fields,
  type SecurityRequirement,
} from './api-document.js';
import type { RouteOfApi } from './matched-operations.js';

/** More alternatives are not listed: the text names the scopes. */
const MAX_ALTERNATIVES = 16;

const TOKEN_SCHEME: Fields = {
  type: 'http',
  scheme: 'bearer',
  bearerFormat: 'JWT',
  description: 'An access token of Kinde',
};

/** Names of security schemes: one for each header that may carry a key, and that of access tokens. */
interface SchemeNames {
  readonly keys: readonly string[];
  readonly tokens: readonly string[];
}

/** Adds the security schemes of a registration to a document. A scheme of the app with the same name and meaning is used instead. */
export function schemesOf({ options }: AuditedApi, document: ApiDocument): SchemeNames {
  const add = (name: string, scheme: Fields): string =>
    addComponent(document, 'securitySchemes', name, scheme, isSameScheme);
  return {
    keys: options.credentials.map((credential, index) => add(nameOf(credential, index), schemeOf(credential))),
    tokens: acceptsTokens(options) ? [add('accessToken', TOKEN_SCHEME)] : [],
  };
}

/** Returns how a guarded route may be called: one alternative for each credential and, with `@RequireAnyScope()`, for each scope. */
export function alternativesOf({ api, route: { rule } }: RouteOfApi, document: ApiDocument): SecurityRequirement[] {
  const { keys, tokens } = schemesOf(api, document);
  // A scheme other than OAuth may have scopes since OpenAPI 3.1 (Security Requirement Object). 3.0 demands an empty list.
  const scopeLists = document.openapi.startsWith('3.0') ? [[]] : scopeAlternatives(rule.access);
  const schemes = [...keys, ...(rule.access.needsKey ? [] : tokens)];
  return schemes.flatMap((scheme) => scopeLists.map((scopes) => ({ [scheme]: scopes })));
}

function scopeAlternatives(access: AccessRule): readonly (readonly string[])[] {
  const choices = choicesOf(access);
  const count = choices.reduce((product, list) => product * list.length, 1);
  if (count > MAX_ALTERNATIVES) return [access.requiredScopes];
  return choices.reduce<readonly (readonly string[])[]>(
    (lists, choice) => lists.flatMap((list) => choice.map((scope) => [...new Set([...list, scope])])),
    [access.requiredScopes],
  );
}

function nameOf({ header }: ApiKeyCredential, index: number): string {
  return index === 0 ? 'apiKey' : `apiKey-${header.replace(/[^\w.-]/g, '_')}`;
}

function schemeOf({ header, scheme }: ApiKeyCredential): Fields {
  if (header === 'authorization' && scheme !== undefined) {
    const isBearer = scheme.toLowerCase() === 'bearer';
    return {
      type: 'http',
      scheme: scheme.toLowerCase(),
      ...(isBearer && { bearerFormat: 'API key' }),
      description: 'An API key',
    };
  }
  const description = scheme === undefined ? 'An API key' : `"${scheme} " and an API key`;
  return { type: 'apiKey', in: 'header', name: header, description };
}

/** An app may describe a scheme in its own words. */
function isSameScheme(one: Fields, other: Fields): boolean {
  return ['type', 'scheme', 'in', 'name'].every(
    (field) => textOf(one[field]).toLowerCase() === textOf(other[field]).toLowerCase(),
  );
}

/** Returns requirements without repetitions. */
export function distinct(requirements: readonly SecurityRequirement[]): readonly SecurityRequirement[] {
  return requirements.filter((one, index) => requirements.findIndex((other) => isSame(one, other)) === index);
}
