import { readApis, readApiScopes } from './apis-answer.js';

const SCOPES = [
  { id: 'api_scope_1', key: 'read:users' },
  { id: 'api_scope_2', key: 'write:users', description: 'x' },
];
const API = { id: 'api_1', name: 'API', audience: 'https://api', is_management_api: false, scopes: SCOPES };
const IDS = new Map([
  ['read:users', 'api_scope_1'],
  ['write:users', 'api_scope_2'],
]);

describe('readApis', () => {
  it('reads the APIs with the ids of their scopes', () => {
    expect(readApis({ next_token: null, apis: [API] })).toEqual({
      kind: 'result',
      result: {
        apis: [{ apiId: 'api_1', name: 'API', isManagementApi: false, scopeIds: IDS }],
        hasMore: false,
        nextToken: null,
      },
    });
  });

  it('reads that there are more', () => {
    expect(readApis({ next_token: 'Njo5', apis: [] })).toMatchObject({ result: { hasMore: true, nextToken: 'Njo5' } });
    expect(readApis({ next_token: 5, apis: [] })).toMatchObject({ result: { hasMore: true, nextToken: null } });
  });

  it('reads an API without scopes', () => {
    expect(readApis({ apis: [{ ...API, scopes: null }] })).toMatchObject({
      result: { apis: [{ scopeIds: new Map() }] },
    });
  });

  it.each([
    [undefined],
    [{}],
    [['api_1']],
    [[{ ...API, id: 1 }]],
    [[{ ...API, id: '' }]],
    [[{ ...API, is_management_api: 'false' }]],
    [[{ ...API, is_management_api: undefined }]],
    [[{ ...API, scopes: {} }]],
    [[{ ...API, scopes: [{ key: 'read:users' }] }]],
    [[{ ...API, scopes: ['read:users'] }]],
  ])('cannot use %j', (apis) => {
    expect(readApis({ apis })).toMatchObject({ kind: 'outage' });
  });
});

describe('readApiScopes', () => {
  it('reads the ids of the scopes', () => {
    expect(readApiScopes({ scopes: SCOPES })).toEqual({ kind: 'result', result: IDS });
  });

  it.each([undefined, null, {}, [null], [{ id: 'x', key: 1 }]])('cannot use %j', (scopes) => {
    expect(readApiScopes({ scopes })).toMatchObject({ kind: 'outage' });
  });
});
