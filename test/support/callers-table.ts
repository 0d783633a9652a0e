/**
 * Who gets what, as data: each kind of caller, with or without the scope `read:users`, on routes about `org_a` with one rule each. The e2e test
 * runs it on both adapters, and the page on callers shows it.
 */

/** The rules, as they are written. `@OrgScoped()` compares `org_a`. */
export const RULES = [
  '@PublicRoute()',
  '@AnyValidKey()',
  "@RequireScopes('read:users')",
  '@OrgScoped()',
  '@UserScoped()',
  '@KeysOnly()',
] as const;

const SHORT = {
  '+': '200',
  M: 'MISSING_KEY',
  I: 'INVALID_KEY',
  T: 'INVALID_TOKEN',
  E: 'TOKEN_EXPIRED',
  S: 'INSUFFICIENT_SCOPE',
  R: 'ORG_REQUIRED',
  X: 'ORG_MISMATCH',
  U: 'USER_REQUIRED',
  K: 'KEY_REQUIRED',
} as const;

/** A row: the caller, and the outcome for each rule: 200, or a code. */
export interface CallerRow {
  readonly caller: string;
  readonly outcomes: readonly (typeof SHORT)[keyof typeof SHORT][];
}

function row(caller: string, outcomes: string): CallerRow {
  return { caller, outcomes: outcomes.split(' ').map((letter) => SHORT[letter as keyof typeof SHORT]) };
}

/** The table. */
export const CALLERS_TABLE: readonly CallerRow[] = [
  //                                                            public any scope org user key
  row('no credential', '+ M M M M M'),
  row('unknown key', '+ I I I I I'),
  row('key of the environment', '+ + + R U +'),
  row('key of `org_a`', '+ + + + U +'),
  row('key of `org_b`', '+ + + X U +'),
  row('key of a user', '+ + + R + +'),
  row('key of `org_a` without the scope', '+ + S + U +'),
  row('access token of a user in `org_a`', '+ + + + + K'),
  row('access token of a user in `org_b`', '+ + + X + K'),
  row('access token of a user without an organization', '+ + + R + K'),
  row('access token of a user in `org_a` without the scope', '+ + S + + K'),
  row('access token of an M2M application in `org_a`', '+ + + + U K'),
  row('expired access token', '+ E E E E E'),
  row('access token for another audience', '+ T T T T T'),
  row('access token of another issuer', '+ T T T T T'),
  row('access token with `alg: none`', '+ T T T T T'),
  row('access token signed by HS256 with the public key', '+ T T T T T'),
  row('access token of an unknown `kid`', '+ T T T T T'),
  row("the app's own user in `org_a`", '+ + + + + K'),
  row("the app's own user in `org_b`", '+ + + X + K'),
];
