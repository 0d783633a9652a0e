import { DEMO_KEYS, type DemoKeyName, UNKNOWN_KEY } from './demo-keys.js';

/** A request to try, and its answer. */
export interface DemoCall {
  /** What the call shows. */
  readonly shows: string;
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly path: string;
  /** One of the demo keys, an unknown key, or no key at all. */
  readonly key: DemoKeyName | 'unknown' | 'none';
  readonly body?: Readonly<Record<string, unknown>>;
  readonly answer: {
    readonly status: number;
    /** Exact part of the body. */
    readonly contains: string;
  };
}

const ORGANIZATION = '/organizations/org_acme';
const PROJECTS = `${ORGANIZATION}/projects`;
const PROJECTS_QUERY = { query: '{ projects(orgCode: "org_acme") { name } }' };
const KEYS = `${ORGANIZATION}/api-keys`;

/**
 * Calls to try, with their answers: the source of the start-up output, the README and the e2e test. The answers do not
 * depend on the order or number of calls.
 */
export const DEMO_CALLS: readonly DemoCall[] = [
  get('the right key', PROJECTS, 'acme', 200, '"name":"Apollo"'),
  get('no key', PROJECTS, 'none', 401, '"code":"MISSING_KEY"'),
  get('an unknown key', PROJECTS, 'unknown', 401, '"code":"INVALID_KEY"'),
  get('a revoked key', PROJECTS, 'acmeRevoked', 401, '"code":"KEY_REVOKED"'),
  get("another organization's key", PROJECTS, 'globex', 403, '"code":"ORG_MISMATCH"'),
  get("a user's key, which has no organization", PROJECTS, 'ada', 403, '"code":"ORG_REQUIRED"'),
  post('writing', PROJECTS, 'acme', { name: 'Mercury' }, 201, '"name":"Mercury"'),
  post(
    'writing with a read-only key',
    PROJECTS,
    'acmeReadOnly',
    { name: 'Mercury' },
    403,
    '"required_scopes":["write:projects"]',
  ),
  post('writing something that is not valid', PROJECTS, 'acme', { name: '' }, 400, '"name: must not be empty"'),
  post('GraphQL', '/graphql', 'acme', PROJECTS_QUERY, 200, '"name":"Apollo"'),
  post("GraphQL with another organization's key", '/graphql', 'globex', PROJECTS_QUERY, 200, '"code":"ORG_MISMATCH"'),
  get('either of two scopes', ORGANIZATION, 'acmeReadOnly', 200, '"code":"org_acme"'),
  get('an organization found by loading the user', '/users/kp_ada', 'acme', 200, '"name":"Ada Lovelace"'),
  get('a user of another organization', '/users/kp_grace', 'acme', 403, '"code":"ORG_MISMATCH"'),
  get('a route for user-level keys', '/me', 'ada', 200, '"id":"kp_ada"'),
  get("the same with an organization's key", '/me', 'acme', 403, '"code":"USER_REQUIRED"'),
  get('what a key may do', '/key', 'acmeReadOnly', 200, '"scopes":["read:projects","read:users"]'),
  get('the API keys of an organization', KEYS, 'acmeKeyManager', 200, '"keySuffix":"only"'),
  post('creating a key', KEYS, 'acmeKeyManager', newKey('read:projects'), 201, '"key":"k_live_'),
  post('creating a key with more scopes', KEYS, 'acmeKeyManager', newKey('write:projects'), 403, 'your own key lacks'),
  get('a public route: the health check', '/health', 'none', 200, '"degraded":false'),
];

function get(shows: string, path: string, key: DemoCall['key'], status: number, contains: string): DemoCall {
  return { shows, method: 'GET', path, key, answer: { status, contains } };
}

function post(
  shows: string,
  path: string,
  key: DemoCall['key'],
  body: Readonly<Record<string, unknown>>,
  status: number,
  contains: string,
): DemoCall {
  return { shows, method: 'POST', path, key, body, answer: { status, contains } };
}

function newKey(scope: string): Readonly<Record<string, unknown>> {
  return { name: 'CI', scopes: [scope] };
}

/** Returns the raw key that a call sends, if any. */
export function rawKeyOf({ key }: DemoCall): string | undefined {
  if (key === 'none') return undefined;
  return key === 'unknown' ? UNKNOWN_KEY : DEMO_KEYS[key].key;
}

/**
 * Formats a call as a command line for Unix shells and for Windows.
 *
 * @param baseUrl origin of the API, e.g. `http://127.0.0.1:3000`
 */
export function curlOf(call: DemoCall, baseUrl: string): string {
  const rawKey = rawKeyOf(call);
  return [
    'curl -i',
    ...(call.method === 'GET' ? [] : [`-X ${call.method}`]),
    `${baseUrl}${call.path}`,
    ...(rawKey === undefined ? [] : [`-H "Authorization: Bearer ${rawKey}"`]),
    ...(call.body === undefined
      ? []
      : ['-H "Content-Type: application/json"', `-d ${JSON.stringify(JSON.stringify(call.body))}`]),
  ].join(' ');
}
