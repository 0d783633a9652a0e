import { checkForMcp } from './mcp-check.js';

const SCHEMES = {
  apiKey: { type: 'http', scheme: 'Bearer' },
  accessToken: { type: 'http', scheme: 'bearer' },
  header: { type: 'apiKey', in: 'header', name: 'x-api-key' },
};
const READ = { operationId: 'read', security: [{ apiKey: ['read:users'] }] };

const documentWith = (operations: Record<string, object>, others: object = {}): object => ({
  openapi: '3.1.0',
  servers: [{ url: 'https://api.example.com' }],
  components: { securitySchemes: SCHEMES },
  paths: { '/users': { parameters: [], ...operations } },
  ...others,
});
const missingIn = (document: object): string[] =>
  checkForMcp(document).findings.map(({ where, missing }) => `${where}: ${missing}`);

describe('the check for MCP connections', () => {
  it('finds nothing where each operation has one scope and an operationId, and the server an https URL', () => {
    const post = { operationId: 'write', security: [{ apiKey: ['write:users'] }, { accessToken: ['write:users'] }] };
    expect(checkForMcp(documentWith({ get: READ, post }))).toEqual({ operations: 2, public: 0, findings: [] });
  });

  it('counts public operations and asks them for no scope', () => {
    const health = { operationId: 'health' };
    const document = documentWith({ get: READ, head: { ...health, security: [{}, { apiKey: [] }] }, post: health });
    expect(missingIn(document)).toEqual(['HEAD /users: its operationId "health" is that of POST /users']);
    expect(checkForMcp(document)).toMatchObject({ operations: 1, public: 2 });
  });

  it('does not take an empty requirement of an operation for that of the document', () => {
    const document = documentWith(
      { get: { ...READ, security: [] }, post: { operationId: 'b' } },
      { security: [{ apiKey: [] }] },
    );
    expect(checkForMcp(document)).toMatchObject({ operations: 1, public: 1 });
    expect(missingIn(document)).toEqual(['POST /users: it has no scope']);
  });

  it.each([
    [[{ apiKey: [] }], 'it has no scope'],
    [[{ apiKey: ['a', 'b'] }], 'it has several scopes: a, b'],
    [[{ apiKey: ['a'] }, { apiKey: ['b'] }], 'its scopes are a choice: a or b'],
    [[{ header: ['a'] }], 'a key in "Authorization: Bearer" is not accepted'],
    [[{ apiKey: ['a'], header: [] }], 'a key in "Authorization: Bearer" is not accepted'],
  ])('says of an operation with the security %j: %s', (security, missing) => {
    expect(missingIn(documentWith({ get: { ...READ, security } }))).toEqual([`GET /users: ${missing}`]);
  });

  it.each([
    [[{ scopes: ['a'], anyOf: [] }], []],
    [[{ scopes: [], anyOf: [] }], ['GET /users: it has no scope']],
    [[{ scopes: ['a'], anyOf: [['b', 'c']] }], ['GET /users: its scopes are a choice: a, and b or c']],
    [
      [
        { scopes: ['a'], anyOf: [] },
        { scopes: ['b'], anyOf: [] },
      ],
      ['GET /users: its scopes are a choice: a or b'],
    ],
  ])('reads the access rules %j where requirements have no scopes', (rules, missing) => {
    const get = { ...READ, security: [{ apiKey: [] }], 'x-access-rules': rules };
    expect(missingIn(documentWith({ get }, { openapi: '3.0.3' }))).toEqual(missing);
  });

  it.each([undefined, '', 7])('finds that an operation has no operationId: %j', (operationId) => {
    expect(missingIn(documentWith({ get: { ...READ, operationId } }))).toEqual(['GET /users: it has no operationId']);
  });

  it('finds a document that names no requirement at all', () => {
    expect(missingIn(documentWith({ get: { operationId: 'a' } }))).toEqual([
      'document: no operation requires a credential',
    ]);
  });

  it.each([
    [undefined, 'the document has no server'],
    [[], 'the document has no server'],
    [[{ url: '/api' }], '"/api" is not an absolute https URL'],
    [[{ url: 'http://api.example.com' }], '"http://api.example.com" is not an absolute https URL'],
    [[{ url: '//api.example.com' }], '"//api.example.com" is not an absolute https URL'],
    [
      [{ url: '{scheme}://api.example.com', variables: { scheme: { default: 'http' } } }],
      '"http://api.example.com" is not an absolute https URL',
    ],
  ])('says of the servers %j: %s', (servers, missing) => {
    expect(missingIn(documentWith({ get: READ }, { servers }))).toEqual([`servers[0]: ${missing}`]);
  });

  it('accepts a server whose variables have defaults', () => {
    const servers = [{ url: 'https://{area}.example.com', variables: { area: { default: 'eu' } } }];
    expect(missingIn(documentWith({ get: READ }, { servers }))).toEqual([]);
  });

  it.each([null, 7, [], {}, { swagger: '2.0' }, { openapi: 3 }])(
    'rejects what is no document of OpenAPI 3: %j',
    (given) => {
      expect(() => checkForMcp(given)).toThrow('this is not a document of OpenAPI 3');
    },
  );
});
