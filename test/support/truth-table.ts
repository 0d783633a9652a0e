/**
 * How rules combine, as data: what stands on the class, on the method and on what they inherit, and what each kind of key gets.
 * The e2e test runs it on both adapters, and the page on routes shows it.
 */

/** Kinds of keys. The route is about `org_a`. */
export const KEYS = {
  none: null,
  bad: { scopes: [], known: false },
  reader: { scopes: ['read:users'], orgCode: 'org_a' },
  writer: { scopes: ['read:users', 'write:users'], orgCode: 'org_a' },
  foreign: { scopes: ['read:users', 'write:users'], orgCode: 'org_b' },
  personal: { scopes: ['read:users'], userId: 'kp_1' },
  both: { scopes: ['read:users'], orgCode: 'org_a', userId: 'kp_1' },
} as const;

/** The names of the columns. */
export type KeyKind = keyof typeof KEYS;

/** What a request gets: 200, or the code of the refusal. */
export type Outcome =
  '200' | 'MISSING_KEY' | 'INVALID_KEY' | 'INSUFFICIENT_SCOPE' | 'ORG_REQUIRED' | 'ORG_MISMATCH' | 'USER_REQUIRED';

/** A row: decorators as they are written, and the outcome for each kind of key, in the order of {@link KEYS}. */
export interface TruthRow {
  readonly onClass: string;
  readonly onMethod: string;
  /** What an ancestor carries: on its class, or on the method that is overridden. */
  readonly inherited: string;
  readonly outcomes: Readonly<Record<KeyKind, Outcome>>;
}

const SHORT = {
  M: 'MISSING_KEY',
  I: 'INVALID_KEY',
  S: 'INSUFFICIENT_SCOPE',
  R: 'ORG_REQUIRED',
  X: 'ORG_MISMATCH',
  U: 'USER_REQUIRED',
  '+': '200',
} as const;

/** `outcomes`: a letter for each kind of key. */
function row(onClass: string, onMethod: string, inherited: string, outcomes: string): TruthRow {
  const letters = outcomes.split(' ') as (keyof typeof SHORT)[];
  const kinds = Object.keys(KEYS) as KeyKind[];
  return {
    onClass,
    onMethod,
    inherited,
    outcomes: Object.fromEntries(
      kinds.map((kind, index) => [kind, SHORT[letters[index] as keyof typeof SHORT]]),
    ) as TruthRow['outcomes'],
  };
}

/** The table. */
export const TRUTH_TABLE: readonly TruthRow[] = [
  //                                                                                  none bad reader writer foreign personal both
  row('', '', '', 'M I + + + + +'),
  row("@RequireScopes('read:users')", '', '', 'M I + + + + +'),
  row("@RequireScopes('write:users')", '', '', 'M I S + + S S'),
  row('', "@RequireScopes('write:users')", '', 'M I S + + S S'),
  row("@RequireScopes('read:users')", "@RequireScopes('write:users')", '', 'M I S + + S S'),
  row("@RequireScopes('write:users')", '@AnyValidKey()', '', 'M I S + + S S'),
  row('', '@AnyValidKey()', '', 'M I + + + + +'),
  row('', "@RequireAnyScope('write:users', 'admin')", '', 'M I S + + S S'),
  row("@RequireAnyScope('read:users', 'admin')", "@RequireAnyScope('write:users', 'admin')", '', 'M I S + + S S'),
  row('@OrgScoped()', '', '', 'M I + + X R +'),
  row('@OrgScoped()', "@RequireScopes('write:users')", '', 'M I S + X S S'),
  row('', "@OrgScoped({ from: 'key' })", '', 'M I + + + R +'),
  row('@OrgScoped()', "@OrgScoped({ from: 'key' })", '', 'M I + + X R +'),
  row('', '@UserScoped()', '', 'M I U U U + +'),
  row('@OrgScoped()', '@UserScoped()', '', 'M I U U U R +'),
  row('', '@KeysOnly()', '', 'M I + + + + +'),
  row('@KeysOnly()', "@RequireScopes('write:users')", '', 'M I S + + S S'),
  row('@PublicRoute()', '', '', '+ + + + + + +'),
  row("@RequireScopes('write:users')", '@PublicRoute()', '', '+ + + + + + +'),
  row('@OrgScoped()', '@PublicRoute()', '', '+ + + + + + +'),
  row('@PublicRoute()', "@RequireScopes('write:users')", '', 'M I S + + S S'),
  row('@PublicRoute()', '@AnyValidKey()', '', 'M I + + + + +'),
  row('', '', "class: @RequireScopes('write:users')", 'M I S + + S S'),
  row('', '', "method: @RequireScopes('write:users')", 'M I S + + S S'),
  row("@RequireScopes('read:users')", '', 'class: @OrgScoped()', 'M I + + X R +'),
  row('', "@RequireScopes('read:users')", 'method: @UserScoped()', 'M I U U U + +'),
  row('', '@PublicRoute()', "class: @RequireScopes('write:users')", '+ + + + + + +'),
  row('', "@RequireScopes('write:users')", 'class: @PublicRoute()', 'M I S + + S S'),
];
