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

/**
 * Calls to try, with their answers: the source of the start-up output, the README and the e2e test. The answers do not
 * depend on the order or number of calls.
 */
export const DEMO_CALLS: readonly DemoCall[] = [
  {
    shows: 'the right key',
    method: 'GET',
    path: '/organizations/org_acme/projects',
    key: 'acme',
    answer: { status: 200, contains: '"name":"Apollo"' },
  },
  {
    shows: 'no key',
    method: 'GET',
    path: '/organizations/org_acme/projects',
    key: 'none',
    answer: { status: 401, contains: '"code":"MISSING_KEY"' },
  },
  {
    shows: 'an unknown key',
    method: 'GET',
    path: '/organizations/org_acme/projects',
    key: 'unknown',
    answer: { status: 401, contains: '"code":"INVALID_KEY"' },
  },
  {
    shows: 'a revoked key',
    method: 'GET',
    path: '/organizations/org_acme/projects',
    key: 'acmeRevoked',
    answer: { status: 401, contains: '"code":"KEY_REVOKED"' },
  },
  {
    shows: "another organization's key",
    method: 'GET',
    path: '/organizations/org_acme/projects',
    key: 'globex',
    answer: { status: 403, contains: '"code":"ORG_MISMATCH"' },
  },
  {
    shows: "a user's key, which has no organization",
    method: 'GET',
    path: '/organizations/org_acme/projects',
    key: 'ada',
    answer: { status: 403, contains: '"code":"ORG_REQUIRED"' },
  },
  {
    shows: 'writing',
    method: 'POST',
    path: '/organizations/org_acme/projects',
    key: 'acme',
    body: { name: 'Mercury' },
    answer: { status: 201, contains: '"name":"Mercury"' },
  },
  {
    shows: 'writing with a read-only key',
    method: 'POST',
    path: '/organizations/org_acme/projects',
    key: 'acmeReadOnly',
    body: { name: 'Mercury' },
    answer: { status: 403, contains: '"required_scopes":["write:projects"]' },
  },
  {
    shows: 'writing something that is not valid',
    method: 'POST',
    path: '/organizations/org_acme/projects',
    key: 'acme',
    body: { name: '' },
    answer: { status: 400, contains: '"name: must not be empty"' },
  },
  {
    shows: 'either of two scopes',
    method: 'GET',
    path: '/organizations/org_acme',
    key: 'acmeReadOnly',
    answer: { status: 200, contains: '"code":"org_acme"' },
  },
  {
    shows: 'an organization found by loading the user',
    method: 'GET',
    path: '/users/kp_ada',
    key: 'acme',
    answer: { status: 200, contains: '"name":"Ada Lovelace"' },
  },
  {
    shows: 'a user of another organization',
    method: 'GET',
    path: '/users/kp_grace',
    key: 'acme',
    answer: { status: 403, contains: '"code":"ORG_MISMATCH"' },
  },
  {
    shows: 'a route for user-level keys',
    method: 'GET',
    path: '/me',
    key: 'ada',
    answer: { status: 200, contains: '"id":"kp_ada"' },
  },
  {
    shows: "the same with an organization's key",
    method: 'GET',
    path: '/me',
    key: 'acme',
    answer: { status: 403, contains: '"code":"USER_REQUIRED"' },
  },
  {
    shows: 'what a key may do',
    method: 'GET',
    path: '/key',
    key: 'acmeReadOnly',
    answer: { status: 200, contains: '"scopes":["read:projects","read:users"]' },
  },
  {
    shows: 'the API keys of an organization',
    method: 'GET',
    path: '/organizations/org_acme/api-keys',
    key: 'acmeKeyManager',
    answer: { status: 200, contains: '"keySuffix":"only"' },
  },
  {
    shows: 'creating a key',
    method: 'POST',
    path: '/organizations/org_acme/api-keys',
    key: 'acmeKeyManager',
    body: { name: 'CI', scopes: ['read:projects'] },
    answer: { status: 201, contains: '"key":"k_live_' },
  },
  {
    shows: 'creating a key with a scope that its creator lacks',
    method: 'POST',
    path: '/organizations/org_acme/api-keys',
    key: 'acmeKeyManager',
    body: { name: 'CI', scopes: ['write:projects'] },
    answer: { status: 403, contains: 'scopes that your own key lacks' },
  },
  {
    shows: 'a public route',
    method: 'GET',
    path: '/health',
    key: 'none',
    answer: { status: 200, contains: '"status":"ok"' },
  },
];

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
