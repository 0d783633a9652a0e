import { ACCESS_RULES, fieldsOf, listOf, METHODS, textOf, type Fields } from './api-document.js';

/** What a document lacks for Kinde's MCP connections. */
export interface McpFinding {
  /** `servers[0]`, `GET /users`, or `document`. */
  readonly where: string;
  readonly missing: string;
  readonly cure: string;
}

/** What was found in a document. */
export interface McpCheck {
  /** Number of operations that require a credential. */
  readonly operations: number;
  /** Number of operations that require none. They need no scope, and are not checked. */
  readonly public: number;
  readonly findings: readonly McpFinding[];
}

interface Operation {
  readonly where: string;
  readonly operation: Fields;
  /** Schemes and scopes of each alternative. */
  readonly security: readonly Fields[];
}

/**
 * Checks an OpenAPI document for Kinde's MCP connections: these make one tool of each operation, guarded by one scope, and send the API key as
 * `Authorization: Bearer` to the first server.
 *
 * @throws {Error} if it is not an OpenAPI document
 */
export function checkForMcp(given: unknown): McpCheck {
  const document = fieldsOf(given);
  if (!textOf(document['openapi']).startsWith('3.')) throw new Error('this is not a document of OpenAPI 3');
  const all = operationsOf(document);
  const operations = all.filter(
    ({ security }) => security.length > 0 && security.every((one) => Object.keys(one).length > 0),
  );
  const findings = [
    ...serverFindings(document),
    ...(operations.length === 0
      ? [
          finding(
            'document',
            'no operation requires a credential',
            'pass the document through documentApiKeys(app, document)',
          ),
        ]
      : []),
    ...operations.flatMap((one) => [...scopeFindings(one), ...credentialFindings(one, document)]),
    ...idFindings(all),
  ];
  return { operations: operations.length, public: all.length - operations.length, findings };
}

function operationsOf(document: Fields): readonly Operation[] {
  return Object.entries(fieldsOf(document['paths'])).flatMap(([path, item]) =>
    METHODS.filter((method) => Object.hasOwn(fieldsOf(item), method)).map((method) => {
      const operation = fieldsOf(fieldsOf(item)[method]);
      const security = listOf(operation['security'] ?? document['security']).map(fieldsOf);
      return { where: `${method.toUpperCase()} ${path}`, operation, security };
    }),
  );
}

function serverFindings(document: Fields): McpFinding[] {
  const server = fieldsOf(listOf(document['servers'])[0]);
  const cure = "name the public address of the API, e.g. new DocumentBuilder().addServer('https://api.example.com')";
  const url = textOf(server['url']).replace(/\{([^{}]*)\}/g, (_text, name: string) =>
    textOf(fieldsOf(fieldsOf(server['variables'])[name])['default']),
  );
  if (url === '') return [finding('servers[0]', 'the document has no server', cure)];
  if (URL.canParse(url) && new URL(url).protocol === 'https:') return [];
  return [finding('servers[0]', `"${url}" is not an absolute https URL`, cure)];
}

function scopeFindings({ where, operation, security }: Operation): McpFinding[] {
  const rules = listOf(operation[ACCESS_RULES]).map(fieldsOf);
  // The rules have the scopes in OpenAPI 3.0, too, where requirements have none.
  const lists =
    rules.length > 0
      ? rules.map(({ scopes }) => listOf(scopes))
      : security.map((one) => Object.values(one).flatMap(listOf));
  const alternatives = [...new Set(lists.map((list) => list.map(textOf).toSorted().join(', ')))];
  const anyOf = rules.flatMap((rule) => listOf(rule['anyOf']).map((list) => listOf(list).map(textOf).join(' or ')));
  const [scopes = ''] = alternatives;
  if (alternatives.length > 1 || anyOf.length > 0) {
    const choices = [alternatives.filter((one) => one !== '').join(' or '), ...anyOf].filter((one) => one !== '');
    return [
      finding(where, `its scopes are a choice: ${choices.join(', and ')}`, 'require one scope, with @RequireScopes()'),
    ];
  }
  if (scopes === '') return [finding(where, 'it has no scope', "require one, e.g. @RequireScopes('read:users')")];
  if (!scopes.includes(', ')) return [];
  return [finding(where, `it has several scopes: ${scopes}`, 'require one scope, e.g. one that stands for both')];
}

function credentialFindings({ where, security }: Operation, document: Fields): McpFinding[] {
  const schemes = fieldsOf(fieldsOf(document['components'])['securitySchemes']);
  const isBearer = (name: string): boolean => textOf(fieldsOf(schemes[name])['scheme']).toLowerCase() === 'bearer';
  if (security.some((one) => Object.keys(one).every(isBearer))) return [];
  return [
    finding(
      where,
      'a key in "Authorization: Bearer" is not accepted',
      "accept it: credentials: [{ header: 'authorization', scheme: 'Bearer' }]",
    ),
  ];
}

function idFindings(operations: readonly Operation[]): McpFinding[] {
  const first = new Map<string, string>();
  return operations.flatMap(({ where, operation }) => {
    const id = textOf(operation['operationId']);
    if (id === '')
      return [finding(where, 'it has no operationId', "give it one: @ApiOperation({ operationId: 'listUsers' })")];
    const earlier = first.get(id);
    first.set(id, earlier ?? where);
    if (earlier === undefined) return [];
    return [
      finding(where, `its operationId "${id}" is that of ${earlier}`, 'give each operation an operationId of its own'),
    ];
  });
}

function finding(where: string, missing: string, cure: string): McpFinding {
  return { where, missing, cure };
}
