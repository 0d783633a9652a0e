import type { INestApplicationContext } from '@nestjs/common';
import { ROUTE_AUDIT, type ApiKeyRouteAudit } from '../audit/route-audit.js';
import { acceptsOthers } from './accepted-callers.js';
import { accessRule, accessText } from './access-text.js';
import {
  ACCESS_RULES,
  fieldsOf,
  listOf,
  textOf,
  type ApiDocument,
  type Fields,
  type SecurityRequirement,
} from './api-document.js';
import { matchOperations, type MatchedOperation, type RouteOfApi } from './matched-operations.js';
import { responsesOf } from './operation-responses.js';
import { alternativesOf, distinct, schemesOf } from './security.js';

/** See {@link documentApiKeys}. */
export interface DocumentApiKeysOptions {
  /** Whether the app answers refusals with `ApiKeyProblemDetailsFilter`, as `application/problem+json`. Default `false`. */
  readonly problemDetails?: boolean;
}

/**
 * Adds to an OpenAPI document what the decorators of the app demand: for each guarded operation its security requirement, scopes and rate limit, and
 * the answers to refused requests, each with its schema, its headers and an example of every code that can occur. Public operations are marked as such.
 * Operations that no `ApiKeyGuard` protects stay as they are.
 *
 * What the app itself has documented is kept: ours is added beside. A second call changes nothing.
 *
 * @param app the app, started or not
 * @param document what `SwaggerModule.createDocument(app, config)` has made, for OpenAPI 3.0, 3.1 or 3.2. It is changed
 * @returns the same document
 * @throws {Error} if the app does not import `KindeApiKeyModule`
 */
export function documentApiKeys<Document extends ApiDocument>(
  app: Pick<INestApplicationContext, 'get'>,
  document: Document,
  { problemDetails = false }: DocumentApiKeysOptions = {},
): Document {
  const apis = auditsOf(app).map((audit) => audit.api());
  for (const matched of matchOperations(document, apis)) {
    const documented = documentedOperation(matched, document, problemDetails);
    const paths = document.paths as Record<string, Fields>;
    paths[matched.path] = { ...paths[matched.path], [matched.method]: documented };
  }
  return document;
}

function auditsOf(app: Pick<INestApplicationContext, 'get'>): ApiKeyRouteAudit[] {
  try {
    return app.get<unknown, ApiKeyRouteAudit>(ROUTE_AUDIT, { strict: false, each: true });
  } catch (cause) {
    throw new Error('documentApiKeys() found no KindeApiKeyModule in the app: import KindeApiKeyModule.forRoot()', {
      cause,
    });
  }
}

function documentedOperation(matched: MatchedOperation, document: ApiDocument, isProblem: boolean): Fields {
  const { operation, routes } = matched;
  if (ACCESS_RULES in operation) return operation;
  const guarded = routes.filter(({ route }) => route.isReached && !route.rule.isPublic);
  if (guarded.length === 0) {
    const isPublic = routes.some(({ route }) => route.rule.isPublic);
    const hasSecurity = operation['security'] !== undefined || document.security !== undefined;
    return isPublic && hasSecurity ? { ...operation, security: statedSecurity(matched, document) } : operation;
  }
  const description = [textOf(operation['description']), ...textsOf(guarded)]
    .filter((text) => text !== '')
    .join('\n\n');
  const security = distinct([
    ...guarded.flatMap((one) => alternativesOf(one, document)),
    ...(guarded.length < routes.length ? [{}] : []),
    ...statedSecurity(matched, document),
  ]);
  const responses = responsesOf(matched, guarded, { document, isProblem });
  return { ...operation, description, security, responses, [ACCESS_RULES]: guarded.map(accessRule) };
}

/** One text, or one for each version where they differ. */
function textsOf(guarded: readonly RouteOfApi[]): readonly string[] {
  const texts = guarded.map(accessText);
  if (new Set(texts).size === 1) return texts.slice(0, 1);
  return guarded.map(({ route }, index) => `${route.names.join(', ')}: ${texts[index]}`);
}

/**
 * Returns what the app itself states about an operation, without the schemes of API keys and access tokens: about these, the rules decide. What it
 * states for all operations counts where the option `principals` has sources of the app.
 */
function statedSecurity(
  { operation, routes }: MatchedOperation,
  document: ApiDocument,
): readonly SecurityRequirement[] {
  const hasOwnCallers = routes.some(({ api, route }) => !route.rule.isPublic && acceptsOthers(api.options));
  const stated = listOf(operation['security'] ?? (hasOwnCallers ? document.security : []));
  const ours = new Set(
    routes.map(({ api }) => schemesOf(api, document)).flatMap(({ keys, tokens }) => [...keys, ...tokens]),
  );
  return stated
    .map(fieldsOf)
    .filter((one) => Object.keys(one).some((scheme) => !ours.has(scheme))) as SecurityRequirement[];
}
